#include "app/post_impl.h"

#include "base/log.h"
#include "base/num.h"
#include "wire/json_string.h"
#include "wire/utf8.h"

#include <string.h>

enum { ANSWER_MAX = 16 << 10 };

/* ---- What Redis says ---- */

/* The stream that begins with it. It may be trimmed already. */
static void
add_location(struct buf *b, const struct msg *m)
{
	char before[ID_TEXT];

	buf_addz(b, "events");
	if (!m->has_id)
		return;
	id_format(before, id_prev(m->id));
	buf_addf(b, "?last_event_id=%s", before);
}

void
post_add_receipt(struct buf *b, const struct post *p, const struct msg *m)
{
	char id[ID_TEXT];

	buf_addc(b, '{');
	if (m->has_id) {
		id_format(id, m->id);
		buf_addf(b, "\"streamId\":\"%s\",", id);
	}
	buf_addz(b, "\"messageId\":");
	json_quote(b, m->mid);
	buf_addz(b, ",\"channel\":");
	json_quote(b, p->channel);
	buf_addz(b, "}\n");
}

static void
answer_stored(struct post *p, int status, const struct msg *m)
{
	struct buf body, location;
	struct client_field fields[] = {{"Cache-Control", STR("no-store")},
	    {"Location", {NULL, 0}}, {NULL, {NULL, 0}}};

	buf_init(&body, ANSWER_MAX);
	buf_init(&location, ANSWER_MAX);
	post_add_receipt(&body, p, m);
	add_location(&location, m);
	fields[1].value = buf_str(&location);
	client_answer(p->client,
	    &(struct client_answer){
		status, "application/json", buf_str(&body), fields});
	buf_free(&body);
	buf_free(&location);
}

void
post_count_stored(struct post *p, const struct publish_result *res)
{
	p->stored += !res->before;
	p->repeated += res->before;
}

const struct post_outcome post_outcomes[] = {
    [PUBLISH_STORED] = {202, NULL},
    [PUBLISH_MISSING] = {404, "no such channel"},
    [PUBLISH_REFUSED] = {500, "this channel takes no message"},
    [PUBLISH_FAILED] = {503, "Redis is not available: nothing was stored"},
    [PUBLISH_UNSURE] = {503, "Redis has not answered: it may have been stored"},
};

static void
answer_one(
    struct post *p, const struct msg *m, const struct publish_result *res)
{
	const struct post_outcome *o = &post_outcomes[res->end];

	if (res->end == PUBLISH_STORED) {
		post_count_stored(p, res);
		answer_stored(p, res->before ? 200 : o->status, m);
	} else {
		p->refused++;
		client_refuse(p->client, o->status, o->text);
	}
}

static void
on_result(void *arg, const struct msg *m, const struct publish_result *res)
{
	struct post *p = arg;

	if (res->why != NULL &&
	    ratelimit_pass(
		p->conf->told, str_c(res->why), client_now(p->client) * 1000))
		log_warn("%s", res->why);
	p->waiting--;
	if (p->lines != NULL)
		post_lines_result(p, m, res);
	else
		answer_one(p, m, res);
}

/* ---- How many messages a peer may store ---- */

static int64_t
now_ms(const struct post *p)
{
	return (int64_t)(ev_now(p->client->conn.loop) * 1000.);
}

/* Clients of a unix socket have no address to be told apart by. */
static bool
has_quota(const struct post *p)
{
	return p->conf->rate.n > 0 && p->peer.n > 0 &&
	    !str_eq(p->peer, STR("-"));
}

static void
refuse_rate(struct post *p, int64_t ms)
{
	if (ms < 0)
		client_refuse(p->client, 413,
		    "more messages than may be stored at a time");
	else
		client_refuse_busy(
		    p->client, "too many messages", (unsigned)ms);
}

bool
post_may_store(struct post *p, uint64_t n)
{
	const struct post_conf *conf = p->conf;
	int64_t ms;

	if (!has_quota(p))
		return true;
	ms = quota_take(conf->quota, &conf->rate, p->peer, n, now_ms(p));
	if (ms != 0)
		refuse_rate(p, ms);
	return ms == 0;
}

int
post_hand_on(struct post *p, struct msg *m)
{
	m->channel = p->channel;
	m->ts_ms = -1;
	/* A member that is empty is as good as none. */
	if (m->event.n == 0)
		m->event = str_c(NULL);
	if (m->mid.n == 0)
		m->mid = str_c(NULL);
	if (p->conf->once && m->mid.p != NULL
		? publish_add_once(p->conf->publish, m, m->mid, on_result, p) <
		    0
		: publish_add(p->conf->publish, m, on_result, p) < 0)
		return -1;
	p->waiting++;
	return 0;
}

