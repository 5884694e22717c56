#include "base/hist.h"

#include "tap.h"

#include <string.h>

static void
is_counted(uint64_t ms, size_t step)
{
	struct hist h;

	memset(&h, 0, sizeof(h));
	hist_add(&h, ms);
	ok(h.counts[step] == 1 && h.sum_ms == ms &&
		hist_at_most(&h, HIST_STEPS) == 1,
	    "%llu ms is counted once, in step %zu", (unsigned long long)ms,
	    step);
}

static void
cumulates(void)
{
	struct hist h;

	memset(&h, 0, sizeof(h));
	ok(hist_at_most(&h, HIST_STEPS) == 0, "a zeroed one is empty");
	for (uint64_t ms = 0; ms <= 20000; ms++)
		hist_add(&h, ms);
	for (size_t i = 0; i < HIST_STEPS; i++)
		is_int((long long)hist_at_most(&h, i), hist_steps_ms[i] + 1,
		    "all up to a step");
	is_int((long long)hist_at_most(&h, HIST_STEPS), 20001, "all");
	is_int((long long)h.sum_ms, 20000LL * 20001 / 2, "their sum");
}

int
main(void)
{
	is_counted(0, 0);
	is_counted(1, 0);
	is_counted(2, 1);
	is_counted(3, 2);
	is_counted(10000, HIST_STEPS - 1);
	is_counted(10001, HIST_STEPS);
	is_counted(UINT64_MAX, HIST_STEPS);
	for (size_t i = 1; i < HIST_STEPS; i++)
		ok(hist_steps_ms[i - 1] < hist_steps_ms[i], "steps ascend");
	cumulates();
	return done();
}
