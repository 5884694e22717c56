#include "core/ratelimit.h"

#include "tap.h"

#include <stdio.h>

enum { START = 1000000 };

static bool
pass(struct ratelimit *r, unsigned n, int64_t now_ms)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "room %u: WRONGTYPE", n);

	return ratelimit_pass(r, str_n(text, (size_t)len), now_ms);
}

static void
once_a_minute(void)
{
	struct ratelimit r = {0};

	ok(pass(&r, 1, START), "said for the first time");
	ok(!pass(&r, 1, START), "not twice");
	ok(!pass(&r, 1, START + RATELIMIT_MS - 1), "not within a minute");
	ok(pass(&r, 2, START + 1), "something else");
	ok(pass(&r, 1, START + RATELIMIT_MS), "again after a minute");
	ok(!pass(&r, 1, START + RATELIMIT_MS + 1), "and once again");
	ok(ratelimit_pass(&r, STR(""), START), "nothing is a text, too");
	ok(!ratelimit_pass(&r, STR(""), START), "of its own");
}

static void
bounded(void)
{
	struct ratelimit r = {0};
	unsigned passed = 0;

	for (unsigned i = 0; i < 3 * RATELIMIT_MAX; i++)
		passed += pass(&r, i, START + i);
	is_int(passed, RATELIMIT_MAX, "no more than so many");
	ok(!pass(&r, 0, START + RATELIMIT_MS - 1), "the oldest is remembered");
	ok(pass(&r, 1000, START + RATELIMIT_MS), "which makes room");
	ok(!pass(&r, 1001, START + RATELIMIT_MS), "for one");
}

static void
clock_set(void)
{
	struct ratelimit r = {0};

	ok(pass(&r, 1, START), "before the clock is set");
	ok(pass(&r, 1, START / 2), "back");
	ok(!pass(&r, 1, START / 2 + 1), "from then on as before");
	ok(pass(&r, 1, START * 2), "forth");
	ok(pass(&r, 2, 0), "at the beginning of time");
	ok(!pass(&r, 2, 0), "likewise");
}

int
main(void)
{
	once_a_minute();
	bounded();
	clock_set();
	return done();
}
