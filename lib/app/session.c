#include "app/session_impl.h"

#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PEER_MAX = 128,
	/* Of the names in the log, where a line has an end. */
	SHOWN_MAX = 512,
};

/* For a request that is on its way when the session is to end. */
enum { LAST_MS = 1000 };

/* ---- Events of the client ---- */

void
session_input(void *arg, const char *p, size_t n)
{
	struct session *s = arg;

	if (s->phase == SESSION_HEAD && n == 0)
		session_head_end(s, 400, "the request is incomplete");
	else if (s->phase == SESSION_HEAD)
		session_head_input(s, p, n);
	else if (s->phase == SESSION_ASKING)
		session_head_keep(s, p, n);
	else if (s->phase == SESSION_POST)
		post_input(s->as.post, p, n);
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
		session_head_end(s, 408, "the request took too long");
	else if (s->phase == SESSION_POST)
		post_late(s->as.post);
}

static void
add_channels(struct buf *b, struct str channels)
{
	struct str name = str_cut(channels, '\0', &channels);

	buf_adds(b, name);
	while (channels.p != NULL) {
		name = str_cut(channels, '\0', &channels);
		if (b->n + name.n > SHOWN_MAX) {
			buf_addz(b, ",...");
			return;
		}
		buf_addc(b, ',');
		buf_adds(b, name);
	}
}

/* `PEER CHANNELS REASON BYTES EVENTS GAPS DURATION` */
static void
log_end(const struct session *s)
{
	const struct client *c = &s->client;
	bool stream = s->phase == SESSION_STREAM;
	struct str peer = s->peer.n > 0 ? s->peer : STR("-");
	struct buf channels;
	char status[16];

	buf_init(&channels, 2 * SHOWN_MAX);
	add_channels(&channels, s->channels.n > 0 ? s->channels : STR("-"));
	snprintf(status, sizeof(status), "%d", c->status);
	log_info("%.*s %.*s %s %lluB %" PRIu64 " events %" PRIu64 " gaps %.1fs",
	    (int)peer.n, peer.p, (int)channels.n, channels.p,
	    c->reason != NULL ? c->reason : status, c->conn.sent_bytes,
	    stream ? s->as.stream.events : 0, stream ? s->as.stream.gaps : 0,
	    ev_now(s->env->loop) - s->began);
	buf_free(&channels);
}

static void
count_end(const struct session *s)
{
	struct stats *t = s->env->stats;

	session_tally(s, t);
	stats_end(t, s->client.reason);
	if (s->phase == SESSION_POST)
		post_count_end(s->as.post, t);
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
	    session_input, on_drained, on_late, on_ended};
	struct buf peer;

	memset(s, 0, sizeof(*s));
	s->env = env;
	s->events = events;
	s->arg = arg;
	s->began = ev_now(env->loop);
	buf_init(&s->as.head, HTTP_HEAD_MAX + SESSION_READ_MAX);
	buf_init(&peer, PEER_MAX);
	sock_peer(rfd, &peer);
	s->peer = buf_take(&peer);
	env->stats->accepted++;
	client_init(
	    &s->client, env->loop, rfd, wfd, env->stall_ms, &client_events, s);
	client_deadline(&s->client, env->request_ms);
}

static void
end_post(struct post *p)
{
	post_stop(p);
	free(p);
}

void
session_free(struct session *s)
{
	if (s->phase == SESSION_STREAM)
		stream_stop(&s->as.stream);
	else if (s->phase == SESSION_POST)
		end_post(s->as.post);
	else if (s->phase == SESSION_READY)
		health_stop(&s->as.health);
	else if (s->phase == SESSION_HEAD || s->phase == SESSION_ASKING)
		buf_wipe(&s->as.head);
	session_drop_permit(s);
	client_free(&s->client);
	buf_give_back(s->peer);
	buf_give_back(s->channels);
}

void
session_stop(struct session *s)
{
	if (s->phase == SESSION_HEAD || s->phase == SESSION_ASKING)
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
	} else if (s->phase == SESSION_HEAD || s->phase == SESSION_ASKING) {
		s->ended = reason;
		s->ended_ms = retry_ms;
		if (s->phase == SESSION_HEAD)
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
	} else if (s->phase == SESSION_POST) {
		post_tally(s->as.post, t);
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
