#include "app/stream.h"

#include "app/frame.h"
#include "base/log.h"
#include "base/num.h"
#include "wire/sse.h"

#include <math.h>
#include <string.h>

enum {
	RETRY_MS = 2000,
	RETRY_JITTER = 25, /* per cent */
	PATIENCE_S = 1,    /* with a Redis that has not said anything yet */
	HEAD_MAX = 8192,   /* the head and the first frames */
};

/* Timers and the clock do not agree to the last digit. */
#define EARLY_S 0.01

static unsigned
retry_ms(struct stream *st)
{
	return backoff_jitter(st->conf->random, RETRY_MS, RETRY_JITTER);
}

static double
now_s(const struct stream *st)
{
	return ev_now(st->client->conn.loop);
}

static int64_t
now_ms(const struct stream *st)
{
	return (int64_t)(now_s(st) * 1000.);
}

/* A trouble of the channel, which all of its clients may meet. */
static void
tell(const struct stream *st, const char *why)
{
	struct buf b;

	buf_init(&b, HEAD_MAX);
	buf_adds(&b, st->channel);
	buf_addf(&b, ": %s", why);
	if (ratelimit_pass(st->conf->told, buf_str(&b), now_ms(st)))
		log_error("%.*s", (int)b.n, b.p);
	buf_free(&b);
}

/* Before whatever else the client is sent, and before it goes. */
static void
send_posted(struct stream *st)
{
	if (st->posted)
		outbox_flush(st->conf->outbox);
}

/* Write whole frames behind those that are posted. As client_write. */
static int
put(struct stream *st, struct buf *b)
{
	int full = -1;

	send_posted(st);
	if (b->failed)
		client_drop(st->client, "too-much-output");
	else
		full = client_write(st->client, buf_str(b));
	st->written = now_s(st);
	buf_free(b);
	return full;
}

void
stream_finish(struct stream *st, const char *reason)
{
	send_posted(st);
	client_finish(st->client, reason);
}

/* ---- Time ---- */

static double
seconds(int64_t ms)
{
	return ms == NUM_INF ? HUGE_VAL : (double)ms / 1000.;
}

/* What is left of a time from then on, also when the clock was set back. */
static double
left(const struct stream *st, double then, double length)
{
	double gone = now_s(st) - then;

	return gone < 0. ? length : length - gone;
}

/* Of waiting for Redis. */
static double
wait_left(const struct stream *st)
{
	if (st->state == STREAM_OPEN)
		return HUGE_VAL;
	return left(st, st->since,
	    st->state == STREAM_HELD ? seconds(st->conf->hold_ms) : PATIENCE_S);
}

/* Until a heartbeat is due. */
static double
idle_left(const struct stream *st)
{
	int64_t ms = st->conf->heartbeat_ms;

	if (st->state == STREAM_STARTING || ms == 0)
		return HUGE_VAL;
	return left(st, st->written, seconds(ms));
}

static void
set_timer(struct stream *st)
{
	double wait = wait_left(st), idle = idle_left(st);
	double s = wait < idle ? wait : idle;

	ev_timer_stop(st->client->conn.loop, &st->timer);
	if (s == HUGE_VAL)
		return;
	ev_timer_set(&st->timer, s > 0. ? s : 0., 0.);
	ev_timer_start(st->client->conn.loop, &st->timer);
}

/* ---- The start ---- */

static void
open_frames(struct stream *st, struct buf *b, struct id cursor)
{
	struct gap gap = {.reason = GAP_BAD_CURSOR, .resume = cursor};
	char id[ID_TEXT];
	struct str text = str_n(id, id_format(id, cursor));

	if (st->state == STREAM_STARTING)
		frame_head(b, client_now(st->client), text);
	if (st->client->head_only)
		return;
	frame_open(b, retry_ms(st), st->channel, text);
	if (st->bad_cursor) {
		frame_gap(b, st->channel, &gap);
		st->gaps++;
		st->conf->stats->gaps[GAP_BAD_CURSOR]++;
	}
}

