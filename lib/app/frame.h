#ifndef APP_FRAME_H
#define APP_FRAME_H

#include "base/buf.h"
#include "core/gap.h"
#include "wire/msg.h"

#include <stdint.h>

/*
 * What a stream over HTTP consists of, as bytes: the head of the answer, and
 * frames of messages and of our own. Pure; everything is appended to b.
 *
 * A frame of our own has always an id, which is a cursor, and JSON as its data.
 */

/* How a stream is written. */
enum frame_style {
	FRAME_SSE,       /* events (wire/sse.h) */
	FRAME_ENVELOPES, /* the same, with envelopes (wire/msg.h) as data */
	FRAME_NDJSON,    /* envelopes, one a line */
	FRAME_STYLES,
};

/*
 * The head without its end (client_end_head). cursor: where the stream begins;
 * absent while that is not known.
 */
void frame_head(
    struct buf *b, enum frame_style style, int64_t now_s, struct str cursor);

/*
 * The time after which to reconnect, for the frame that follows. Envelopes have
 * no room for it.
 */
void frame_retry(struct buf *b, enum frame_style style, unsigned ms);

/*
 * Nothing, so that the client sees that we are there: a comment, or an empty
 * line. text may be empty.
 */
void frame_idle(struct buf *b, enum frame_style style, struct str text);

/*
 * type is that of a message without one; absent for none. cursor is where who
 * has it stands in several channels; absent if that is the message's id, if it
 * has one.
 */
void frame_message(struct buf *b, enum frame_style style, const struct msg *m,
    struct str type, struct str cursor);

/*
 * {"channels":[...],"cursor":"..."}: chat-open, the first frame, from which who
 * is cut off before the first message resumes; chat-live; chat-cursor. channels
 * are names with a NUL between any two. id is the cursor, or absent, or another
 * one, which the client has until it has got what it lacks.
 */
void frame_cursor(struct buf *b, enum frame_style style, struct str name,
    struct str channels, struct str id, struct str cursor);

/*
 * {"cursor":"...","time":N}, in ms. While the cursor is not known, it is
 * absent: then this frame has no id.
 */
void frame_beat(struct buf *b, enum frame_style style, struct str name,
    struct str channels, struct str cursor, int64_t now_ms);

/*
 * chat-gap of one channel. cursor is how to go on: gap->resume, if no more;
 * absent: from where the client is.
 */
void frame_gap(struct buf *b, enum frame_style style, struct str channel,
    struct str cursor, const struct gap *gap);

#endif
