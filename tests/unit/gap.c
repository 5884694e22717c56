#include "core/gap.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

/* ---- The table ---- */

#define MS(n)        \
	{            \
		n, 1 \
	}

static const struct row {
	const char *name;
	struct gap_facts f; /* exists unless last is 0-0 */
	struct id cursor;
	uint64_t ordinal;
	enum gap_reason reason;
	struct id resume;
	bool certain, has_lost;
	uint64_t lost;
} rows[] = {
    {"a start, no key", {0}, {0, 0}, 0, GAP_NONE, {0, 0}, 0, 0, 0},
    {"a start, trimmed", {1, 0, 2, MS(8), MS(9), 1, 9, {0, 0}}, {0, 0}, 0,
	GAP_NONE, {0, 0}, 0, 0, 0},
    {"a time, no key", {0}, {5, UINT64_MAX}, 0, GAP_NONE, {5, UINT64_MAX}, 0, 0,
	0},
    {"a time, trimmed", {1, 0, 2, MS(8), MS(9), 1, 9, {0, 0}}, {5, UINT64_MAX},
	0, GAP_NONE, {5, UINT64_MAX}, 0, 0, 0},
    {"a time to come", {1, 0, 2, MS(8), MS(9), 1, 9, {0, 0}}, {50, UINT64_MAX},
	0, GAP_NONE, {50, UINT64_MAX}, 0, 0, 0},

    {"no key", {0}, MS(5), 0, GAP_RESET, {0, 0}, 1, 0, 0},
    {"beyond the end", {1, 0, 2, MS(1), MS(4), 1, 2, {0, 0}}, MS(5), 0,
	GAP_REWOUND, MS(4), 1, 0, 0},
    {"beyond the end of an empty stream",
	{1, 0, 0, {0, 0}, {0, 0}, 1, 0, {0, 0}}, MS(5), 0, GAP_REWOUND, {0, 0},
	1, 0, 0},
    {"at the end", {1, 1, 2, MS(4), MS(5), 1, 9, {0, 0}}, MS(5), 0, GAP_NONE,
	MS(5), 0, 0, 0},
    {"at the end, deleted", {1, 0, 1, MS(4), MS(5), 1, 9, MS(5)}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},
    {"at the end of an empty stream", {1, 0, 0, {0, 0}, MS(5), 1, 9, {0, 0}},
	MS(5), 0, GAP_NONE, MS(5), 0, 0, 0},

    {"there", {1, 1, 3, MS(4), MS(9), 1, 9, {0, 0}}, MS(5), 0, GAP_NONE, MS(5),
	0, 0, 0},
    {"there, the first", {1, 1, 3, MS(5), MS(9), 1, 9, {0, 0}}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},
    {"deleted", {1, 0, 3, MS(4), MS(9), 1, 9, MS(5)}, MS(5), 0, GAP_NONE, MS(5),
	0, 0, 0},
    {"perhaps deleted", {1, 0, 3, MS(4), MS(9), 1, 9, MS(7)}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},
    {"never there", {1, 0, 3, MS(4), MS(9), 1, 9, MS(4)}, MS(5), 0,
	GAP_DIVERGED, MS(5), 1, 0, 0},
    {"never there, Redis 6", {1, 0, 3, MS(4), MS(9), 0, 0, {0, 0}}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},

    {"the next is the first", {1, 0, 2, {5, 2}, MS(9), 0, 0, {0, 0}}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},
    {"trimmed, Redis 6", {1, 0, 2, MS(8), MS(9), 0, 0, {0, 0}}, MS(5), 0,
	GAP_TRIMMED, {8, 0}, 0, 0, 0},
    {"trimmed, first seq 0", {1, 0, 2, {8, 0}, MS(9), 0, 0, {0, 0}}, MS(5), 0,
	GAP_TRIMMED, {7, UINT64_MAX}, 0, 0, 0},
    {"trimmed to nothing, Redis 6", {1, 0, 0, {0, 0}, MS(9), 0, 0, {0, 0}},
	MS(5), 0, GAP_TRIMMED, MS(9), 0, 0, 0},
    {"nothing was ever removed", {1, 0, 2, MS(8), MS(9), 1, 2, {0, 0}}, MS(5),
	0, GAP_RESET, {8, 0}, 1, 0, 0},
    {"one was removed, the cursor", {1, 0, 2, MS(8), MS(9), 1, 3, {0, 0}},
	MS(5), 0, GAP_NONE, MS(5), 0, 0, 0},
    {"one was removed, by XDEL", {1, 0, 2, MS(8), MS(9), 1, 3, MS(5)}, MS(5), 0,
	GAP_NONE, MS(5), 0, 0, 0},
    {"one was removed, another", {1, 0, 2, MS(8), MS(9), 1, 3, MS(7)}, MS(5), 0,
	GAP_RESET, {8, 0}, 1, 0, 0},
    {"two were removed, one by XDEL", {1, 0, 2, MS(8), MS(9), 1, 4, MS(7)},
	MS(5), 0, GAP_NONE, MS(5), 0, 0, 0},
    {"two were removed", {1, 0, 2, MS(8), MS(9), 1, 4, {0, 0}}, MS(5), 0,
	GAP_TRIMMED, {8, 0}, 0, 0, 0},
    {"only one ever was", {1, 0, 0, {0, 0}, MS(9), 1, 1, {0, 0}}, MS(5), 0,
	GAP_RESET, MS(9), 1, 0, 0},
    {"trimmed to nothing", {1, 0, 0, {0, 0}, MS(9), 1, 9, {0, 0}}, MS(5), 0,
	GAP_TRIMMED, MS(9), 1, 0, 0},
    {"trimmed to nothing, some by XDEL", {1, 0, 0, {0, 0}, MS(9), 1, 9, MS(8)},
	MS(5), 0, GAP_TRIMMED, MS(9), 1, 0, 0},
    {"the last by XDEL", {1, 0, 0, {0, 0}, MS(9), 1, 9, MS(9)}, MS(5), 0,
	GAP_TRIMMED, MS(9), 0, 0, 0},
    {"a count that cannot be", {1, 0, 9, MS(8), MS(9), 1, 3, {0, 0}}, MS(5), 0,
	GAP_TRIMMED, {8, 0}, 0, 0, 0},

    {"ordinal: none lost", {1, 0, 2, MS(8), MS(9), 1, 7, {0, 0}}, MS(5), 5,
	GAP_NONE, MS(5), 0, 0, 0},
    {"ordinal: two lost", {1, 0, 2, MS(8), MS(9), 1, 9, MS(5)}, MS(5), 5,
	GAP_TRIMMED, {8, 0}, 1, 1, 2},
    {"ordinal: to nothing", {1, 0, 0, {0, 0}, MS(9), 1, 9, {0, 0}}, MS(5), 5,
	GAP_TRIMMED, MS(9), 1, 1, 4},
    {"ordinal: one deleted", {1, 0, 2, MS(8), MS(9), 1, 8, MS(7)}, MS(5), 5,
	GAP_NONE, MS(5), 0, 0, 0},
    {"ordinal: some deleted", {1, 0, 2, MS(8), MS(9), 1, 9, MS(7)}, MS(5), 5,
	GAP_TRIMMED, {8, 0}, 0, 0, 0},
    {"ordinal: too few removed", {1, 0, 2, MS(8), MS(9), 1, 6, {0, 0}}, MS(5),
	5, GAP_RESET, {8, 0}, 1, 0, 0},

    {"dense: none lost", {1, 0, 4, {0, 6}, {0, 9}, 1, 9, {0, 0}}, {0, 5}, 0,
	GAP_NONE, {0, 5}, 0, 0, 0},
    {"dense: two lost", {1, 0, 2, {0, 8}, {0, 9}, 1, 9, {0, 0}}, {0, 5}, 0,
	GAP_TRIMMED, {0, 7}, 1, 1, 2},
    {"dense: two lost, Redis 6", {1, 0, 2, {0, 8}, {0, 9}, 0, 0, {0, 0}},
	{0, 5}, 0, GAP_TRIMMED, {0, 7}, 1, 1, 2},
    {"dense: to nothing", {1, 0, 0, {0, 0}, {0, 9}, 1, 9, {0, 0}}, {0, 5}, 0,
	GAP_TRIMMED, {0, 9}, 1, 1, 4},
    {"dense: one deleted", {1, 0, 3, {0, 7}, {0, 9}, 1, 9, {0, 6}}, {0, 5}, 0,
	GAP_NONE, {0, 5}, 0, 0, 0},
    {"dense: one of two deleted", {1, 0, 2, {0, 8}, {0, 9}, 1, 9, {0, 6}},
	{0, 5}, 0, GAP_TRIMMED, {0, 7}, 1, 0, 0},
    {"dense: perhaps all deleted", {1, 0, 2, {0, 8}, {0, 9}, 1, 9, {0, 7}},
	{0, 5}, 0, GAP_TRIMMED, {0, 7}, 0, 0, 0},
    {"dense: a later one deleted", {1, 0, 2, {0, 7}, {0, 9}, 1, 9, {0, 8}},
	{0, 5}, 0, GAP_TRIMMED, {0, 6}, 0, 0, 0},
    {"dense: made anew", {1, 0, 2, {0, 8}, {0, 9}, 1, 2, {0, 0}}, {0, 5}, 0,
	GAP_RESET, {0, 7}, 1, 0, 0},
};

