#include "app/stream_impl.h"

#include "base/num.h"

#include <math.h>
#include <string.h>

enum { PATIENCE_S = 1 }; /* with a Redis that has not said anything yet */

/* Timers and the clock do not agree to the last digit. */
#define EARLY_S 0.01

static double
now_s(const struct stream *st)
{
	return ev_now(st->client->conn.loop);
}

int64_t
stream_now_ms(const struct stream *st)
{
	return (int64_t)(now_s(st) * 1000.);
}

void
stream_send_posted(struct stream *st)
{
	if (st->posted)
		outbox_flush(st->conf->outbox);
}

void
stream_begin(struct stream *st, struct buf *b)
{
	stream_send_posted(st);
	buf_init(b, STREAM_FRAMES_MAX);
}

int
stream_put(struct stream *st, struct buf *b)
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
	stream_send_posted(st);
	stream_history_stop(st);
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

/* ---- The channels ---- */

void
stream_open(struct stream *st)
{
	struct buf b;

	stream_begin(st, &b);
	stream_add_open(st, &b);
	st->state = STREAM_OPEN;
	st->client->status = 200;
	stream_put(st, &b);
	set_timer(st);
	if (st->client->head_only) {
		stream_channels_stop(st);
		client_finish(st->client, NULL);
	} else if (!client_is_full(st->client)) {
		stream_drained(st);
	}
}

/* No faster than the client takes it: of many channels it is much. */
static void
tell_bad_cursor(struct stream *st)
{
	struct buf b;

	while (st->bad_cursor && !client_is_full(st->client)) {
		stream_begin(st, &b);
		stream_add_bad_cursor(&st->channels[st->turn], &b);
		stream_put(st, &b);
		st->turn = (st->turn + 1) % st->nchannels;
		st->bad_cursor = st->turn != 0;
	}
	if (!st->bad_cursor && st->stop_at_gap) {
		stream_channels_stop(st);
		client_finish(st->client, "gap");
	}
}

void
stream_live(struct stream *st)
{
	struct buf b;

	if (st->marker) {
		stream_begin(st, &b);
		stream_add_live(st, &b);
		stream_put(st, &b);
	}
	if (st->no_live)
		stream_finish(st, "end");
}

/* The one behind that which has filled the client asks first. */
void
stream_drained(struct stream *st)
{
	unsigned first = st->turn;

	if (st->state != STREAM_OPEN)
		return;
	if (st->bad_cursor)
		tell_bad_cursor(st);
	if (st->bad_cursor || st->client->state != CLIENT_OPEN)
		return;
	if (st->history != NULL) {
		stream_history_go_on(st);
		return;
	}
	for (unsigned i = 0; i < st->nchannels; i++)
		feed_drained(&st->channels[(first + i) % st->nchannels].feed);
}

static bool
is_live(const struct stream *st)
{
	return st->nchannels > 0 && st->nlive == st->nchannels;
}

/*
 * Whether a client has gone or has only said all that it had to say cannot be
 * told apart. If it has gone, the next write shows it.
 */
void
stream_no_live(struct stream *st)
{
	st->no_live = true;
	if (is_live(st) || st->state == STREAM_HELD)
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
	stream_begin(st, &b);
	stream_add_beat(st, &b);
	stream_put(st, &b);
}

/* ---- Trouble ---- */

static void
wait_for_redis(struct stream *st)
{
	struct buf b;

	st->state = STREAM_HELD;
	stream_begin(st, &b);
	stream_add_head(&b, st->client, st->style);
	stream_add_wait(
	    &b, st->style, stream_retry_ms(st), STR(" waiting for Redis"));
	stream_put(st, &b);
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

/* ---- The end that we choose ---- */

void
stream_decline(struct client *c, const struct route *r, unsigned ms)
{
	struct buf b;

	if (r->strict || c->head_only) {
		client_refuse_busy(c, "too many clients", ms);
		return;
	}
	buf_init(&b, STREAM_FRAMES_MAX);
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
	stream_begin(st, &b);
	if (starting)
		stream_add_head(&b, c, st->style);
	stream_add_wait(&b, st->style, ms, STR(" come back"));
	stream_put(st, &b);
	stream_history_stop(st);
	client_finish(c, reason);
}

/* ---- ---- */

/* Where to begin who has no cursor. */
static void
find_start(const struct stream *st, const struct route *r,
    struct feed_start *start, struct id *until)
{
	struct str cursor;
	struct buf err;

	buf_init(&err, STREAM_FRAMES_MAX);
	*start = (struct feed_start){.from = FEED_END};
	(void)position_read(
	    st->conf->position, stream_now_ms(st), start, until, &cursor, &err);
	buf_free(&err);
	if (r->from == ROUTE_FROM_LAST)
		*start = (struct feed_start){FEED_LAST, r->last, ID_MIN};
	else if (r->from == ROUTE_FROM_SINCE)
		(void)position_since(
		    buf_str(&r->since), stream_now_ms(st), start);
}

/* What is kept of a request. 0, or -1 out of memory. */
static int
take_wishes(struct stream *st, const struct route *r)
{
	struct str filter = buf_str(&r->filter);
	struct buf copy;

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
	struct feed_start start;
	struct id until;

	memset(st, 0, sizeof(*st));
	st->client = c;
	st->conf = conf;
	ev_init(&st->timer, on_time);
	st->timer.data = st;
	find_start(st, r, &start, &until);
	/* Before the channels, which may find at once that Redis is away. */
	st->since = now_s(st);
	set_timer(st);
	if (take_wishes(st, r) != 0 ||
	    stream_history_plan(st, r, &start) != 0 ||
	    stream_channels_start(st, r, start, until) != 0)
		client_refuse_now(c, "out of memory");
}

void
stream_stop(struct stream *st)
{
	if (st->client == NULL)
		return;
	stream_send_posted(st);
	ev_timer_stop(st->client->conn.loop, &st->timer);
	stream_history_free(st);
	stream_channels_free(st);
	buf_give_back(st->filter);
	st->filter = str_c(NULL);
}
