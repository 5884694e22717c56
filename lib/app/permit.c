#include "app/permit.h"

#include "base/log.h"
#include "wire/auth.h"
#include "wire/msg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	TIMEOUT_MS = 5000,
	PRINTED_MAX = 64,
	COOKIE_MAX = HTTP_HEAD_MAX,
	WHY_MAX = 256,
};

/* ---- The answer ---- */

/* Whatever is wrong with the command, it is so for all who ask. */
static void
tell(const struct permit *p, enum command_end end, int code)
{
	int64_t now_ms = (int64_t)(ev_now(p->conf->pool->loop) * 1000.);
	struct buf b;

	buf_init(&b, WHY_MAX);
	buf_addz(&b, "--auth-cmd: ");
	if (end == COMMAND_EXITED && code == 0)
		buf_addz(&b, "it prints neither nothing nor expires=SECONDS");
	else
		command_add_end(&b, end, code);
	if (ratelimit_pass(p->conf->told, buf_str(&b), now_ms))
		log_error("%.*s", (int)b.n, b.p);
	buf_free(&b);
}

static void
on_expired(struct ev_loop *loop, struct ev_periodic *w, int revents)
{
	struct permit *p = w->data;

	(void)revents;
	ev_periodic_stop(loop, w);
	p->events->expired(p->arg);
}

/* Of what it has granted. */
static enum permit_answer
read_expiry(struct permit *p)
{
	struct ev_loop *loop = p->conf->pool->loop;
	int64_t s;

	if (p->printed.failed || auth_expiry(buf_str(&p->printed), &s) != 0) {
		tell(p, COMMAND_EXITED, 0);
		return PERMIT_UNSURE;
	}
	if (s == INT64_MAX)
		return PERMIT_GRANTED;
	if ((double)s <= ev_now(loop))
		return PERMIT_REFUSED;
	ev_periodic_set(&p->expiry, (double)s, 0., NULL);
	p->expiry.data = p;
	ev_periodic_start(loop, &p->expiry);
	p->expires = true;
	return PERMIT_GRANTED;
}

static enum permit_answer
read_answer(struct permit *p, enum command_end end, int code)
{
	if (end == COMMAND_EXITED && code == 0)
		return read_expiry(p);
	if (end == COMMAND_EXITED && code == 1)
		return PERMIT_REFUSED;
	tell(p, end, code);
	return PERMIT_UNSURE;
}

static void
on_ended(void *arg, enum command_end end, int code)
{
	struct permit *p = arg;
	enum permit_answer answer = read_answer(p, end, code);

	buf_free(&p->printed);
	p->events->answered(p->arg, answer);
}

static void
on_output(void *arg, const char *text, size_t n)
{
	struct permit *p = arg;

	buf_add(&p->printed, text, n);
}

/* ---- The question ---- */

/* All cookies, as a browser sends them that does so in one line. */
static void
join_cookies(struct buf *b, const struct http_request *req)
{
	for (size_t i = 0; i < req->nfields; i++) {
		const struct http_field *f = &req->fields[i];
		if (!str_ieq(f->name, STR("Cookie")))
			continue;
		if (b->n > 0)
			buf_addz(b, "; ");
		buf_adds(b, f->value);
	}
}

/* One a line. */
static void
add_lines(struct buf *b, struct str channels)
{
	for (size_t i = 0; i < channels.n; i++)
		buf_addc(b, channels.p[i] == '\0' ? '\n' : channels.p[i]);
}

static int
start(struct permit *p, const struct permit_request *about, struct str token,
    struct str cookies)
{
	static const struct command_times times = {TIMEOUT_MS, TIMEOUT_MS, 0};
	static const struct command_events events = {on_output, on_ended};
	const struct http_request *req = about->req;
	struct buf channels;
	int result;

	buf_init(&channels, about->channels.n);
	add_lines(&channels, about->channels);
	result = command_start(&p->command, p->conf->pool, p->conf->command,
	    (struct command_var[]){
		{"METHOD", str_c(http_method_name(req->method)), false},
		{"CHANNEL", buf_str(&channels), true},
		{"TOKEN", token, false},
		{"REMOTE_ADDR", about->peer, false},
		{"ORIGIN", access_origin(req), false},
		{"COOKIE", cookies, false},
		{NULL, {NULL, 0}, false},
	    },
	    &times, &events, p);
	buf_free(&channels);
	return result;
}

int
permit_start(struct permit *p, const struct permit_conf *conf,
    const struct permit_request *about, const struct permit_events *events,
    void *arg)
{
	struct buf token, cookies;
	int result;

	memset(p, 0, sizeof(*p));
	p->conf = conf;
	p->events = events;
	p->arg = arg;
	ev_init(&p->expiry, on_expired);
	buf_init(&p->printed, PRINTED_MAX);
	buf_init(&token, AUTH_TOKEN_MAX);
	buf_init(&cookies, COOKIE_MAX);
	(void)auth_find(about->req, about->access->cookie, &token);
	join_cookies(&cookies, about->req);
	result = start(p, about, buf_str(&token), buf_str(&cookies));
	if (result != 0)
		tell(p, COMMAND_FAILED, errno);
	buf_wipe(&token);
	buf_wipe(&cookies);
	return result;
}

bool
permit_expires(const struct permit *p)
{
	return p->expires;
}

void
permit_stop(struct permit *p)
{
	if (p->conf == NULL)
		return;
	command_stop(&p->command);
	ev_periodic_stop(p->conf->pool->loop, &p->expiry);
	buf_free(&p->printed);
}
