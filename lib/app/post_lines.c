/*
 * The part of app/post for many messages in one body: each line that is not
 * blank is an envelope, and its answer is a line, too, in the same order. A bad
 * one does not keep the others from being stored.
 */
#include "app/post_impl.h"

#include "wire/chars.h"
#include "wire/json_string.h"
#include "wire/utf8.h"

#include <stdlib.h>

enum {
	LINES_MAX = 1000,
	/* Of the answer to one: a channel and an id, escaped, and a frame. */
	RECEIPT_MAX = 4096,
};

struct line {
	size_t nr;       /* from 1; blank ones count */
	const char *why; /* it cannot be stored; NULL: it was handed on */
	int status;      /* of that */
};

struct post_lines {
	struct buf answer;
	int worst;    /* status of a line that was not stored; 0: none */
	size_t n, at; /* at: the first that is not answered */
	struct line line[];
};

/* ---- The lines of a body ---- */

struct walk {
	struct str rest, line;
	size_t nr;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* To the next that is not blank; false at the end. */
static bool
step(struct walk *w)
{
	while (w->rest.p != NULL) {
		w->line = str_cut(w->rest, '\n', &w->rest);
		w->nr++;
		if (chars_span(w->line, is_blank) < w->line.n)
			return true;
	}
	return false;
}

static size_t
count(struct str body)
{
	struct walk w = {.rest = body};
	size_t n = 0;

	while (step(&w))
		n++;
	return n;
}

/* ---- Answers ---- */

static void
add_error(struct post *p, int status, const char *text)
{
	struct post_lines *l = p->lines;
	struct buf *b = &l->answer;

	buf_addz(b, "{\"error\":");
	json_quote(b, str_c(text));
	buf_addf(b, ",\"line\":%zu}\n", l->line[l->at++].nr);
	if (status > l->worst)
		l->worst = status;
	p->refused++;
}

/*
 * 202: all are stored, or 200, have been before. 207: some are. Else the worst
 * that befell one.
 */
static void
answer(struct post *p)
{
	static const struct client_field fields[] = {
	    {"Cache-Control", {"no-store", 8}}, {NULL, {NULL, 0}}};
	struct post_lines *l = p->lines;
	int status = p->stored == 0 && p->repeated > 0 ? 200 : 202;

	if (l->worst > 0)
		status = p->stored + p->repeated > 0 ? 207 : l->worst;
	client_answer(p->client,
	    &(struct client_answer){
		status, "application/x-ndjson", buf_str(&l->answer), fields});
}

/* Up to the next one that waits for Redis. */
static void
go_on(struct post *p)
{
	struct post_lines *l = p->lines;

	while (l->at < l->n && l->line[l->at].why != NULL)
		add_error(p, l->line[l->at].status, l->line[l->at].why);
	if (l->at == l->n)
		answer(p);
}

void
post_lines_result(
    struct post *p, const struct msg *m, const struct publish_result *res)
{
	const struct post_outcome *o = &post_outcomes[res->end];
	struct post_lines *l = p->lines;

	if (res->end == PUBLISH_STORED) {
		post_add_receipt(&l->answer, p, m);
		post_count_stored(p, res);
		l->at++;
	} else {
		add_error(p, o->status, o->text);
	}
	go_on(p);
}

/* ---- Messages ---- */

static bool
is_text(const struct msg *m)
{
	for (size_t i = 0; i < m->nfields; i++)
		if (!utf8_valid(m->fields[i].name) ||
		    !utf8_valid(m->fields[i].value))
			return false;
	return true;
}

static const char *
check(const struct post *p, const struct msg *m)
{
	if (m->channel.p != NULL && !str_eq(m->channel, p->channel))
		return "of another channel";
	if (m->data.p == NULL)
		return "no data";
	if (m->mid.n > POST_MID_MAX)
		return "bad message id";
	return is_text(m) ? NULL : "not valid UTF-8";
}

static struct line
hand_on(struct post *p, struct msg_space *space, const struct walk *w)
{
	struct str field = p->conf->publish->conf->field;
	struct line l = {.nr = w->nr, .status = 400};
	struct msg m;

	if (msg_from_json(&m, space, w->line, field, &l.why) != 0)
		return l;
	l.why = check(p, &m);
	if (l.why != NULL)
		return l;
	if (m.event.n == 0)
		m.event = buf_str(&p->event);
	if (post_hand_on(p, &m) != 0) {
		l.status = 503;
		l.why = "out of memory";
	}
	return l;
}

static void
store(struct post *p, size_t n)
{
	struct walk w = {.rest = buf_str(&p->body)};
	struct post_lines *l = calloc(1, sizeof(*l) + n * sizeof(*l->line));
	struct msg_space space;

	p->lines = l;
	if (l == NULL) {
		client_refuse_now(p->client, "out of memory");
		return;
	}
	buf_init(&l->answer, n * RECEIPT_MAX);
	msg_space_init(&space, p->body.n);
	while (step(&w))
		l->line[l->n++] = hand_on(p, &space, &w);
	msg_space_free(&space);
	publish_flush(p->conf->publish);
	go_on(p);
}

void
post_lines_store(struct post *p)
{
	size_t n = count(buf_str(&p->body));

	if (n == 0)
		client_refuse(p->client, 400, "there is no message");
	else if (n > LINES_MAX)
		client_refuse(p->client, 413, "more than 1000 messages");
	else if (p->mid.n > 0)
		client_refuse(p->client, 400,
		    "a message id belongs to one message: give it as mid");
	else if (post_may_store(p, n))
		store(p, n);
}

void
post_lines_free(struct post_lines *l)
{
	if (l != NULL)
		buf_free(&l->answer);
	free(l);
}