static void
on_started(void *arg, struct id cursor)
{
	struct stream *st = arg;
	struct buf b;

	buf_init(&b, HEAD_MAX);
	open_frames(st, &b, cursor);
	st->state = STREAM_OPEN;
	st->client->status = 200;
	put(st, &b);
	set_timer(st);
	if (st->client->head_only) {
		feed_stop(&st->feed);
		client_finish(st->client, NULL);
	}
}

/* ---- Messages ---- */

/*
 * What was written is no more than a part: of the message in which it ends the
 * rest is kept, and what follows that is read again when the client takes more.
 * So a slow client costs no memory beyond one message.
 */
static void
on_sent(void *arg, const struct frame_slice *slice, ssize_t n)
{
	struct stream *st = arg;
	const struct frame_batch *frames = &st->conf->outbox->frames;
	struct frame_mark last;
	struct str rest;
	size_t begun;

	st->posted = false;
	if (n < 0)
		return;
	begun = frame_batch_begun(frames, slice, (size_t)n, &last);
	st->events += begun;
	rest = frame_batch_bytes(frames, slice);
	if ((size_t)n == rest.n)
		return;
	rest.n = last.end - slice->from;
	client_keep(st->client, str_from(rest, (size_t)n));
	feed_full(&st->feed, last.id);
}

static void
write_now(struct stream *st, const struct frame_slice *slice)
{
	struct str s = frame_batch_bytes(&st->conf->outbox->frames, slice);

	on_sent(st, slice, client_write_some(st->client, s));
}

/*
 * What comes live is for many. A page is for a few, and whether it was taken
 * must be known before the next one is asked for.
 */
static int
on_messages(void *arg, const struct msg *m, size_t n)
{
	struct stream *st = arg;
	struct outbox *o = st->conf->outbox;
	struct outbox_item item = {st->client, {0}, on_sent, st};

	send_posted(st);
	if (st->client->state != CLIENT_OPEN)
		return -1;
	/* It has just been said that not even those before were all taken. */
	if (st->feed.sub.paused)
		return 0;
	if (outbox_format(
		o, st->conf->hub->entries.serial, m, n, &item.slice) != 0) {
		tell(st, "a message is too large to be sent");
		client_drop(st->client, "too-much-output");
		return -1;
	}
	st->written = now_s(st);
	st->posted = st->feed.sub.live && !client_is_full(st->client) &&
	    outbox_add(o, &item) == 0;
	if (!st->posted)
		write_now(st, &item.slice);
	return st->client->state == CLIENT_OPEN ? 0 : -1;
}

static int
on_gap(void *arg, const struct gap *gap)
{
	struct stream *st = arg;
	struct buf b;

	buf_init(&b, HEAD_MAX);
	frame_gap(&b, st->channel, gap);
	st->gaps++;
	st->conf->stats->gaps[gap->reason]++;
	return put(st, &b) < 0 ? -1 : 0;
}

static void
on_live(void *arg)
{
	struct stream *st = arg;

	st->live = true;
	if (st->no_live)
		stream_finish(st, "end");
}

static void
on_ended(void *arg)
{
	struct stream *st = arg;

	stream_finish(st, "end");
}

void
stream_drained(struct stream *st)
{
	feed_drained(&st->feed);
}

/*
 * Whether a client has gone or has only said all that it had to say cannot be
 * told apart. If it has gone, the next write shows it.
 */
void
stream_no_live(struct stream *st)
{
	st->no_live = true;
	if (st->live || st->state == STREAM_HELD)
		stream_finish(st, "client-gone");
}

/* ---- Idle ---- */

static void
beat(struct stream *st)
{
	struct buf b;

	st->written = now_s(st);
	if (client_is_full(st->client))
		return;
	buf_init(&b, HEAD_MAX);
	sse_comment(&b, STR(""));
	put(st, &b);
}

/* ---- Trouble ---- */

/* Of an answer that says no more, for now, than when to come back. */
static void
wait_head(struct client *c, struct buf *b)
{
	c->status = 200;
	frame_head(b, client_now(c), str_c(NULL));
}

static void
wait_for_redis(struct stream *st)
{
	struct buf b;

	st->state = STREAM_HELD;
	buf_init(&b, HEAD_MAX);
	wait_head(st->client, &b);
	frame_wait(&b, retry_ms(st), STR(" waiting for Redis"));
	put(st, &b);
	st->since = now_s(st);
	set_timer(st);
}

