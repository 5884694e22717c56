#include "app/client.h"

#include "base/num.h"
#include "io/sock.h"
#include "wire/http.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
	ANSWER_MAX = 4 << 20,
	UNWANTED_MAX = 64 << 10, /* bytes beside the request */
	LINGER_MAX = 1 << 20,    /* bytes after the answer */
	LINGER_MS = 1000,
	STALL_CHECKS = 4,
};

#define RETRY_AFTER "5" /* s */

static void watch_stall(struct client *c);

/* ---- The end ---- */

/* A deadline is stricter than watching for a stall, and takes its place. */
static void
set_timer(struct client *c, double s)
{
	c->stalling = false;
	ev_timer_stop(c->conn.loop, &c->timer);
	ev_timer_set(&c->timer, s, 0.);
	ev_timer_start(c->conn.loop, &c->timer);
}

/* The timer calls `ended` once nobody up the stack uses us any more. */
void
client_drop(struct client *c, const char *reason)
{
	if (c->state == CLIENT_CLOSED)
		return;
	if (c->reason == NULL)
		c->reason = reason;
	c->state = CLIENT_CLOSED;
	conn_read(&c->conn, false);
	set_timer(c, 0.);
}

/* A pipe loses nothing by being closed; nor do we, who have read all. */
static void
linger(struct client *c)
{
	if (c->conn.wkind != CONN_SOCKET || c->conn.eof) {
		client_drop(c, NULL);
		return;
	}
	c->state = CLIENT_LINGERING;
	c->dropped_bytes = 0;
	sock_finish(c->conn.wfd);
	conn_read(&c->conn, true);
	set_timer(c, LINGER_MS / 1000.);
}

void
client_finish(struct client *c, const char *reason)
{
	if (c->state != CLIENT_OPEN)
		return;
	c->reason = reason;
	client_deadline(c, 0);
	if (client_is_full(c)) {
		c->state = CLIENT_FLUSHING;
		watch_stall(c);
	} else {
		linger(c);
	}
}

/*
 * The connection failed. The kernel may give up a client that takes nothing
 * before we do (TCP_USER_TIMEOUT).
 */
static void
lost(struct client *c, int err)
{
	c->error = err;
	if (c->state == CLIENT_LINGERING)
		client_drop(c, NULL);
	else if (err == ENOBUFS)
		client_drop(c, "too-much-output");
	else
		client_drop(c, err == ETIMEDOUT ? "stalled" : "client-gone");
}

/* ---- Events of the connection and of time ---- */

static void
on_input(void *arg, const char *p, size_t n)
{
	struct client *c = arg;

	if (c->state == CLIENT_OPEN)
		c->events->input(c->arg, p, n);
	else if (n > 0)
		client_discard(c, n);
	else if (c->state == CLIENT_LINGERING)
		client_drop(c, NULL);
}

static void
on_drained(void *arg)
{
	struct client *c = arg;

	if (c->stalling)
		client_deadline(c, 0);
	if (c->state == CLIENT_FLUSHING)
		linger(c);
	else if (c->state == CLIENT_OPEN)
		c->events->drained(c->arg);
}

static void
on_gone(void *arg, int err)
{
	struct client *c = arg;

	lost(c, err);
}

/*
 * What the client has taken, as far as the kernel knows: not what waits in a
 * socket (tcp(7), SIOCOUTQ by its other name) or in a pipe. A socket is ready
 * for more only when a third of its buffer is free, which may take a slow
 * client minutes.
 */
static unsigned long long
taken(const struct client *c)
{
	int waiting = 0;

	if (ioctl(c->conn.wfd, TIOCOUTQ, &waiting) != 0)
		(void)ioctl(c->conn.wfd, FIONREAD, &waiting);
	return c->conn.sent_bytes - (unsigned long long)waiting;
}

static void
check_stall(struct client *c)
{
	unsigned long long now = taken(c);

	if (now != c->taken)
		c->checks = 0;
	else if (++c->checks >= STALL_CHECKS)
		client_drop(c, "stalled");
	c->taken = now;
}

static void
watch_stall(struct client *c)
{
	if (c->stall_ms == 0 || ev_is_active(&c->timer))
		return;
	c->stalling = true;
	c->checks = 0;
	c->taken = taken(c);
	c->timer.repeat = c->stall_ms / 1000. / STALL_CHECKS;
	ev_timer_again(c->conn.loop, &c->timer);
}

static void
on_time(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct client *c = w->data;

	(void)loop;
	(void)revents;
	if (c->stalling)
		check_stall(c);
	else if (c->state == CLIENT_CLOSED)
		c->events->ended(c->arg);
	else if (c->state == CLIENT_LINGERING)
		client_drop(c, NULL);
	else if (c->state == CLIENT_OPEN)
		c->events->late(c->arg);
}

