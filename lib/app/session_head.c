/* The part of app/session up to the answer: what is asked, and may it be? */
#include "app/session_impl.h"

#include "app/page.h"

#include <stdlib.h>

/* When to come back who may not stay. */
enum { EXPIRED_MS = 2000 };

/* ---- What was asked for ---- */

static void
answer_ok(struct client *c)
{
	client_answer(c,
	    &(struct client_answer){.status = 200,
		.body = STR("ok\n"),
		.fields = (struct client_field[]){
		    {"Cache-Control", STR("no-store")}, {NULL, {NULL, 0}}}});
}

static void
answer_options(struct client *c, const char *allow)
{
	client_answer(c,
	    &(struct client_answer){.status = 204,
		.fields = (struct client_field[]){
		    {"Allow", str_c(allow)}, {NULL, {NULL, 0}}}});
}

static void
start_post(
    struct session *s, const struct http_request *req, const struct route *r)
{
	s->as.post = malloc(sizeof(*s->as.post));
	if (s->as.post == NULL) {
		client_refuse_now(&s->client, "out of memory");
		return;
	}
	s->phase = SESSION_POST;
	post_start(s->as.post, &s->client, &s->env->post, req, r, s->peer);
}

static void
start(struct session *s, const struct http_request *req, const struct route *r)
{
	struct client *c = &s->client;

	s->phase = SESSION_OTHER;
	switch (r->kind) {
	case ROUTE_EVENTS:
		if (s->declined_ms > 0) {
			s->env->stats->declined++;
			stream_decline(c, r, s->declined_ms);
			break;
		}
		s->phase = SESSION_STREAM;
		stream_start(&s->as.stream, c, &s->env->stream, r);
		if (s->ended != NULL)
			session_end(s, s->ended_ms, s->ended);
		break;
	case ROUTE_MESSAGES:
		start_post(s, req, r);
		break;
	case ROUTE_READY:
		if (s->env->stopping) {
			client_refuse_now(c, "this server stops");
			break;
		}
		s->phase = SESSION_READY;
		health_start(&s->as.health, c, s->env->stream.hub);
		break;
	case ROUTE_PAGE:
		page_answer(c, s->env->page);
		break;
	case ROUTE_METRICS:
	case ROUTE_STATS:
		s->env->report(s->env->report_arg, c, r);
		break;
	case ROUTE_LIVE:
	case ROUTE_SERVER:
		answer_ok(c);
		break;
	}
}

/* status and why are what route_find says. */
static void
answer(struct session *s, const struct http_request *req, const struct route *r,
    int status, const char *why)
{
	struct client *c = &s->client;

	if (status == 405)
		client_refuse_method(c, r->allow);
	else if (status != 0)
		client_refuse(c, status, why);
	else if (req->has_body && req->method != HTTP_POST)
		client_refuse(c, 400, "this request may not have a body");
	else if (req->method == HTTP_OPTIONS)
		answer_options(c, r->allow);
	else
		start(s, req, r);
}

/* ---- Whether it may be answered ---- */

static void take_head(struct session *s);

void
session_drop_permit(struct session *s)
{
	if (s->permit != NULL)
		permit_stop(s->permit);
	free(s->permit);
	s->permit = NULL;
}

/* What has come meanwhile follows. */
static void
go_on(struct session *s)
{
	conn_read(&s->client.conn, true);
	take_head(s);
	if (s->no_more && s->client.state == CLIENT_OPEN)
		session_input(s, "", 0);
}

static void
on_permit(void *arg, enum permit_answer answer)
{
	struct session *s = arg;

	if (!permit_expires(s->permit))
		session_drop_permit(s);
	if (s->client.state != CLIENT_OPEN)
		return;
	switch (answer) {
	case PERMIT_GRANTED:
		go_on(s);
		break;
	case PERMIT_REFUSED:
		client_refuse(&s->client, 403, "not allowed");
		break;
	case PERMIT_UNSURE:
		client_refuse_now(
		    &s->client, "nobody can tell whether this is allowed");
		break;
	}
}

