#include "core/quota.h"

#include "tap.h"

#include <stdio.h>

enum { START = 1000000000, SECOND = 1000 };

static const struct quota_rate three = {3, SECOND};

static int64_t
take(struct quota *q, const char *peer, uint64_t n, int64_t now_ms)
{
	return quota_take(q, &three, str_c(peer), n, now_ms);
}

static int64_t
nth(struct quota *q, unsigned i, uint64_t n, int64_t now_ms)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "192.0.2.%u", i);

	return quota_take(q, &three, str_n(text, (size_t)len), n, now_ms);
}

static void
evenly(void)
{
	static struct quota q;
	int64_t now = START;

	for (int i = 0; i < 3; i++)
		is_int(take(&q, "a", 1, now), 0, "all of it at once");
	is_int(take(&q, "a", 1, now), 334, "and then a part of the time");
	is_int(take(&q, "a", 1, now + 333), 1, "to the end");
	is_int(take(&q, "b", 3, now), 0, "each for himself");
	now += 334;
	is_int(take(&q, "a", 1, now), 0, "one has come back");
	ok(take(&q, "a", 1, now) > 0, "no more");
	now += 10 * SECOND;
	is_int(take(&q, "a", 3, now), 0, "but never more than all of it");
	ok(take(&q, "a", 1, now) > 0, "however long he waited");
}

static void
many_at_once(void)
{
	static struct quota q;

	is_int(take(&q, "a", 4, START), -1, "more than there ever is");
	is_int(take(&q, "a", 2, START), 0, "two, of which the four took none");
	is_int(take(&q, "a", 3, START), 667, "three in two thirds");
	is_int(take(&q, "a", 1, START), 0, "of which the three took none");
	is_int(take(&q, "a", 0, START), 0, "nothing is always left");
}

static void
only_asked(void)
{
	static struct quota q;

	for (int i = 0; i < 5; i++)
		is_int(quota_wait(&q, &three, STR("a"), 3, START), 0,
		    "who asks takes nothing");
	is_int(take(&q, "a", 3, START), 0, "it is still there");
	is_int(
	    quota_wait(&q, &three, STR("a"), 1, START), 334, "now it is not");
	is_int(quota_wait(&q, &three, STR("a"), 4, START), -1, "never");
}

static void
average(void)
{
	static const struct quota_rate rates[] = {{1, SECOND}, {7, SECOND},
	    {1000, SECOND}, {1000000, SECOND}, {1, 3600 * SECOND},
	    {1000000, 3600 * SECOND}};

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		const struct quota_rate *r = &rates[i];
		static struct quota q;
		int64_t now, end = START + 10 * r->per_ms;
		uint64_t n = 0;
		for (now = START; now < end; now += r->per_ms / 100)
			while (n <= 12 * r->n &&
			    quota_take(&q, r, STR("a"), r->n / 10 + 1, now) ==
				0)
				n += r->n / 10 + 1;
		ok(n >= 10 * r->n && n <= 11 * r->n,
		    "%llu in the time: at most 11 times that in 10",
		    (unsigned long long)r->n);
		q = (struct quota){0};
	}
}

static void
clock_set(void)
{
	static struct quota q;

	is_int(take(&q, "a", 3, START), 0, "before the clock is set");
	is_int(take(&q, "a", 3, START / 2), 0, "back");
	ok(take(&q, "a", 1, START / 2) > 0, "from then on as before");
	is_int(take(&q, "a", 3, START * 2LL), 0, "forth");
	is_int(take(&q, "b", 3, 0), 0, "at the beginning of time");
}

/* More peers than places, all at once: each place gives away no more. */
static void
bounded(void)
{
	static struct quota q;
	unsigned taken = 0, free_again = 0;

	for (unsigned i = 0; i < 100000; i++)
		for (int k = 0; k < 4; k++)
			taken += nth(&q, i, 1, START) == 0;
	ok(taken <= 3 * QUOTA_SETS * QUOTA_WAYS, "%u by 100000 peers", taken);
	ok(taken > QUOTA_SETS * QUOTA_WAYS, "all places are in use");
	for (unsigned i = 0; i < 1000; i++)
		free_again += nth(&q, i + 200000, 3, START + SECOND) == 0;
	is_int(free_again, 1000, "after the time there is room for others");
}

int
main(void)
{
	evenly();
	many_at_once();
	only_asked();
	average();
	clock_set();
	bounded();
	return done();
}
