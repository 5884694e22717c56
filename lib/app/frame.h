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

/* One without a payload has empty data. */
void frame_message(struct buf *b, const struct msg *m);

/*
 * The frames of what was read of late, for all clients that get the same: they
 * are formatted once.
 */
struct frame_batch {
	struct buf bytes;
	struct buf marks; /* struct frame_mark, one for each message */
	/* private: what was added last */
	uint64_t serial;
	const struct msg *m;
	struct frame_slice {
		size_t from, to;     /* bytes */
		size_t mark, nmarks; /* of them */
	} last;
};

struct frame_mark {
	struct id id;
	size_t end; /* where its frame ends in bytes */
};

void frame_batch_init(struct frame_batch *f);
void frame_batch_free(struct frame_batch *f);

/* Forget all, and give memory back beyond keep bytes. */
void frame_batch_clear(struct frame_batch *f, size_t keep);

/*
 * Format n > 0 messages, unless they were added just before: serial differs
 * between any two batches that could stand at the same m. Where they are; check
 * bytes.failed and marks.failed. Pointers into f do not outlive it.
 */
struct frame_slice frame_batch_add(
    struct frame_batch *f, uint64_t serial, const struct msg *m, size_t n);

/* Were these added just before? */
bool frame_batch_has(const struct frame_batch *f, uint64_t serial,
    const struct msg *m, size_t n);

struct str frame_batch_bytes(
    const struct frame_batch *f, const struct frame_slice *s);

/*
 * The first n bytes of a slice were written. How many messages have been begun,
 * at least one; their last one is *last.
 */
size_t frame_batch_begun(const struct frame_batch *f,
    const struct frame_slice *s, size_t n, struct frame_mark *last);

/* chat-gap, whose id is where the stream goes on. */
void frame_gap(struct buf *b, struct str channel, const struct gap *gap);

#endif