static void
store_one(struct post *p)
{
	const char *why = p->type->read(p);
	struct msg m = {.data = buf_str(&p->body),
	    .event = buf_str(&p->event),
	    .mid = buf_str(&p->mid)};

	if (why == NULL && !msg_event_ok(m.event))
		why = "bad event";
	if (why == NULL && !utf8_valid(m.mid))
		why = "bad message id";
	if (why != NULL)
		client_refuse(p->client, 400, why);
	else if (post_hand_on(p, &m) != 0)
		client_refuse_now(p->client, "out of memory");
	else
		publish_flush(p->conf->publish);
}

/* ---- The body ---- */

static void
store(struct post *p)
{
	p->done = true;
	client_deadline(p->client, 0);
	if (p->type->read == NULL)
		post_lines_store(p);
	else if (post_may_store(p, 1))
		store_one(p);
	buf_free(&p->body);
}

static void
refuse_size(struct post *p)
{
	char text[64] = "too large: more than ";

	num_format(text + strlen(text), p->conf->max_size);
	strcat(text, " bytes");
	client_refuse(p->client, 413, text);
}

static void
take_chunks(struct post *p, const char *data, size_t n)
{
	bool done;
	long used = chunked_take(&p->chunks, data, n, &p->body, &done);

	if (p->body.failed)
		refuse_size(p);
	else if (used < 0)
		client_refuse(p->client, 400, "malformed chunk");
	else if (done)
		store(p);
}

void
post_input(struct post *p, const char *data, size_t n)
{
	size_t wanted = (size_t)p->length - p->body.n;

	if (p->done) {
		client_discard(p->client, n);
	} else if (n == 0) {
		client_refuse(p->client, 400, "the body is incomplete");
	} else if (p->chunked) {
		take_chunks(p, data, n);
	} else if (buf_add(&p->body, data, n < wanted ? n : wanted) != 0) {
		client_refuse_now(p->client, "out of memory");
	} else if (n >= wanted) {
		store(p);
	}
}

void
post_late(struct post *p)
{
	client_refuse(p->client, 408, "the body took too long");
}

/* ---- The head ---- */

/* The message id in the head; false: there are two, or it is too long. */
static bool
read_mid(struct post *p, const struct http_request *req)
{
	size_t n = 0;

	for (size_t i = 0; i < req->nfields; i++)
		if (str_ieq(req->fields[i].name, STR("Idempotency-Key"))) {
			buf_adds(&p->mid, req->fields[i].value);
			n++;
		}
	return n <= 1 && !p->mid.failed;
}

/* Refuse what can be told by the head; true: it is answered. */
static bool
refuse_head(struct post *p, const struct http_request *req)
{
	struct client *c = p->client;
	int64_t ms = 0;

	if (p->type == NULL) {
		client_refuse(c, 415, post_type_wanted);
	} else if (!req->chunked && req->length < 0) {
		client_refuse(c, 411, "Content-Length is required");
	} else if (req->length > 0 &&
	    (uint64_t)req->length > p->conf->max_size) {
		refuse_size(p);
	} else if (!read_mid(p, req)) {
		client_refuse(c, 400, "bad Idempotency-Key");
	} else if (has_quota(p) &&
	    (ms = quota_wait(
		 p->conf->quota, &p->conf->rate, p->peer, 1, now_ms(p))) != 0) {
		refuse_rate(p, ms);
	} else {
		return false;
	}
	return true;
}

void
post_start(struct post *p, struct client *c, const struct post_conf *conf,
    const struct http_request *req, const struct route *r, struct str peer)
{
	memset(p, 0, sizeof(*p));
	p->client = c;
	p->conf = conf;
	p->channel = r->channels;
	p->peer = peer;
	p->type = post_type_find(req);
	p->chunked = req->chunked;
	p->length = req->length;
	buf_init(&p->body, (size_t)conf->max_size);
	buf_init(&p->event, HTTP_LINE_MAX);
	buf_init(&p->mid, POST_MID_MAX);
	buf_adds(&p->event, buf_str(&r->event));
	if (refuse_head(p, req))
		return;
	client_deadline(c, conf->timeout_ms);
	if (!req->has_body)
		store(p);
	else if (req->expect)
		client_write(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* ---- ---- */

void
post_tally(const struct post *p, struct stats *t)
{
	bool none = p->stored + p->repeated + p->refused == 0;

	t->posts[STATS_STORED] += p->stored;
	t->posts[STATS_REPEATED] += p->repeated;
	t->posts[STATS_REFUSED] += p->refused;
	if (none && p->client->status != 0)
		t->posts[STATS_REFUSED]++;
}

void
post_count_end(const struct post *p, struct stats *t)
{
	if (p->client->status == 0)
		t->posts[STATS_ABANDONED] += p->waiting > 0 ? p->waiting : 1;
}

void
post_stop(struct post *p)
{
	publish_forget(p->conf->publish, p);
	post_lines_free(p->lines);
	buf_free(&p->body);
	buf_free(&p->event);
	buf_free(&p->mid);
}