void
client_init(struct client *c, struct ev_loop *loop, int rfd, int wfd,
    int64_t stall_ms, const struct client_events *events, void *arg)
{
	static const struct conn_events conn_events = {
	    on_input, on_drained, on_gone};

	memset(c, 0, sizeof(*c));
	c->events = events;
	c->arg = arg;
	c->stall_ms = stall_ms < INT32_MAX ? (int)stall_ms : 0;
	ev_init(&c->timer, on_time);
	c->timer.data = c;
	conn_init(&c->conn, loop, rfd, wfd, CLIENT_KEEP_MAX, &conn_events, c);
	conn_read(&c->conn, true);
	/* A socket says it by its input. */
	if (rfd != wfd && !sock_same(rfd, wfd))
		conn_watch_gone(&c->conn);
}

void
client_free(struct client *c)
{
	if (c->conn.loop == NULL)
		return;
	ev_timer_stop(c->conn.loop, &c->timer);
	conn_free(&c->conn);
	buf_give_back(c->fields);
}

void
client_deadline(struct client *c, int64_t ms)
{
	if (c->state != CLIENT_OPEN)
		return;
	c->stalling = false;
	if (ms == 0 || ms == NUM_INF)
		ev_timer_stop(c->conn.loop, &c->timer);
	else
		set_timer(c, (double)ms / 1000.);
}

int64_t
client_now(const struct client *c)
{
	return (int64_t)ev_now(c->conn.loop);
}

/* ---- Writing ---- */

bool
client_is_full(const struct client *c)
{
	return conn_is_full(&c->conn);
}

ssize_t
client_sent(struct client *c, ssize_t n)
{
	if (c->state != CLIENT_OPEN)
		return -1;
	if (n < 0)
		lost(c, errno);
	return n;
}

ssize_t
client_write_some(struct client *c, struct str s)
{
	if (c->state != CLIENT_OPEN)
		return -1;
	return client_sent(c, conn_write_some(&c->conn, s));
}

void
client_keep(struct client *c, struct str tail)
{
	if (conn_keep(&c->conn, tail) != 0)
		lost(c, errno);
	else
		watch_stall(c);
}

int
client_write(struct client *c, struct str s)
{
	ssize_t n = client_write_some(c, s);

	if (n < 0)
		return -1;
	if ((size_t)n < s.n)
		client_keep(c, str_from(s, (size_t)n));
	return c->state == CLIENT_OPEN ? client_is_full(c) : -1;
}

void
client_discard(struct client *c, size_t n)
{
	size_t max = c->state == CLIENT_OPEN ? UNWANTED_MAX : LINGER_MAX;

	c->dropped_bytes += n;
	if (c->dropped_bytes > max)
		client_drop(c, "too-much-input");
}

/* There is one head: what it took is not kept for the life of a stream. */
void
client_end_head(struct client *c, struct buf *head)
{
	buf_adds(head, c->fields);
	buf_give_back(c->fields);
	c->fields = str_c(NULL);
	http_end(head);
}

void
client_answer(struct client *c, const struct client_answer *a)
{
	const char *type =
	    a->type != NULL ? a->type : "text/plain; charset=utf-8";
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	http_begin(&b, a->status, client_now(c));
	if (a->body.p != NULL) {
		char length[NUM_TEXT];
		size_t n = num_format(length, a->body.n);
		http_add(&b, "Content-Type", str_c(type));
		http_add(&b, "Content-Length", str_n(length, n));
		http_add(&b, "X-Content-Type-Options", STR("nosniff"));
	}
	if (a->status == 503)
		http_add(&b, "Retry-After", STR(RETRY_AFTER));
	for (const struct client_field *f = a->fields;
	     f != NULL && f->name != NULL; f++)
		http_add(&b, f->name, f->value);
	client_end_head(c, &b);
	if (a->body.p != NULL && !c->head_only)
		buf_adds(&b, a->body);
	c->status = a->status;
	if (b.failed)
		client_drop(c, "too-much-output");
	else if (client_write(c, buf_str(&b)) >= 0)
		client_finish(c, NULL);
	buf_free(&b);
}

/* An error may otherwise be kept by a cache (RFC 9110 15.1: 404, 405 ...). */
static void
refuse(struct client *c, int status, const char *text, struct client_field more)
{
	struct client_field fields[] = {
	    {"Cache-Control", STR("no-store")}, more, {NULL, {NULL, 0}}};
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	buf_addf(&b, "%s\n", text);
	client_answer(c,
	    &(struct client_answer){
		.status = status, .body = buf_str(&b), .fields = fields});
	buf_free(&b);
}

void
client_refuse(struct client *c, int status, const char *text)
{
	refuse(c, status, text, (struct client_field){NULL, {NULL, 0}});
}

void
client_refuse_method(struct client *c, const char *allow)
{
	refuse(c, 405, "method not allowed",
	    (struct client_field){"Allow", str_c(allow)});
}

void
client_refuse_unknown(struct client *c)
{
	refuse(c, 401, "a token is needed",
	    (struct client_field){"WWW-Authenticate", STR("Bearer")});
}

void
client_refuse_now(struct client *c, const char *text)
{
	client_refuse(c, 503, text);
}

void
client_refuse_busy(struct client *c, const char *text, unsigned retry_ms)
{
	char seconds[NUM_TEXT];
	size_t n = num_format(seconds, retry_ms / 1000 + 1);

	refuse(c, 429, text,
	    (struct client_field){"Retry-After", str_n(seconds, n)});
}
