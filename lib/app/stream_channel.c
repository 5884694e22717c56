/* The part of app/stream that reads: a channel, and its messages. */
#include "app/stream_impl.h"

#include "base/log.h"

#include <stdlib.h>

/* A trouble of the channel, which all of its clients may meet. */
static void
tell(const struct stream_channel *c, const char *why)
{
	const struct stream *st = c->stream;
	struct buf b;

	buf_init(&b, STREAM_FRAMES_MAX);
	buf_adds(&b, c->name);
	buf_addf(&b, ": %s", why);
	if (ratelimit_pass(st->conf->told, buf_str(&b), stream_now_ms(st)))
		log_error("%.*s", (int)b.n, b.p);
	buf_free(&b);
}

/* Nothing is sent before it can be said where all channels begin. */
static void
on_started(void *arg, struct id cursor)
{
	struct stream_channel *c = arg;
	struct stream *st = c->stream;

	c->told = cursor;
	feed_full(&c->feed, cursor);
	if (++st->nstarted == st->nchannels)
		stream_open(st);
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
	struct stream_channel *c = arg;
	struct stream *st = c->stream;
	const struct frame_batch *frames = &st->conf->outbox->frames;
	struct frame_mark last;
	struct str rest;
	size_t begun;

	st->posted = false;
	if (n < 0)
		return;
	begun = frame_batch_begun(frames, slice, (size_t)n, &last);
	st->events += begun;
	c->told = last.id;
	rest = frame_batch_bytes(frames, slice);
	if ((size_t)n == rest.n)
		return;
	rest.n = last.end - slice->from;
	client_keep(st->client, str_from(rest, (size_t)n));
	feed_full(&c->feed, last.id);
	st->turn = (unsigned)(c - st->channels + 1) % st->nchannels;
}

static void
write_now(struct stream_channel *c, const struct frame_slice *slice)
{
	struct stream *st = c->stream;
	struct str s = frame_batch_bytes(&st->conf->outbox->frames, slice);

	on_sent(c, slice, client_write_some(st->client, s));
}

/* Once c is there, and the others where they are. */
static void
add_cursor(const void *arg, struct buf *b, struct id id)
{
	const struct stream_channel *c = arg;
	struct stream_channel *there =
	    &c->stream->channels[c - c->stream->channels];
	struct id told = there->told;

	there->told = id;
	stream_add_cursor(c->stream, b);
	there->told = told;
}

static int
format(struct stream_channel *c, const struct msg *m, size_t n,
    struct frame_slice *slice)
{
	struct stream *st = c->stream;
	struct frame_cursors cursors = {add_cursor, c};
	struct frame_look look = {
	    st->style, st->filter, st->places != NULL ? &cursors : NULL};

	if (outbox_format(st->conf->outbox, st->conf->hub->entries.serial,
		&look, m, n, slice) == 0)
		return 0;
	tell(c, "a message is too large to be sent");
	client_drop(st->client, "too-much-output");
	return -1;
}

/*
 * What comes live is for many. A page is for a few, and whether it was taken
 * must be known before the next one is asked for.
 */
static void
send(struct stream_channel *c, const struct frame_slice *slice)
{
	struct stream *st = c->stream;
	struct outbox_item item = {st->client, *slice, on_sent, c};

	st->written = ev_now(st->client->conn.loop);
	st->posted =
	    c->feed.sub.live && outbox_add(st->conf->outbox, &item) == 0;
	if (!st->posted)
		write_now(c, slice);
}

static int
on_messages(void *arg, const struct msg *m, size_t n)
{
	struct stream_channel *c = arg;
	struct stream *st = c->stream;
	struct frame_slice slice;

	stream_send_posted(st);
	if (st->client->state != CLIENT_OPEN)
		return -1;
	/* It has just been said that not even those before were all taken. */
	if (c->feed.sub.paused)
		return 0;
	if (client_is_full(st->client))
		return 2;
	if (format(c, m, n, &slice) != 0)
		return -1;
	if (slice.nmarks == 0)
		return 0;
	send(c, &slice);
	return st->client->state == CLIENT_OPEN ? 0 : -1;
}

/* ---- Other events ---- */

/* Who is to stop does so before the gap: coming back it is told again. */
static int
on_gap(void *arg, const struct gap *gap)
{
	struct stream_channel *c = arg;
	struct stream *st = c->stream;
	struct gap g = *gap;
	struct buf b;

	if (st->client->state != CLIENT_OPEN)
		return -1;
	if (st->stop_at_gap)
		g.resume = gap->after;
	stream_begin(st, &b);
	stream_add_gap(c, &b, &g);
	if (stream_put(st, &b) >= 0 && st->stop_at_gap)
		client_finish(st->client, "gap");
	return st->client->state == CLIENT_OPEN ? 0 : -1;
}

static void
on_live(void *arg)
{
	struct stream_channel *c = arg;
	struct stream *st = c->stream;

	if (++st->nlive == st->nchannels)
		stream_live(st);
}

static void
on_ended(void *arg)
{
	struct stream_channel *c = arg;
	struct stream *st = c->stream;

	if (++st->nended == st->nchannels)
		stream_finish(st, "end");
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct stream_channel *c = arg;

	(void)trouble;
	tell(c, why);
	stream_refused(c->stream);
}

/* ---- Start and end ---- */

static int
start(struct stream_channel *c, struct feed_start position, struct id until)
{
	static const struct feed_events events = {
	    on_started, on_messages, on_gap, on_live, on_ended, on_failed};

	return feed_start(&c->feed, c->stream->conf->hub, c->name, position,
	    id_eq(until, ID_MAX) ? FEED_LIVE : FEED_ID, until, &events, c);
}

static struct feed_start
start_of(const struct cursor_part *place, struct feed_start position)
{
	if (!place->known)
		return position;
	return (struct feed_start){FEED_AFTER, 0, place->id};
}

int
stream_channels_start(struct stream *st, const struct route *r,
    struct feed_start position, struct id until)
{
	struct str rest = r->channels;

	st->channels = &st->one;
	if (r->nchannels > 1)
		st->channels = calloc(r->nchannels, sizeof(*st->channels));
	if (st->channels == NULL)
		return -1;
	st->nchannels = (unsigned)r->nchannels;
	for (size_t i = 0; i < r->nchannels; i++) {
		st->channels[i].stream = st;
		st->channels[i].name = str_cut(rest, '\0', &rest);
	}
	if (r->nchannels > 1 && stream_places_make(st) != 0)
		return -1;
	for (size_t i = 0; i < r->nchannels; i++)
		if (start(&st->channels[i], start_of(&r->places[i], position),
			until) != 0)
			return -1;
	return 0;
}

void
stream_channels_stop(struct stream *st)
{
	for (size_t i = 0; i < st->nchannels; i++)
		feed_stop(&st->channels[i].feed);
}

void
stream_channels_free(struct stream *st)
{
	stream_channels_stop(st);
	if (st->channels != &st->one)
		free(st->channels);
	free(st->places);
	st->channels = NULL;
	st->places = NULL;
	st->nchannels = 0;
}
