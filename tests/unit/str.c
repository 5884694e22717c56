#include "base/str.h"

#include "tap.h"

#include <string.h>

static const struct str absent = {NULL, 0};

static void
test_equal(void)
{
	ok(str_eq(STR("ab"), STR("ab")), "equal bytes");
	ok(!str_eq(STR("ab"), STR("aB")), "case counts");
	ok(!str_eq(STR("ab"), STR("abc")), "a prefix is not equal");
	ok(str_eq(STR("a\0b"), STR("a\0b")), "equal with NUL");
	ok(!str_eq(STR("a\0b"), STR("a\0c")), "a difference behind NUL");
	ok(str_eq(absent, absent), "absent is absent");
	ok(!str_eq(absent, STR("")), "absent is not empty");
	ok(str_ieq(STR("Last-Event-ID"), STR("last-event-id")), "ieq");
	ok(!str_ieq(STR("@[`{"), STR("`{@[")), "ieq folds letters only");
	ok(!str_ieq(STR("\xc3\x84"), STR("\xc3\xa4")), "ieq is ASCII");
	ok(!str_ieq(STR("a"), STR("ab")), "ieq compares lengths");
	ok(!str_ieq(absent, STR("")), "ieq: absent is not empty");
}

static void
test_parts(void)
{
	struct str rest;

	is_str(str_c(NULL), absent, "NULL is absent");
	is_str(str_c(""), STR(""), "the empty string is empty");
	is_str(str_n("a\0b", 3), STR("a\0b"), "str_n keeps NUL");
	ok(str_starts(STR("data: x"), STR("data")), "starts");
	ok(str_starts(STR("a"), STR("")), "starts with nothing");
	ok(str_starts(absent, absent), "absent starts with absent");
	ok(!str_starts(STR("dat"), STR("data")), "too short to start");
	is_int((long long)str_find(STR("a=b=c"), '='), 1, "find the first");
	is_int((long long)str_find(STR("abc"), '='), 3, "find nothing");
	is_int((long long)str_find(STR("a\0b"), '\0'), 1, "find NUL");
	is_int((long long)str_find(absent, 'a'), 0, "find in absent");
	is_str(str_from(STR("abc"), 1), STR("bc"), "from 1");
	is_str(str_from(STR("abc"), 3), STR(""), "from the end");
	is_str(str_from(absent, 0), absent, "from 0 of absent");
	is_str(str_trim(STR(" \t a b\t ")), STR("a b"), "trim");
	is_str(str_trim(STR(" \t ")), STR(""), "trim all");
	is_str(str_trim(STR("\na\r")), STR("\na\r"), "trim keeps CR, LF");
	is_str(str_trim(absent), absent, "trim absent");
	is_str(str_cut(STR("a=b=c"), '=', &rest), STR("a"), "cut: before");
	is_str(rest, STR("b=c"), "cut: after the first only");
	is_str(str_cut(STR("a="), '=', &rest), STR("a"), "cut at the end");
	is_str(rest, STR(""), "cut at the end: the rest is empty");
	is_str(str_cut(STR("a"), '=', &rest), STR("a"), "nothing to cut");
	is_str(rest, absent, "nothing to cut: the rest is absent");
	is_str(str_cut(absent, '=', &rest), absent, "cut absent");
	is_str(rest, absent, "cut absent: the rest is absent");
}

struct glob {
	struct str pattern, s;
	bool match;
};

