#ifndef APP_OUTBOX_H
#define APP_OUTBOX_H

#include "app/client.h"
#include "app/frame_batch.h"
#include "io/burst.h"

#include <ev.h>

/*
 * What clients are to be sent in this turn of the loop: formatted once, and
 * written to all of them together (io/burst.h) when the turn ends.
 */

/*
 * One client's share. sent is called when it was written as far as it went:
 * n bytes of it, or -1 when the client is gone or going.
 */
struct outbox_item {
	struct client *client;
	struct frame_slice slice;
	void (*sent)(void *arg, const struct frame_slice *slice, ssize_t n);
	void *arg;
};

struct outbox {
	struct ev_loop *loop;
	struct frame_batch frames;
	/* private */
	size_t keep;            /* bytes of memory between turns */
	struct ev_prepare turn; /* fed: the end of the turn */
	struct buf items;
	struct burst burst;
};

void outbox_init(struct outbox *o, struct ev_loop *loop, size_t keep);

/* Harmless when zeroed. */
void outbox_free(struct outbox *o);

/*
 * Frames of those of n > 0 messages that are wanted (frame_batch_add), which
 * stay until the end of the turn, or until others are asked for. 0, or -1 out
 * of memory.
 */
int outbox_format(struct outbox *o, uint64_t serial,
    const struct frame_look *look, const struct msg *m, size_t n,
    struct frame_slice *slice);

/*
 * Write the slice that was formatted last, at the end of the turn. A client has
 * one item at a time: before whatever else is to be written to it, and before
 * it goes, comes outbox_flush. 0, or -1 out of memory.
 */
int outbox_add(struct outbox *o, const struct outbox_item *item);

/* Write all at once. sent may not add. */
void outbox_flush(struct outbox *o);

#endif
