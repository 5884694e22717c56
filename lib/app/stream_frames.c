#include "app/stream_frames.h"

enum {
	RETRY_MS = 2000,
	RETRY_JITTER = 25, /* per cent */
};

unsigned
stream_retry_ms(const struct stream *st)
{
	return backoff_jitter(st->conf->random, RETRY_MS, RETRY_JITTER);
}

/* A start in the future is kept: what comes before it is not wanted. */
struct id
stream_reached(const struct stream *st)
{
	struct id cursor = feed_cursor(&st->feed);

	return id_cmp(cursor, st->sent) > 0 ? cursor : st->sent;
}

static void
add_cursor(struct stream *st, struct buf *b, struct str name, struct id cursor)
{
	char id[ID_TEXT];

	st->sent = cursor;
	frame_cursor(
	    b, st->style, name, st->channel, str_n(id, id_format(id, cursor)));
}

void
stream_add_gap(struct stream *st, struct buf *b, const struct gap *gap)
{
	st->sent = gap->resume;
	st->gaps++;
	st->conf->stats->gaps[gap->reason]++;
	frame_gap(b, st->style, st->channel, gap);
}

void
stream_add_open(struct stream *st, struct buf *b, struct id cursor)
{
	struct gap gap = {.reason = GAP_BAD_CURSOR, .resume = cursor};
	char id[ID_TEXT];

	if (st->state == STREAM_STARTING) {
		frame_head(b, st->style, client_now(st->client),
		    str_n(id, id_format(id, cursor)));
		client_end_head(st->client, b);
	}
	if (st->client->head_only)
		return;
	frame_retry(b, st->style, stream_retry_ms(st));
	add_cursor(st, b, STR("chat-open"), cursor);
	if (st->bad_cursor)
		stream_add_gap(st, b, &gap);
}

void
stream_add_live(struct stream *st, struct buf *b)
{
	add_cursor(st, b, STR("chat-live"), stream_reached(st));
}

/* ---- Idle ---- */

static void
add_event(struct stream *st, struct buf *b)
{
	int64_t now_ms = (int64_t)(ev_now(st->client->conn.loop) * 1000.);
	struct str cursor = {NULL, 0};
	char id[ID_TEXT];

	if (st->state == STREAM_OPEN) {
		st->sent = stream_reached(st);
		cursor = str_n(id, id_format(id, st->sent));
	}
	frame_beat(b, st->style, st->conf->beat, st->channel, cursor, now_ms);
}

/*
 * The cursor moves without a message past entries that are not wanted, or that
 * were deleted.
 */
void
stream_add_beat(struct stream *st, struct buf *b)
{
	bool open = st->state == STREAM_OPEN;

	if (st->conf->beat.p != NULL)
		add_event(st, b);
	else if (open && !id_eq(stream_reached(st), st->sent))
		add_cursor(st, b, STR("chat-cursor"), stream_reached(st));
	else
		frame_idle(b, st->style, STR(""));
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
