#include "hist.h"

static unsigned
bucket(uint64_t v)
{
	unsigned shift;

	if (v < HIST_STEPS)
		return (unsigned)v;
	shift = 63U - (unsigned)__builtin_clzll(v) - HIST_STEP_BITS;
	return (shift + 1) * HIST_STEPS + (unsigned)(v >> shift) - HIST_STEPS;
}

/* The smallest value in bucket i. */
static uint64_t
least(unsigned i)
{
	unsigned shift = i / HIST_STEPS;

	if (shift == 0)
		return i;
	return (uint64_t)(HIST_STEPS + i % HIST_STEPS) << (shift - 1);
}

void
hist_add(struct hist *h, uint64_t v)
{
	h->count[bucket(v)]++;
	h->n++;
	if (v > h->max)
		h->max = v;
}

uint64_t
hist_quantile(const struct hist *h, double q)
{
	uint64_t below = 0, rank = (uint64_t)(q * (double)h->n);

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		below += h->count[i];
		if (below > rank)
			return least(i);
	}
	return h->max;
}