static void
on_expired(void *arg)
{
	struct session *s = arg;

	session_end(s, backoff_jitter(s->env->stream.random, EXPIRED_MS, 25),
	    "expired");
}

static void
ask(struct session *s, const struct http_request *req, const struct route *r)
{
	static const struct permit_events events = {on_permit, on_expired};
	const struct permit_request about = {
	    s->env->access, req, r->channels, s->peer};

	s->phase = SESSION_ASKING;
	s->permit = malloc(sizeof(*s->permit));
	if (s->permit == NULL ||
	    permit_start(s->permit, &s->env->permit, &about, &events, s) != 0)
		client_refuse_now(
		    &s->client, "nobody can be asked whether this is allowed");
}

/* false: it is answered, or waits until it may be. */
static bool
may_pass(
    struct session *s, const struct http_request *req, const struct route *r)
{
	const struct access *a = s->env->access;

	if (access_preflight(a, &s->client, req) ||
	    access_refuse(a, &s->client, req, r))
		return false;
	if (s->env->permit.command == NULL || access_is_open(r))
		return true;
	ask(s, req, r);
	return false;
}

/* The channels are kept as long as the session. */
static void
handle(struct session *s, const struct http_request *req)
{
	bool asked = s->phase == SESSION_ASKING;
	const char *why = NULL;
	struct route r;
	int status = route_find(&r, req, &s->env->routes, &why);

	s->client.head_only = req->method == HTTP_HEAD;
	s->phase = SESSION_OTHER;
	if (asked || may_pass(s, req, &r))
		answer(s, req, &r, status, why);
	buf_give_back(s->channels);
	s->channels = r.channels;
	r.channels = str_c(NULL);
	route_free(&r);
}

/* ---- The head ---- */

static void
meet(struct session *s, const struct http_request *req, bool whole)
{
	const struct access *a = s->env->access;

	access_greet(a, &s->client, req);
	if (!whole || !a->trust_forwarded)
		return;
	access_peer(req, &s->peer);
	if (s->events->peer != NULL)
		s->events->peer(s->arg);
}

/*
 * Once it is whole, and again once the command has allowed what it asks for.
 * What answers it takes its place.
 */
static void
take_head(struct session *s)
{
	struct client *c = &s->client;
	struct buf head = s->as.head;
	struct http_request req;
	const char *why = NULL;
	int used = http_request(&req, head.p, head.n, &why);

	if (used == 0)
		return;
	client_deadline(c, 0);
	if (s->phase == SESSION_HEAD)
		meet(s, &req, used > 0);
	if (c->state == CLIENT_OPEN && used > 0)
		handle(s, &req);
	else
		s->phase = SESSION_OTHER;
	if (s->phase == SESSION_ASKING)
		return;
	if (used < 0)
		client_refuse(c, -used, why);
	if (c->state == CLIENT_OPEN && (size_t)used < head.n)
		session_input(s, head.p + used, head.n - (size_t)used);
	buf_wipe(&head);
}

void
session_head_input(struct session *s, const char *p, size_t n)
{
	if (buf_add(&s->as.head, p, n) != 0)
		client_refuse_now(&s->client, "out of memory");
	else
		take_head(s);
}

/* Who has sent nothing gets nothing: it may be a browser's spare connection. */
void
session_head_end(struct session *s, int status, const char *why)
{
	if (s->as.head.n == 0)
		client_drop(
		    &s->client, s->ended != NULL ? s->ended : "no-request");
	else
		client_refuse(&s->client, status, why);
}

/* While the command is asked; what is too much waits in the kernel. */
void
session_head_keep(struct session *s, const char *p, size_t n)
{
	struct buf *b = &s->as.head;

	s->no_more = n == 0;
	if (buf_add(b, p, n) != 0)
		client_refuse_now(&s->client, "out of memory");
	else if (b->n > b->max - SESSION_READ_MAX)
		conn_read(&s->client.conn, false);
}
