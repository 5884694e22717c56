#ifndef APP_FRAME_BATCH_H
#define APP_FRAME_BATCH_H

#include "app/frame.h"

#include <stdbool.h>

/*
 * The frames of what was read of late, for all clients that get the same: they
 * are formatted once.
 */

/* The cursors of a client of several channels, which nobody else has. */
struct frame_cursors {
	/* Append the one behind the entry `id`. */
	void (*add)(const void *arg, struct buf *b, struct id id);
	const void *arg;
};

/* How a client is to see messages. */
struct frame_look {
	enum frame_style style;
	struct str filter; /* core/filter.h: the types wanted; absent: all */
	const struct frame_cursors *cursors; /* NULL: they are the ids */
};

/* Of the first are those of a style without a filter. */
enum { FRAME_LOOKS = FRAME_STYLES + 6 };

struct frame_batch {
	struct buf bytes;
	struct buf marks; /* struct frame_mark, one for each frame */
	struct str type;  /* of messages without one; borrowed, may be absent */
	/* private: what was added last, in each look */
	struct frame_added {
		uint64_t serial;
		const struct msg *m;
		size_t n;
		struct frame_slice {
			size_t from, to;     /* bytes */
			size_t mark, nmarks; /* of them */
		} slice;
		enum frame_style style;
		struct buf filter; /* a copy */
	} added[FRAME_LOOKS];
	unsigned turn; /* of the looks with a filter */
};

struct frame_mark {
	struct id id;
	size_t end; /* where its frame ends in bytes */
};

void frame_batch_init(struct frame_batch *f);
void frame_batch_free(struct frame_batch *f);

/* Does a filter let m pass, as it is typed here? */
bool frame_batch_wants(
    const struct frame_batch *f, struct str filter, const struct msg *m);

/* Forget all, and give memory back beyond keep bytes. */
void frame_batch_clear(struct frame_batch *f, size_t keep);

/*
 * Format those of n > 0 messages that are wanted, unless they were added just
 * before: serial differs between any two batches that could stand at the same
 * m. With cursors they are for this client alone, and always formatted.
 * Where they are, which is nowhere (no marks) if none is wanted; check
 * bytes.failed and marks.failed. Pointers into f do not outlive it.
 *
 * To a filter a message without a type is a `message`, as it is to a browser.
 */
struct frame_slice frame_batch_add(struct frame_batch *f, uint64_t serial,
    const struct frame_look *look, const struct msg *m, size_t n);

/* Were these added just before, or is none of them wanted? */
bool frame_batch_has(const struct frame_batch *f, uint64_t serial,
    const struct frame_look *look, const struct msg *m, size_t n);

struct str frame_batch_bytes(
    const struct frame_batch *f, const struct frame_slice *s);

/*
 * The first n bytes of a slice were written. How many messages have been begun,
 * at least one; their last one is *last.
 */
size_t frame_batch_begun(const struct frame_batch *f,
    const struct frame_slice *s, size_t n, struct frame_mark *last);

#endif
