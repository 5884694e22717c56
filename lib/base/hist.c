#include "base/hist.h"

const uint32_t hist_steps_ms[HIST_STEPS] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};

/* Most times are short. */
void
hist_add(struct hist *h, uint64_t ms)
{
	size_t i = 0;

	while (i < HIST_STEPS && ms > hist_steps_ms[i])
		i++;
	h->counts[i]++;
	h->sum_ms += ms;
}

uint64_t
hist_at_most(const struct hist *h, size_t step)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= step; i++)
		n += h->counts[i];
	return n;
}
