#include "app/stream.h"

#include "app/stream_frames.h"
#include "base/log.h"
#include "base/num.h"

#include <math.h>
#include <string.h>

enum {
	PATIENCE_S = 1,  /* with a Redis that has not said anything yet */
	HEAD_MAX = 8192, /* the head and the first frames */
};

/* Timers and the clock do not agree to the last digit. */
#define EARLY_S 0.01

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

/* How far the client has come shows in frames of our own. */
static void
begin(struct stream *st, struct buf *b)
{
	send_posted(st);
	buf_init(b, HEAD_MAX);
}

/* Write them. As client_write. */
static int
put(struct stream *st, struct buf *b)
{
	int full = -1;

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
on_started(void *arg, struct id cursor)
{
	struct stream *st = arg;
	bool stop = st->bad_cursor && st->stop_at_gap;
	struct buf b;

	begin(st, &b);
	stream_add_open(st, &b, cursor);
	st->state = STREAM_OPEN;
	st->client->status = 200;
	put(st, &b);
	set_timer(st);
	if (st->client->head_only || stop) {
		feed_stop(&st->feed);
		client_finish(st->client, st->client->head_only ? NULL : "gap");
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
	st->sent = last.id;
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
	struct frame_look look = {st->style, st->filter};
	struct outbox_item item = {st->client, {0}, on_sent, st};

	send_posted(st);
	if (st->client->state != CLIENT_OPEN)
		return -1;
	/* It has just been said that not even those before were all taken. */
	if (st->feed.sub.paused)
		return 0;
	if (outbox_format(o, st->conf->hub->entries.serial, &look, m, n,
		&item.slice) != 0) {
		tell(st, "a message is too large to be sent");
		client_drop(st->client, "too-much-output");
		return -1;
	}
	if (item.slice.nmarks == 0)
		return 0;
	st->written = now_s(st);
	st->posted = st->feed.sub.live && !client_is_full(st->client) &&
	    outbox_add(o, &item) == 0;
	if (!st->posted)
		write_now(st, &item.slice);
	return st->client->state == CLIENT_OPEN ? 0 : -1;
}

/* Who is to stop does so before the gap: coming back it is told again. */
static int
on_gap(void *arg, const struct gap *gap)
{
	struct stream *st = arg;
	struct gap g = *gap;
	struct buf b;

	if (st->stop_at_gap)
		g.resume = gap->after;
	begin(st, &b);
	stream_add_gap(st, &b, &g);
	if (put(st, &b) >= 0 && st->stop_at_gap)
		client_finish(st->client, "gap");
	return st->client->state == CLIENT_OPEN ? 0 : -1;
}

static void
on_live(void *arg)
{
	struct stream *st = arg;
	struct buf b;

	st->live = true;
	if (st->marker) {
		begin(st, &b);
		stream_add_live(st, &b);
		put(st, &b);
	}
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
	begin(st, &b);
	stream_add_beat(st, &b);
	put(st, &b);
}

/* ---- Trouble ---- */

static void
wait_for_redis(struct stream *st)
{
	struct buf b;

	st->state = STREAM_HELD;
	begin(st, &b);
	stream_add_head(&b, st->client, st->style);
	stream_add_wait(
	    &b, st->style, stream_retry_ms(st), STR(" waiting for Redis"));
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
	stream_add_head(&b, c, r->style);
	stream_add_wait(&b, r->style, ms, STR(" too many clients"));
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
	begin(st, &b);
	if (starting)
		stream_add_head(&b, c, st->style);
	stream_add_wait(&b, st->style, ms, STR(" come back"));
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
	else if (r->from == ROUTE_FROM_SINCE)
		(void)position_since(buf_str(&r->since), now_ms(st), start);
}

/* What is kept of a request. 0, or -1 out of memory. */
static int
take_wishes(struct stream *st, const struct route *r)
{
	struct str filter = buf_str(&r->filter);
	struct buf copy;

	st->channel = r->channel;
	st->bad_cursor = r->bad_cursor;
	st->strict = r->strict;
	st->style = (unsigned char)r->style;
	st->marker = r->marker;
	st->stop_at_gap = r->stop_at_gap;
	buf_init(&copy, filter.n);
	buf_adds(&copy, filter);
	st->filter = buf_take(&copy);
	return st->filter.n == filter.n ? 0 : -1;
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
	ev_init(&st->timer, on_time);
	st->timer.data = st;
	if (take_wishes(st, r) != 0) {
		client_refuse_now(c, "out of memory");
		return;
	}
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
	buf_give_back(st->filter);
	st->filter = str_c(NULL);
}
