#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

/*
 * How often each value occurred: exact below 64, else in 64 steps for each
 * power of two, so that a quantile is wrong by 1.6 % at most.
 */
enum {
	HIST_STEP_BITS = 6,
	HIST_STEPS = 1 << HIST_STEP_BITS,
	HIST_BUCKETS = (64 - HIST_STEP_BITS + 1) * HIST_STEPS,
};

/* Empty when zeroed. */
struct hist {
	uint64_t n, max;
	uint64_t count[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t v);

/* The value that q (0 to 1) of all values do not exceed; 0 when empty. */
uint64_t hist_quantile(const struct hist *h, double q);

#endif
