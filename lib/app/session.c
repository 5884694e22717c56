#include "app/session.h"

#include "app/page.h"
#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"
#include "wire/forwarded.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What one more read may add to a head that is still incomplete. */
enum { READ_MAX = 64 << 10, PEER_MAX = 128 };

/* For a request that is on its way when the session is to end. */
enum { LAST_MS = 1000 };

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
		s->phase = SESSION_POST;
		post_start(&s->as.post, c, &s->env->post, req, r);
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

/* The channel is kept as long as the session. */
static void
handle(struct session *s, const struct http_request *req)
{
	struct client *c = &s->client;
	const char *why = NULL;
	struct route r;
	int status = route_find(&r, req, &s->env->routes, &why);

	c->head_only = req->method == HTTP_HEAD;
	if (!access_preflight(s->env->access, c, req) &&
	    !access_refuse(s->env->access, c, req, &r))
		answer(s, req, &r, status, why);
	s->channel = r.channel;
	r.channel = str_c(NULL);
	route_free(&r);
}

/* ---- The head ---- */

static void on_input(void *arg, const char *p, size_t n);

/* Who the client is, as a proxy has it; a request without that is its own. */
static void
find_peer(struct session *s, const struct http_request *req)
{
	char address[FORWARDED_TEXT];
	size_t n = forwarded_for(address, req);
	struct buf peer;

	if (!s->env->access->trust_forwarded)
		return;
	if (n > 0) {
		buf_init(&peer, PEER_MAX);
		buf_add(&peer, address, n);
		buf_give_back(s->peer);
		s->peer = buf_take(&peer);
	}
	if (s->events->peer != NULL)
		s->events->peer(s->arg);
}

static void
read_head(struct session *s, const char *p, size_t n)
{
	struct buf head;
	struct http_request req;
	const char *why = NULL;
	int used;

	if (buf_add(&s->as.head, p, n) != 0) {
		client_refuse_now(&s->client, "out of memory");
		return;
	}
	head = s->as.head;
	used = http_request(&req, head.p, head.n, &why);
	if (used == 0)
		return;
	client_deadline(&s->client, 0);
	/* What answers it takes the place of the head. */
	s->phase = SESSION_OTHER;
	access_greet(s->env->access, &s->client, &req);
	if (used > 0)
		find_peer(s, &req);
	if (used < 0)
		client_refuse(&s->client, -used, why);
	else if (s->client.state == CLIENT_OPEN)
		handle(s, &req);
	if (s->client.state == CLIENT_OPEN && (size_t)used < head.n)
		on_input(s, head.p + used, head.n - (size_t)used);
	buf_wipe(&head);
}

/* Who has sent nothing gets nothing: it may be a browser's spare connection. */
static void
end_head(struct session *s, int status, const char *why)
{
	if (s->as.head.n == 0)
		client_drop(
		    &s->client, s->ended != NULL ? s->ended : "no-request");
	else
		client_refuse(&s->client, status, why);
}

/* ---- Events of the client ---- */

static void
on_input(void *arg, const char *p, size_t n)
{
	struct session *s = arg;

	if (s->phase == SESSION_HEAD && n == 0)
		end_head(s, 400, "the request is incomplete");
	else if (s->phase == SESSION_HEAD)
		read_head(s, p, n);
	else if (s->phase == SESSION_POST)
		post_input(&s->as.post, p, n);
	else if (s->phase == SESSION_STREAM && n == 0)
		stream_no_live(&s->as.stream);
	else
		client_discard(&s->client, n);
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	if (s->phase == SESSION_STREAM)
		stream_drained(&s->as.stream);
}

static void
on_late(void *arg)
{
	struct session *s = arg;

	if (s->phase == SESSION_HEAD)
		end_head(s, 408, "the request took too long");
	else if (s->phase == SESSION_POST)
		post_late(&s->as.post);
}