/* Asking again from where a gap says to go on finds none. */
static bool
settles(const struct gap_facts *f, const struct gap *g)
{
	if (g->reason == GAP_NONE || g->reason == GAP_DIVERGED)
		return true;
	return gap_check(f, g->resume, 0).reason == GAP_NONE;
}

static void
test_row(const struct row *r)
{
	struct gap g = gap_check(&r->f, r->cursor, r->ordinal);
	struct id first = r->f.length > 0 ? r->f.first : ID_MIN;
	bool same = g.reason == r->reason && g.certain == r->certain &&
	    g.has_lost == r->has_lost && g.lost == r->lost &&
	    id_eq(g.resume, r->resume);

	if (!ok(same, "%s", r->name))
		printf("# %s, resume %ju-%ju, certain %d, lost %d %ju\n",
		    gap_name(g.reason), (uintmax_t)g.resume.ms,
		    (uintmax_t)g.resume.seq, g.certain, g.has_lost,
		    (uintmax_t)g.lost);
	ok(id_eq(g.after, r->cursor) && id_eq(g.first, first) &&
		settles(&r->f, &g),
	    "%s: after, first, and no gap from resume", r->name);
}

static void
test_names(void)
{
	is_str(str_c(gap_name(GAP_NONE)), STR("none"), "none");
	is_str(str_c(gap_name(GAP_TRIMMED)), STR("trimmed"), "trimmed");
	is_str(str_c(gap_name(GAP_RESET)), STR("reset"), "reset");
	is_str(str_c(gap_name(GAP_REWOUND)), STR("rewound"), "rewound");
	is_str(str_c(gap_name(GAP_DIVERGED)), STR("diverged"), "diverged");
	is_str(
	    str_c(gap_name(GAP_BAD_CURSOR)), STR("bad-cursor"), "bad-cursor");
	is_str(str_c(gap_name(GAP_HISTORY)), STR("history"), "history");
}

