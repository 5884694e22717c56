#ifndef APP_MERGE_H
#define APP_MERGE_H

#include "base/buf.h"
#include "wire/msg.h"

/*
 * Messages of one channel that wait until those of the other channels are
 * there, so that all can be put in the order of their ids.
 */
struct merge_queue {
	struct buf msgs, fields, bytes;
	size_t at, n;
};

void merge_init(struct merge_queue *q);
void merge_free(struct merge_queue *q);

/* Replace what q holds by copies of n messages. 0, or -1 out of memory. */
int merge_fill(struct merge_queue *q, const struct msg *m, size_t n);

/* The next message, or NULL when q is empty. */
const struct msg *merge_peek(const struct merge_queue *q);
void merge_next(struct merge_queue *q);

#endif
