#ifndef CORE_BACKOFF_H
#define CORE_BACKOFF_H

#include <stdint.h>

/*
 * Capped exponential delay with full jitter: the n-th delay, counted from 0, is
 * drawn evenly from [base/2, min(cap, base * 2^n)].
 */
struct backoff {
	uint32_t base_ms, cap_ms;
	unsigned n;
	uint64_t seed;
};

/* seed: anything that differs between processes and connections. */
void backoff_init(
    struct backoff *b, uint32_t base_ms, uint32_t cap_ms, uint64_t seed);

/* It worked: the next delay is a first one again. */
void backoff_reset(struct backoff *b);

/* The next delay, in ms. */
uint32_t backoff_next(struct backoff *b);

/* v +- percent % of it (at most 100), drawn evenly. */
uint32_t backoff_jitter(struct backoff *b, uint32_t v, unsigned percent);

#endif
