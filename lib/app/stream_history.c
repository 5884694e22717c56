/* The part of app/stream that begins with what is kept elsewhere. */
#include "app/stream_impl.h"

#include "app/history.h"

#include <stdlib.h>

/*
 * While the messages of the command are sent, the client's cursor is one with
 * which it gets the rest of them if it is cut off: its own, or that of the last
 * one. One of Redis is taken back to no other: what came since would be lost.
 *
 * A state is of no use in part. So it has no ids, and until it is whole the
 * client has no cursor.
 */
struct stream_history {
	struct history run;
	struct buf frames; /* of a batch */
	bool snapshot, begun;
	bool known;      /* the client's cursor is one of Redis: */
	struct id place; /* this one */
	bool missing;    /* as was said behind the last message */
	struct str text; /* else its own, which is not; owned; maybe absent */
};

static struct stream_channel *
channel(const struct stream *st)
{
	return &st->channels[0];
}

struct str
stream_history_id(const struct stream *st, struct str cursor)
{
	if (st->history == NULL || st->history->known)
		return cursor;
	return st->history->text;
}

/* ---- Messages ---- */

static bool
moves(struct stream_history *h, const struct msg *m)
{
	if (h->snapshot)
		return false;
	if (!m->has_id)
		return !h->known && cursor_is_foreign(m->foreign_id);
	if (h->known && id_cmp(m->id, h->place) <= 0)
		return false;
	h->known = true;
	h->place = m->id;
	return true;
}

static void
on_message(void *arg, const struct msg *msg)
{
	struct stream *st = arg;
	struct stream_history *h = st->history;
	const struct frame_batch *batch = &st->conf->outbox->frames;
	struct msg m = *msg;

	h->missing = false;
	if (!moves(h, msg)) {
		m.has_id = false;
		m.foreign_id = str_c(NULL);
	}
	if (!frame_batch_wants(batch, st->filter, &m))
		return;
	frame_message(&h->frames, st->style, &m, batch->type, str_c(NULL));
	st->events++;
}

static void
on_batch(void *arg)
{
	struct stream *st = arg;
	struct stream_history *h = st->history;
	int full = 0;

	if (h->frames.n > 0 || h->frames.failed)
		full = stream_put(st, &h->frames);
	buf_init(&h->frames, CLIENT_KEEP_MAX);
	if (full > 0)
		history_hold(&h->run, true);
	else if (full < 0)
		history_stop(&h->run);
}

/* Many in a row are one gap. Who is to stop does so where he is. */
static void
on_missing(void *arg)
{
	struct stream *st = arg;
	struct stream_history *h = st->history;
	struct gap gap = {GAP_HISTORY, .resume = channel(st)->told};

	if (h->missing || st->client->state != CLIENT_OPEN)
		return;
	h->missing = true;
	stream_add_gap(channel(st), &h->frames, &gap);
	if (!st->stop_at_gap)
		return;
	on_batch(st);
	stream_finish(st, "gap");
}

/* ---- The end ---- */

static void
on_ended(void *arg)
{
	struct stream *st = arg;
	struct stream_channel *c = channel(st);
	struct stream_history *h = st->history;

	if (st->client->state != CLIENT_OPEN)
		return;
	st->history = NULL;
	if (h->known)
		c->told = h->place;
	else
		stream_add_moved(st, &h->frames);
	feed_seek(&c->feed, c->told);
	if (h->frames.n > 0 || h->frames.failed)
		stream_put(st, &h->frames);
	buf_free(&h->frames);
	buf_give_back(h->text);
	free(h);
	stream_drained(st);
}

static void
begin(struct stream *st)
{
	static const struct history_events events = {
	    on_message, on_missing, on_batch, on_ended};
	struct stream_history *h = st->history;
	struct history_request request = {
	    h->snapshot, channel(st)->name, h->text, {NULL, 0}};
	struct buf cursor;
	int result;

	if (st->client->state != CLIENT_OPEN)
		return;
	buf_init(&cursor, STREAM_FRAMES_MAX);
	stream_add_cursor(st, &cursor);
	request.cursor = buf_str(&cursor);
	if (h->known)
		request.last_event_id = request.cursor;
	h->place = channel(st)->told;
	result =
	    history_start(&h->run, &st->conf->history, &request, &events, st);
	buf_free(&cursor);
	if (result == 0)
		return;
	on_missing(st);
	on_ended(st);
}

void
stream_history_go_on(struct stream *st)
{
	struct stream_history *h = st->history;

	if (h->begun) {
		history_hold(&h->run, false);
		return;
	}
	h->begun = true;
	begin(st);
}

void
stream_history_stop(struct stream *st)
{
	if (st->history != NULL)
		history_stop(&st->history->run);
}

void
stream_history_free(struct stream *st)
{
	struct stream_history *h = st->history;

	if (h == NULL)
		return;
	history_stop(&h->run);
	buf_free(&h->frames);
	buf_give_back(h->text);
	free(h);
	st->history = NULL;
}

/* ---- The start ---- */

/* NULL: out of memory */
static struct stream_history *
make(const struct route *r, bool snapshot)
{
	struct stream_history *h = calloc(1, sizeof(*h));
	struct buf text;

	if (h == NULL)
		return NULL;
	h->snapshot = snapshot;
	h->known = r->places[0].known;
	buf_init(&h->frames, CLIENT_KEEP_MAX);
	buf_init(&text, r->cursor.n);
	if (r->foreign)
		buf_adds(&text, buf_str(&r->cursor));
	if (text.failed) {
		free(h);
		return NULL;
	}
	h->text = buf_take(&text);
	return h;
}

int
stream_history_plan(
    struct stream *st, const struct route *r, struct feed_start *start)
{
	const struct history_options *o = st->conf->history.options;
	bool has_cursor = r->foreign || r->places[0].known;
	bool snapshot = o->snapshot_cmd != NULL && !has_cursor;

	if (!snapshot && o->history_cmd == NULL)
		return 0;
	*start = (struct feed_start){.from = FEED_END};
	if (st->client->head_only)
		return 0;
	st->history = make(r, snapshot);
	return st->history != NULL ? 0 : -1;
}
