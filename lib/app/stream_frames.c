/* The frames of app/stream that are not messages. */
#include "app/stream_impl.h"

#include <stdlib.h>

enum {
	RETRY_MS = 2000,
	RETRY_JITTER = 25, /* per cent */
};

unsigned
stream_retry_ms(const struct stream *st)
{
	return backoff_jitter(st->conf->random, RETRY_MS, RETRY_JITTER);
}

/* ---- Cursors ---- */

int
stream_places_make(struct stream *st)
{
	size_t n = st->nchannels;
	struct stream_places *p =
	    calloc(1, sizeof(*p) + n * (sizeof(*p->parts) + sizeof(*p->order)));

	if (p == NULL)
		return -1;
	p->n = n;
	p->order = (struct cursor_part **)(void *)(p->parts + n);
	for (size_t i = 0; i < n; i++) {
		p->order[i] = &p->parts[i];
		*p->order[i] = cursor_part_of(st->channels[i].name);
		p->order[i]->known = true;
	}
	cursor_sort(p->order, n);
	st->places = p;
	return 0;
}

void
stream_add_cursor(const struct stream *st, struct buf *b)
{
	struct stream_places *p = st->places;
	char id[ID_TEXT];

	if (p == NULL) {
		buf_add(b, id, id_format(id, st->channels->told));
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		p->parts[i].id = st->channels[i].told;
	cursor_format(b, p->order, p->n);
}

/*
 * How far the client may be told to go on from. A start in the future is kept:
 * what comes before it is not wanted.
 */
static struct id
reached(const struct stream_channel *c)
{
	struct id cursor = feed_cursor(&c->feed);

	return id_cmp(cursor, c->told) > 0 ? cursor : c->told;
}

static bool
has_moved(const struct stream *st)
{
	for (size_t i = 0; i < st->nchannels; i++)
		if (!id_eq(reached(&st->channels[i]), st->channels[i].told))
			return true;
	return false;
}

static void
move(struct stream *st)
{
	for (size_t i = 0; i < st->nchannels; i++)
		st->channels[i].told = reached(&st->channels[i]);
}

/* ---- Frames ---- */

/* As in the route, where they stand one behind the other. */
static struct str
names(const struct stream *st)
{
	struct str first = st->channels[0].name;
	struct str last = st->channels[st->nchannels - 1].name;

	return str_n(first.p, (size_t)(last.p - first.p) + last.n);
}

static void
add_frame(struct stream *st, struct buf *b, struct str name)
{
	struct buf cursor;

	buf_init(&cursor, STREAM_FRAMES_MAX);
	stream_add_cursor(st, &cursor);
	frame_cursor(b, st->style, name, names(st),
	    stream_history_id(st, buf_str(&cursor)), buf_str(&cursor));
	buf_free(&cursor);
}

void
stream_add_gap(struct stream_channel *c, struct buf *b, const struct gap *gap)
{
	struct stream *st = c->stream;
	struct buf cursor;

	buf_init(&cursor, STREAM_FRAMES_MAX);
	c->told = gap->resume;
	stream_add_cursor(st, &cursor);
	frame_gap(b, st->style, c->name,
	    st->history == NULL ? buf_str(&cursor) : str_c(NULL), gap);
	st->gaps++;
	st->conf->stats->gaps[gap->reason]++;
	buf_free(&cursor);
}

static void
add_head(struct stream *st, struct buf *b)
{
	struct buf cursor;

	buf_init(&cursor, STREAM_FRAMES_MAX);
	stream_add_cursor(st, &cursor);
	frame_head(b, st->style, client_now(st->client), buf_str(&cursor));
	client_end_head(st->client, b);
	buf_free(&cursor);
}

void
stream_add_open(struct stream *st, struct buf *b)
{
	if (st->state == STREAM_STARTING)
		add_head(st, b);
	if (st->client->head_only)
		return;
	frame_retry(b, st->style, stream_retry_ms(st));
	add_frame(st, b, STR("chat-open"));
}

void
stream_add_bad_cursor(struct stream_channel *c, struct buf *b)
{
	struct gap gap = {.reason = GAP_BAD_CURSOR, .resume = c->told};

	stream_add_gap(c, b, &gap);
}

void
stream_add_live(struct stream *st, struct buf *b)
{
	move(st);
	add_frame(st, b, STR("chat-live"));
}

void
stream_add_moved(struct stream *st, struct buf *b)
{
	add_frame(st, b, STR("chat-cursor"));
}

/* ---- Idle ---- */

static void
add_event(struct stream *st, struct buf *b)
{
	struct str none = {NULL, 0};
	bool open = st->state == STREAM_OPEN && st->history == NULL;
	struct buf cursor;

	buf_init(&cursor, STREAM_FRAMES_MAX);
	if (open) {
		move(st);
		stream_add_cursor(st, &cursor);
	}
	frame_beat(b, st->style, st->conf->beat, names(st),
	    open ? buf_str(&cursor) : none, stream_now_ms(st));
	buf_free(&cursor);
}

/*
 * The cursor moves without a message past entries that are not wanted, or that
 * were deleted.
 */
void
stream_add_beat(struct stream *st, struct buf *b)
{
	if (st->conf->beat.p != NULL) {
		add_event(st, b);
	} else if (st->state == STREAM_OPEN && has_moved(st)) {
		move(st);
		stream_add_moved(st, b);
	} else {
		frame_idle(b, st->style, STR(""));
	}
}

/* ---- Instead of a stream ---- */

void
stream_add_head(struct buf *b, struct client *c, enum frame_style style)
{
	c->status = 200;
	frame_head(b, style, client_now(c), str_c(NULL));
	client_end_head(c, b);
}

void
stream_add_wait(
    struct buf *b, enum frame_style style, unsigned ms, struct str why)
{
	frame_retry(b, style, ms);
	frame_idle(b, style, why);
}
