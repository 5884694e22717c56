#include "wire/id.h"

#include "tap.h"

#include <string.h>

static void
parses(const char *text, uint64_t ms, uint64_t seq)
{
	struct id id;

	ok(id_parse(flush_copy(str_c(text)), &id) == 0 && id.ms == ms &&
		id.seq == seq,
	    "%s is taken", text);
}

static void
refuses(struct str s, const char *name)
{
	struct id id = {1, 2};

	ok(id_parse(flush_copy(s), &id) == -1 && id.ms == 1 && id.seq == 2,
	    "%s is refused and leaves the id alone", name);
}

static void
test_parse(void)
{
	parses("0-0", 0, 0);
	parses("0-1", 0, 1);
	parses("1756735200000-0", 1756735200000, 0);
	parses("5-18446744073709551615", 5, UINT64_MAX);
	parses("18446744073709551615-18446744073709551615", UINT64_MAX,
	    UINT64_MAX);

	static const char *const bad[] = {"", "-", "5", "5-", "-5", "5-6-7",
	    "+5-6", "5-+6", "-5-6", " 5-6", "5-6 ", "5- 6", "5 -6", "05-6",
	    "5-06", "00-0", "0-00", "5-6\n", "5.6", "5_6", "0x5-6", "5-a", "*",
	    "5-*", "$", "18446744073709551616-0", "0-18446744073709551616",
	    "99999999999999999999999-0"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(str_c(bad[i]), bad[i]);
	refuses(STR("5-6\0"), "5-6 and a NUL");
	refuses(STR("5\0-6"), "a NUL within");
}

static void
test_prefixes(void)
{
	struct str whole = STR("175-42");
	bool good = true;

	for (size_t n = 0; n <= whole.n; n++) {
		struct id id;
		int r = id_parse(flush_copy(str_n(whole.p, n)), &id);
		good = good && (r == 0) == (n > 4);
	}
	ok(good, "a prefix is an id once it has a digit on both sides");
}

static void
test_short(void)
{
	struct id id;

	ok(id_parse_short(flush_copy(STR("17")), 9, &id) == 0 && id.ms == 17 &&
		id.seq == 9,
	    "digits alone get the given sequence number");
	ok(id_parse_short(STR("17"), UINT64_MAX, &id) == 0 &&
		id.seq == UINT64_MAX,
	    "which may be the highest");
	ok(id_parse_short(STR("17-3"), 9, &id) == 0 && id.seq == 3,
	    "a whole id keeps its own");
	ok(id_parse_short(STR("17-"), 9, &id) == -1, "17- is neither");
	ok(id_parse_short(STR(""), 9, &id) == -1, "nor is nothing");
	ok(id_parse_short(STR("017"), 9, &id) == -1, "nor a leading zero");
	ok(id_parse_short(STR("-3"), 9, &id) == -1, "nor a sign");
}

static void
formats(struct id id, const char *want)
{
	char out[ID_TEXT];
	size_t n;

	memset(out, 'x', sizeof out);
	n = id_format(out, id);
	ok(n == strlen(want) && strcmp(out, want) == 0, "%s is written", want);
}

static void
test_order(void)
{
	/* Each is less than the next. */
	static const struct id in[] = {{0, 0}, {0, 1}, {0, UINT64_MAX}, {1, 0},
	    {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}};
	const int n = sizeof in / sizeof *in;
	bool good = true;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++) {
			int cmp = id_cmp(in[i], in[j]);
			good = good && (cmp < 0) == (i < j) &&
			    (cmp > 0) == (i > j) &&
			    id_eq(in[i], in[j]) == (i == j);
		}
	ok(good, "ids are ordered by time, then by sequence number, unsigned");
}

static void
test_neighbours(void)
{
	struct id mid = {7, UINT64_MAX}, next = id_next(mid);

	ok(id_eq(next, (struct id){8, 0}), "the sequence number carries over");
	ok(id_eq(id_prev(next), mid), "and back");
	ok(id_eq(id_prev((struct id){1, 0}), (struct id){0, UINT64_MAX}),
	    "down to the first millisecond");
	ok(id_eq(id_next(ID_MIN), (struct id){0, 1}), "0-1 follows 0-0");
	ok(id_eq(id_prev((struct id){0, 1}), ID_MIN), "0-0 is before 0-1");
	ok(id_eq(id_next(ID_MAX), ID_MAX), "nothing follows the last id");
	ok(id_eq(id_prev(ID_MIN), ID_MIN), "nothing is before the first id");
}

int
main(void)
{
	test_parse();
	test_prefixes();
	test_short();
	formats(ID_MIN, "0-0");
	formats((struct id){1756735200000, 7}, "1756735200000-7");
	formats(ID_MAX, "18446744073709551615-18446744073709551615");
	test_order();
	test_neighbours();
	return done();
}