/* `PEER CHANNEL REASON BYTES EVENTS GAPS DURATION` */
static void
log_end(const struct session *s)
{
	const struct client *c = &s->client;
	bool stream = s->phase == SESSION_STREAM;
	struct str peer = s->peer.n > 0 ? s->peer : STR("-");
	struct str channel = s->channel.n > 0 ? s->channel : STR("-");
	char status[16];

	snprintf(status, sizeof(status), "%d", c->status);
	log_info("%.*s %.*s %s %lluB %" PRIu64 " events %" PRIu64 " gaps %.1fs",
	    (int)peer.n, peer.p, (int)channel.n, channel.p,
	    c->reason != NULL ? c->reason : status, c->conn.sent_bytes,
	    stream ? s->as.stream.events : 0, stream ? s->as.stream.gaps : 0,
	    ev_now(s->env->loop) - s->began);
}

static void
count_end(const struct session *s)
{
	struct stats *t = s->env->stats;

	session_tally(s, t);
	stats_end(t, s->client.reason);
	if (s->phase == SESSION_POST && s->client.status == 0)
		t->posts[STATS_ABANDONED]++;
}

static void
on_ended(void *arg)
{
	struct session *s = arg;

	log_end(s);
	count_end(s);
	s->events->ended(s->arg);
}

/* ---- ---- */

void
session_start(struct session *s, const struct session_env *env, int rfd,
    int wfd, const struct session_events *events, void *arg)
{
	static const struct client_events client_events = {
	    on_input, on_drained, on_late, on_ended};
	struct buf peer;

	memset(s, 0, sizeof(*s));
	s->env = env;
	s->events = events;
	s->arg = arg;
	s->began = ev_now(env->loop);
	buf_init(&s->as.head, HTTP_HEAD_MAX + READ_MAX);
	buf_init(&peer, PEER_MAX);
	sock_peer(rfd, &peer);
	s->peer = buf_take(&peer);
	env->stats->accepted++;
	client_init(
	    &s->client, env->loop, rfd, wfd, env->stall_ms, &client_events, s);
	client_deadline(&s->client, env->request_ms);
}

void
session_free(struct session *s)
{
	if (s->phase == SESSION_STREAM)
		stream_stop(&s->as.stream);
	else if (s->phase == SESSION_POST)
		post_stop(&s->as.post);
	else if (s->phase == SESSION_READY)
		health_stop(&s->as.health);
	else if (s->phase == SESSION_HEAD)
		buf_free(&s->as.head);
	client_free(&s->client);
	buf_give_back(s->peer);
	buf_give_back(s->channel);
}

void
session_stop(struct session *s)
{
	if (s->phase == SESSION_HEAD)
		client_drop(&s->client, "terminated");
	else if (s->phase == SESSION_STREAM)
		stream_finish(&s->as.stream, "terminated");
}

void
session_decline(struct session *s, unsigned retry_ms)
{
	s->declined_ms = retry_ms;
}

void
session_end(struct session *s, unsigned retry_ms, const char *reason)
{
	if (s->phase == SESSION_STREAM) {
		stream_end(&s->as.stream, retry_ms, reason);
	} else if (s->phase == SESSION_HEAD) {
		s->ended = reason;
		s->ended_ms = retry_ms;
		client_deadline(&s->client, LAST_MS);
	}
}

void
session_tally(const struct session *s, struct stats *t)
{
	int status = s->client.status;

	t->sent_bytes += s->client.conn.sent_bytes;
	if (status != 0)
		stats_answer(t, status);
	if (s->phase == SESSION_STREAM) {
		t->streams++;
		t->deliveries += s->as.stream.events;
	} else if (s->phase == SESSION_POST && status != 0) {
		t->posts[status == 202 ? STATS_STORED : STATS_REFUSED]++;
	}
}

void
session_outage(struct session *s)
{
	if (s->phase == SESSION_STREAM)
		stream_outage(&s->as.stream);
}

void
session_refused(struct session *s)
{
	if (s->phase == SESSION_STREAM)
		stream_refused(&s->as.stream);
}