static const struct glob globs[] = {
    {{"", 0}, {"", 0}, true},
    {{"", 0}, {"a", 1}, false},
    {{"*", 1}, {"", 0}, true},
    {{"***", 3}, {"", 0}, true},
    {{"*", 1}, {"any\0thing", 9}, true},
    {{"?", 1}, {"", 0}, false},
    {{"?", 1}, {"ab", 2}, false},
    {{"?", 1}, {"\0", 1}, true},
    {{"news.*", 6}, {"news.", 5}, true},
    {{"news.*", 6}, {"news", 4}, false},
    {{"news.*", 6}, {"xnews.a", 7}, false},
    {{"*.txt", 5}, {"a.txt.txt", 9}, true},
    {{"*.txt", 5}, {"a.txt.tx", 8}, false},
    {{"a*b*c", 5}, {"abbc", 4}, true},
    {{"a*b*c", 5}, {"axxbyyc", 7}, true},
    {{"a*b*c", 5}, {"acb", 3}, false},
    {{"h?llo", 5}, {"hello", 5}, true},
    {{"h?llo", 5}, {"hllo", 4}, false},
    {{"A", 1}, {"a", 1}, false},
    /* classes */
    {{"h[ae]llo", 8}, {"hallo", 5}, true},
    {{"h[ae]llo", 8}, {"hillo", 5}, false},
    {{"h[^e]llo", 8}, {"hallo", 5}, true},
    {{"h[^e]llo", 8}, {"hello", 5}, false},
    {{"[a-c]", 5}, {"b", 1}, true},
    {{"[a-c]", 5}, {"d", 1}, false},
    {{"[c-a]", 5}, {"b", 1}, true},
    {{"[^a-c]", 6}, {"b", 1}, false},
    {{"[a-]", 4}, {"-", 1}, false}, /* from a down to ], not closed */
    {{"[a-]", 4}, {"^", 1}, true},
    {{"[a-]b]", 6}, {"^", 1}, true},
    {{"[-a]", 4}, {"-", 1}, true},
    {{"[a-c]", 5}, {"", 0}, false},
    {{"[a\\]]", 5}, {"]", 1}, true},
    {{"[\\^]", 4}, {"^", 1}, true},
    {{"[]", 2}, {"]", 1}, false},
    {{"[]a]", 4}, {"]", 1}, false},
    {{"[^]", 3}, {"x", 1}, true},
    {{"[abc", 4}, {"c", 1}, true},
    {{"[abc", 4}, {"d", 1}, false},
    {{"[", 1}, {"[", 1}, false},
    {{"*[0-9]", 6}, {"room 1a2", 8}, true},
    {{"*[0-9]", 6}, {"room 1a", 7}, false},
    {{"*[*]", 4}, {"a*", 2}, true},
    {{"*[*]", 4}, {"ab", 2}, false},
    /* quoting */
    {{"\\*", 2}, {"*", 1}, true},
    {{"\\*", 2}, {"a", 1}, false},
    {{"\\?", 2}, {"a", 1}, false},
    {{"\\[a]", 4}, {"[a]", 3}, true},
    {{"\\a", 2}, {"a", 1}, true},
    {{"a\\", 2}, {"a\\", 2}, true},
    {{"*\\*", 3}, {"ab*", 3}, true},
};

/* The globs are read in memory of their own, so that an over-read shows. */
static bool
glob_flush(struct str pattern, struct str s)
{
	return str_glob(flush_copy(pattern), s);
}

static void
test_glob(void)
{
	ok(glob_flush(STR("[\x80-\xff]"), STR("\xc3")), "bytes are unsigned");
	ok(!glob_flush(STR("[a-z]"), STR("\xc3")), "and in no ASCII range");
	for (size_t i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
		const struct glob *g = &globs[i];
		ok(glob_flush(g->pattern, g->s) == g->match &&
			str_glob(g->pattern, flush_copy(g->s)) == g->match,
		    "glob %.*s %s %.*s", (int)g->pattern.n, g->pattern.p,
		    g->match ? "matches" : "does not match", (int)g->s.n,
		    g->s.p);
	}
}

/* The definition, one rule a line; for patterns of `*`, `?` and letters. */
static bool
glob_model(struct str p, struct str s)
{
	if (p.n == 0)
		return s.n == 0;
	if (p.p[0] == '*')
		return glob_model(str_from(p, 1), s) ||
		    (s.n > 0 && glob_model(p, str_from(s, 1)));
	return s.n > 0 && (p.p[0] == '?' || p.p[0] == s.p[0]) &&
	    glob_model(str_from(p, 1), str_from(s, 1));
}

/* The n-th text of len bytes over an alphabet. */
static struct str
nth(char *out, size_t len, const char *alphabet, unsigned n)
{
	unsigned size = (unsigned)strlen(alphabet);

	for (size_t i = 0; i < len; i++, n /= size)
		out[i] = alphabet[n % size];
	return str_n(out, len);
}

static void
test_glob_model(void)
{
	char pattern[5], text[5];
	int wrong = 0;

	for (unsigned p = 0; p < 4 * 4 * 4 * 4 * 4; p++)
		for (unsigned t = 0; t < 2 * 2 * 2 * 2 * 2; t++)
			for (size_t n = 0; n <= 5; n++) {
				struct str a = nth(pattern, 5, "ab*?", p);
				struct str b = nth(text, n, "ab", t);
				wrong += str_glob(a, b) != glob_model(a, b);
			}
	is_int(wrong, 0, "glob agrees with its definition");
}

/* With a retry of every star this would not end before the sun does. */
static void
test_glob_time(void)
{
	static char pattern[200], text[100000];

	for (size_t i = 0; i + 1 < sizeof(pattern); i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[sizeof(pattern) - 1] = 'b';
	memset(text, 'a', sizeof(text));
	ok(!str_glob(
	       str_n(pattern, sizeof(pattern)), str_n(text, sizeof(text))),
	    "many stars take bounded time");
}

/* Vectors by the authors of FNV. */
static void
test_hash(void)
{
	ok(str_hash(STR("")) == 0xcbf29ce484222325, "hash of nothing");
	ok(str_hash(STR("a")) == 0xaf63dc4c8601ec8c, "hash of a byte");
	ok(str_hash(STR("foobar")) == 0x85944171f73967e8, "hash of a word");
	ok(str_hash(STR("\0")) != str_hash(STR("")), "NUL counts");
}

int
main(void)
{
	test_equal();
	test_hash();
	test_parts();
	test_glob();
	test_glob_model();
	test_glob_time();
	return done();
}
