#ifndef APP_STREAM_FRAMES_H
#define APP_STREAM_FRAMES_H

#include "app/stream.h"

/* The frames of a stream that are not messages; private to the stream. */

/* How far the client may be told to go on from. */
struct id stream_reached(const struct stream *st);

/* The first frames, with the head before them unless it was sent. */
void stream_add_open(struct stream *st, struct buf *b, struct id cursor);
void stream_add_gap(struct stream *st, struct buf *b, const struct gap *gap);
void stream_add_live(struct stream *st, struct buf *b);

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