/*
 * Any answer but 200 stops an EventSource for good, so that only who asks for
 * it gets one.
 */
void
stream_outage(struct stream *st)
{
	if (st->state != STREAM_STARTING || st->client->state != CLIENT_OPEN)
		return;
	if (st->strict || st->client->head_only)
		client_refuse_now(st->client, "Redis is not available");
	else
		wait_for_redis(st);
	if (st->no_live)
		stream_finish(st, "outage");
}

static void
wait_is_over(struct stream *st)
{
	st->since = now_s(st);
	if (st->state == STREAM_HELD)
		stream_finish(st, "outage");
	else if (!hub_is_up(st->conf->hub))
		stream_outage(st);
}

static void
on_time(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct stream *st = w->data;

	(void)loop;
	(void)revents;
	if (wait_left(st) <= EARLY_S)
		wait_is_over(st);
	else if (idle_left(st) <= EARLY_S)
		beat(st);
	if (st->client->state == CLIENT_OPEN)
		set_timer(st);
}

void
stream_refused(struct stream *st)
{
	if (st->client->state != CLIENT_OPEN)
		return;
	if (st->state == STREAM_STARTING)
		client_refuse(st->client, 500, "this channel cannot be read");
	else
		stream_finish(st, "trouble");
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	(void)trouble;
	tell(arg, why);
	stream_refused(arg);
}

/* ---- The end that we choose ---- */

void
stream_decline(struct client *c, const struct route *r, unsigned ms)
{
	struct buf b;

	if (r->strict || c->head_only) {
		client_refuse_busy(c, "too many clients", ms);
		return;
	}
	buf_init(&b, HEAD_MAX);
	wait_head(c, &b);
	frame_wait(&b, ms, STR(" too many clients"));
	client_write(c, buf_str(&b));
	client_finish(c, "too-many");
	buf_free(&b);
}

void
stream_end(struct stream *st, unsigned ms, const char *reason)
{
	struct client *c = st->client;
	bool starting = st->state == STREAM_STARTING;
	struct buf b;

	if (c->state != CLIENT_OPEN)
		return;
	if (starting && (st->strict || c->head_only)) {
		client_refuse_now(c, "this server stops");
		return;
	}
	buf_init(&b, HEAD_MAX);
	if (starting)
		wait_head(c, &b);
	frame_wait(&b, ms, STR(" come back"));
	put(st, &b);
	client_finish(c, reason);
}

/* ---- ---- */

static void
find_start(const struct stream *st, const struct route *r,
    struct feed_start *start, struct id *until)
{
	struct buf err;

	buf_init(&err, HEAD_MAX);
	*start = (struct feed_start){.from = FEED_END};
	(void)position_read(st->conf->position, now_ms(st), start, until, &err);
	buf_free(&err);
	if (r->from == ROUTE_FROM_CURSOR)
		*start = (struct feed_start){FEED_AFTER, 0, r->cursor};
	else if (r->from == ROUTE_FROM_LAST)
		*start = (struct feed_start){FEED_LAST, r->last, ID_MIN};
}

void
stream_start(struct stream *st, struct client *c,
    const struct stream_conf *conf, const struct route *r)
{
	static const struct feed_events events = {
	    on_started, on_messages, on_gap, on_live, on_ended, on_failed};
	struct feed_start start;
	struct id until;

	memset(st, 0, sizeof(*st));
	st->client = c;
	st->conf = conf;
	st->channel = r->channel;
	st->bad_cursor = r->bad_cursor;
	st->strict = r->strict;
	ev_init(&st->timer, on_time);
	st->timer.data = st;
	find_start(st, r, &start, &until);
	/* Before the feed, which may find at once that Redis is away. */
	st->since = now_s(st);
	set_timer(st);
	if (feed_start(&st->feed, conf->hub, st->channel, start,
		id_eq(until, ID_MAX) ? FEED_LIVE : FEED_ID, until, &events,
		st) != 0)
		client_refuse_now(c, "out of memory");
}

void
stream_stop(struct stream *st)
{
	if (st->client == NULL)
		return;
	send_posted(st);
	ev_timer_stop(st->client->conn.loop, &st->timer);
	feed_stop(&st->feed);
}
