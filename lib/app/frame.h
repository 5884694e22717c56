#ifndef APP_FRAME_H
#define APP_FRAME_H

#include "base/buf.h"
#include "core/gap.h"
#include "wire/msg.h"

#include <stdint.h>

/*
 * What a stream over HTTP consists of, as bytes: the head of the answer, and
 * frames of our own and of messages. Pure; everything is appended to b.
 */

/* cursor: where the stream begins; absent while that is not known. */
void frame_head(struct buf *b, int64_t now_s, struct str cursor);

/*
 * The first frame, chat-open, with the time after which to reconnect. Who is
 * cut off before the first message resumes at its id.
 */
void frame_open(
    struct buf *b, unsigned retry_ms, struct str channel, struct str cursor);

/* Instead of the first frame, for now; text says why. */
void frame_wait(struct buf *b, unsigned retry_ms, struct str text);

/* n messages. One without a payload has empty data. */
void frame_messages(struct buf *b, const struct msg *m, size_t n);

/*
 * The frames of one batch of messages, kept for all clients that get the same:
 * they are formatted once.
 */
struct frame_batch {
	uint64_t serial; /* names what m points into */
	const struct msg *m;
	size_t n;
	struct buf bytes;
};

void frame_batch_init(struct frame_batch *f);
void frame_batch_free(struct frame_batch *f);

/*
 * As frame_messages, into f unless they are there already. serial differs
 * between any two batches that could stand at the same m. Check bytes.failed.
 */
void frame_batch_fill(
    struct frame_batch *f, uint64_t serial, const struct msg *m, size_t n);

/* chat-gap, whose id is where the stream goes on. */
void frame_gap(struct buf *b, struct str channel, const struct gap *gap);

#endif
