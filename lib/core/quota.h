#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include "base/str.h"

#include <stdint.h>

/*
 * How much each peer may do in a time: who has done nothing for that long may
 * do all of it at once, and it comes back evenly.
 *
 * The memory is fixed. Where there are more peers than it can tell apart, some
 * share what one of them may do, so that nobody gains by coming from many
 * addresses.
 */
struct quota_rate {
	uint64_t n;     /* so much, at most 1 000 000; 0: no limit */
	int64_t per_ms; /* in this time, at least 1 s */
};

enum { QUOTA_SETS = 512, QUOTA_WAYS = 8 };

/* Begins zeroed. */
struct quota {
	struct quota_peer {
		uint64_t hash;
		int64_t whole_us; /* when all of it will have come back */
	} peers[QUOTA_SETS][QUOTA_WAYS];
};

/*
 * How long until this peer may do n: 0 for now, else ms; -1: never, it is more
 * than the rate allows at once. now_ms: Unix time; it may jump.
 */
int64_t quota_wait(struct quota *q, const struct quota_rate *rate,
    struct str peer, uint64_t n, int64_t now_ms);

/* The same; with 0 it is done. */
int64_t quota_take(struct quota *q, const struct quota_rate *rate,
    struct str peer, uint64_t n, int64_t now_ms);

#endif