/* ---- Verdicts against the truth, on random streams ---- */

enum { ENTRIES = 12, STREAMS = 200000 };

struct stream {
	uint64_t random;
	bool dense;
	uint64_t n; /* entries ever added; the i-th is number i + 1 */
	enum { HERE, DELETED, TRIMMED } state[ENTRIES];
	struct id max_deleted;
};

static uint64_t
below(struct stream *s, uint64_t n)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (s->random >> 33) % n;
}

static struct id
id_of(const struct stream *s, uint64_t i)
{
	if (s->dense)
		return (struct id){0, i + 1};
	return (struct id){100 + i / 3, i % 3};
}

static void
make(struct stream *s, uint64_t seed)
{
	uint64_t trim;

	memset(s, 0, sizeof(*s));
	s->random = seed;
	s->dense = below(s, 2);
	s->n = 1 + below(s, ENTRIES);
	for (uint64_t k = below(s, 4); k > 0; k--) {
		uint64_t i = below(s, s->n);
		s->state[i] = DELETED;
		if (id_cmp(id_of(s, i), s->max_deleted) > 0)
			s->max_deleted = id_of(s, i);
	}
	trim = below(s, s->n + 1);
	for (uint64_t i = 0; i < trim; i++)
		if (s->state[i] == HERE)
			s->state[i] = TRIMMED;
}

static struct gap_facts
facts(const struct stream *s, uint64_t cursor)
{
	struct gap_facts f = {
	    .exists = true,
	    .cursor_exists = s->state[cursor] == HERE,
	    .last = id_of(s, s->n - 1),
	    .has_added = true,
	    .added = s->n,
	    .max_deleted = s->max_deleted,
	};

	for (uint64_t i = s->n; i-- > 0;) {
		if (s->state[i] != HERE)
			continue;
		f.length++;
		f.first = id_of(s, i);
	}
	return f;
}

/* No loss is passed over, no certain gap is a false one, a count is exact. */
static bool
is_true(const struct gap *g, uint64_t lost)
{
	if (g->reason == GAP_NONE)
		return lost == 0;
	if (g->reason != GAP_TRIMMED || (g->certain && lost == 0))
		return false;
	return !g->has_lost || g->lost == lost;
}

/* The verdict on every cursor; how many of them are still open. */
static bool
judge(struct stream *s, uint64_t *open)
{
	for (uint64_t c = 0; c < s->n; c++) {
		struct gap_facts f = facts(s, c);
		struct gap with = gap_check(&f, id_of(s, c), c + 1);
		struct gap without = gap_check(&f, id_of(s, c), 0);
		uint64_t lost = 0;

		for (uint64_t i = c + 1; i < s->n; i++)
			lost += s->state[i] == TRIMMED;
		if (!is_true(&with, lost) || !is_true(&without, lost))
			return false;
		if (id_cmp(s->max_deleted, id_of(s, c)) <= 0)
			*open += with.reason != GAP_NONE && !with.has_lost;
		f.has_added = false;
		f.max_deleted = ID_MIN;
		without = gap_check(&f, id_of(s, c), 0);
		if (without.reason == GAP_NONE && lost > 0)
			return false;
	}
	return true;
}

static void
test_truth(void)
{
	struct stream s;
	uint64_t seed, open = 0;

	for (seed = 0; seed < STREAMS; seed++) {
		make(&s, seed);
		if (!judge(&s, &open))
			break;
	}
	if (!ok(seed == STREAMS, "verdicts agree with the truth"))
		printf("# seed %ju\n", (uintmax_t)seed);
	ok(open == 0, "with an ordinal and no later deletion all are exact");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		test_row(&rows[i]);
	test_names();
	test_truth();
	return done();
}
