#include "core/backoff.h"

#include "tap.h"

#include <stdbool.h>
#include <stddef.h>

enum { DRAWS = 20000 };

struct range {
	uint32_t low, high;
};

/* What the n-th delay was, over many seeds. */
static struct range
nth(uint32_t base, uint32_t cap, unsigned n)
{
	struct range r = {UINT32_MAX, 0};

	for (uint64_t seed = 0; seed < DRAWS; seed++) {
		struct backoff b;
		uint32_t v = 0;
		backoff_init(&b, base, cap, seed);
		for (unsigned i = 0; i <= n; i++)
			v = backoff_next(&b);
		r.low = v < r.low ? v : r.low;
		r.high = v > r.high ? v : r.high;
	}
	return r;
}

/* Within [low, high], and close to both ends. */
static bool
fills(struct range r, uint32_t low, uint32_t high)
{
	uint32_t slack = (high - low) / 100;

	return r.low >= low && r.high <= high && r.low <= low + slack &&
	    r.high >= high - slack;
}

static void
test_growth(void)
{
	ok(fills(nth(1000, 30000, 0), 500, 1000), "first: base/2 to base");
	ok(fills(nth(1000, 30000, 1), 500, 2000), "second: up to 2 * base");
	ok(fills(nth(1000, 30000, 4), 500, 16000), "fifth: up to 16 * base");
	ok(fills(nth(1000, 30000, 5), 500, 30000), "sixth: capped");
	ok(fills(nth(1000, 30000, 50), 500, 30000), "51st: capped still");
}

static void
test_extremes(void)
{
	ok(fills(nth(0, 30000, 3), 0, 0), "no base, no delay");
	ok(fills(nth(1, 1, 9), 0, 1), "one millisecond");
	ok(fills(nth(1000, 100, 0), 100, 100), "a cap below base/2");
	ok(fills(nth(UINT32_MAX, UINT32_MAX, 40), UINT32_MAX / 2, UINT32_MAX),
	    "the greatest base and cap");
}

static void
test_even(void)
{
	struct backoff b;
	unsigned bins[10] = {0}, worst = 0;

	backoff_init(&b, 1000, 1000, 42);
	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t v = backoff_next(&b) - 500;
		bins[v < 500 ? v / 50 : 9]++;
	}
	for (size_t i = 0; i < 10; i++) {
		unsigned d = bins[i] > DRAWS / 10 ? bins[i] - DRAWS / 10
						  : DRAWS / 10 - bins[i];
		worst = d > worst ? d : worst;
	}
	ok(worst < DRAWS / 100, "drawn evenly");
}

static void
test_reset(void)
{
	struct backoff a, b;
	bool same = true, apart = false, small = true;

	backoff_init(&a, 100, 60000, 1);
	backoff_init(&b, 100, 60000, 1);
	for (unsigned i = 0; i < 20; i++)
		same = same && backoff_next(&a) == backoff_next(&b);
	ok(same, "the same seed gives the same delays");
	for (unsigned i = 0; i < 50; i++) {
		backoff_reset(&a);
		uint32_t v = backoff_next(&a);
		small = small && v >= 50 && v <= 100;
	}
	ok(small, "after a reset, first delays");
	backoff_init(&a, 10000, 60000, 1);
	backoff_init(&b, 10000, 60000, 2);
	for (unsigned i = 0; i < 5; i++)
		apart = apart || backoff_next(&a) != backoff_next(&b);
	ok(apart, "neighbouring seeds differ");
}

static struct range
jittered(uint32_t v, unsigned percent)
{
	struct range r = {UINT32_MAX, 0};
	struct backoff b;

	backoff_init(&b, 1000, 1000, 7);
	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t j = backoff_jitter(&b, v, percent);
		r.low = j < r.low ? j : r.low;
		r.high = j > r.high ? j : r.high;
	}
	return r;
}

static void
test_jitter(void)
{
	ok(fills(jittered(3000, 20), 2400, 3600), "20 %%");
	ok(fills(jittered(3000, 0), 3000, 3000), "0 %%");
	ok(fills(jittered(3000, 100), 0, 6000), "100 %%");
	ok(fills(jittered(3000, 500), 0, 6000), "more is 100 %%");
	ok(fills(jittered(0, 20), 0, 0), "of nothing");
	ok(fills(jittered(UINT32_MAX, 50), UINT32_MAX / 2, UINT32_MAX),
	    "no overflow");
}

int
main(void)
{
	test_growth();
	test_extremes();
	test_even();
	test_reset();
	test_jitter();
	return done();
}
