#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stddef.h>
#include <stdint.h>

/*
 * How often something took how long: times are counted by fixed steps of 1 ms
 * to 10 s. A zeroed one is empty.
 */

enum { HIST_STEPS = 13 };

/* Ascending, ms. */
extern const uint32_t hist_steps_ms[HIST_STEPS];

struct hist {
	/* Times up to this step and beyond the one before; the last: longer. */
	uint64_t counts[HIST_STEPS + 1];
	uint64_t sum_ms;
};

void hist_add(struct hist *h, uint64_t ms);

/* How many took no longer than that step; of HIST_STEPS: all. */
uint64_t hist_at_most(const struct hist *h, size_t step);

#endif
