#ifndef APP_STREAM_IMPL_H
#define APP_STREAM_IMPL_H

/* What the parts of app/stream share, and nobody else. */

#include "app/stream.h"
#include "wire/cursor.h"

/* The head and the first frame, with the names of ROUTE_CHANNELS_MAX. */
enum { STREAM_FRAMES_MAX = 1 << 20 };

/* ---- stream.c ---- */

int64_t stream_now_ms(const struct stream *st);

/* Before whatever else the client is sent, and before it goes. */
void stream_send_posted(struct stream *st);

/*
 * A buffer for frames of our own, which tell how far the client has come; and
 * write it. As client_write.
 */
void stream_begin(struct stream *st, struct buf *b);
int stream_put(struct stream *st, struct buf *b);

/* All channels have been started: the first frame. */
void stream_open(struct stream *st);

/* All channels are live. */
void stream_live(struct stream *st);

/* ---- stream_channel.c ---- */

/*
 * Begin to read the channels that were asked for; position is where, if the
 * request does not say so. 0, or -1 out of memory.
 */
int stream_channels_start(struct stream *st, const struct route *r,
    struct feed_start position, struct id until);

/* Stop reading; and free. Both are harmless when zeroed. */
void stream_channels_stop(struct stream *st);
void stream_channels_free(struct stream *st);

/* ---- stream_history.c ---- */

/*
 * Is a command to be run for the messages before, and if so, where does Redis
 * go on for who has no cursor of it? 0, or -1 out of memory.
 */
int stream_history_plan(
    struct stream *st, const struct route *r, struct feed_start *start);

/*
 * The id that the client has until it has got them, where it would otherwise be
 * the cursor; absent for none.
 */
struct str stream_history_id(const struct stream *st, struct str cursor);

/* Run the command, or go on with what it prints: the client takes more. */
void stream_history_go_on(struct stream *st);

/* Kill it; and free. Both are harmless without one. */
void stream_history_stop(struct stream *st);
void stream_history_free(struct stream *st);

/* ---- stream_frames.c ---- */

/* Where the client stands in all n channels. */
struct stream_places {
	size_t n;
	struct cursor_part **order; /* behind the parts; see cursor_sort */
	struct cursor_part parts[];
};

/* 0, or -1 out of memory. To be freed with free(3). */
int stream_places_make(struct stream *st);

/* The cursor. */
void stream_add_cursor(const struct stream *st, struct buf *b);

/* The first frames, with the head before them unless it was sent. */
void stream_add_open(struct stream *st, struct buf *b);
void stream_add_gap(
    struct stream_channel *c, struct buf *b, const struct gap *gap);
void stream_add_bad_cursor(struct stream_channel *c, struct buf *b);
void stream_add_live(struct stream *st, struct buf *b);

/* The cursor, which is not that of the last message. */
void stream_add_moved(struct stream *st, struct buf *b);

/* After some silence. */
void stream_add_beat(struct stream *st, struct buf *b);

/* The head alone, while no cursor is known. */
void stream_add_head(struct buf *b, struct client *c, enum frame_style style);

/* When to come back, and why. */
void stream_add_wait(
    struct buf *b, enum frame_style style, unsigned ms, struct str why);

/* The time after which to reconnect, another for each client. */
unsigned stream_retry_ms(const struct stream *st);

#endif
