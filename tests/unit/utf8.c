#include "wire/utf8.h"

#include "tap.h"

#include <stdint.h>
#include <string.h>

/* By the arithmetic of RFC 3629, not by the table of ranges. */
static size_t
length(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t want = p[0] < 0x80 ? 1
	    : p[0] >> 5 == 6      ? 2
	    : p[0] >> 4 == 14     ? 3
	    : p[0] >> 3 == 30     ? 4
				  : 0;
	uint32_t c = p[0] & 0x7f >> want;

	if (want <= 1)
		return want;
	if (n < want)
		return 0;
	for (size_t i = 1; i < want; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[want] || c > 0x10ffff || c >> 11 == 0x1b ? 0 : want;
}

static bool
agrees(const unsigned char *p, size_t n)
{
	struct str s = str_n(p, n);
	size_t want = length(p, n);

	return utf8_len(s) == want && (want != n || utf8_valid(s));
}

static void
test_all_of_three(void)
{
	bool good = true;

	for (uint32_t v = 0; v < 1u << 24; v++) {
		unsigned char p[] = {
		    (unsigned char)(v >> 16), v >> 8 & 0xff, v & 0xff};
		good = good && agrees(p, 3);
	}
	ok(good, "every three bytes");
}

static void
test_four(void)
{
	static const unsigned char edge[] = {
	    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
	const size_t n = sizeof edge;
	bool good = true;

	for (size_t i = 0; i < 16 * n * n * n; i++) {
		unsigned char p[] = {(unsigned char)(0xf0 | i / n / n / n),
		    edge[i / n / n % n], edge[i / n % n], edge[i % n]};
		for (size_t len = 1; len <= 4; len++)
			good = good && agrees(p, len);
	}
	ok(good, "four bytes, at the edges of each range, whole and cut");
}

static void
test_valid(void)
{
	ok(utf8_valid((struct str){NULL, 0}), "nothing is valid");
	ok(utf8_len((struct str){NULL, 0}) == 0, "and begins no sequence");
	ok(utf8_valid(STR("a\0b")), "NUL is a character");
	ok(utf8_valid(STR("\xef\xbb\xbfx")), "a byte order mark is one too");
	ok(utf8_valid(STR("\xef\xbf\xbf")), "and U+FFFF");
	ok(!utf8_valid(STR("abcdefgh\xff")), "a bad byte behind eight good");
	ok(!utf8_valid(STR("abcdefg\xffhijklmnop")), "or among them");
}

static void
test_prefixes(void)
{
	/* Ends of characters: 1 3 6 10 18. */
	struct str whole = STR("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
			       "12345678");
	bool good = true;

	for (size_t n = 0; n <= whole.n; n++) {
		bool cut = n == 2 || n == 4 || n == 5 || (n > 6 && n < 10);
		struct str s = flush_copy(str_n(whole.p, n));
		good = good && utf8_valid(s) == !cut;
	}
	ok(good, "a prefix is valid unless it cuts a character");
}

static void
lossy(struct str s, struct str want, const char *name)
{
	struct buf b;

	buf_init(&b, 1000);
	utf8_add_lossy(&b, flush_copy(s));
	is_str(buf_str(&b), want, name);
	buf_free(&b);
}

#define R "\xef\xbf\xbd"

static void
test_lossy(void)
{
	lossy(STR(""), STR(""), "nothing");
	lossy(STR("h\xc3\xa9\0!"), STR("h\xc3\xa9\0!"), "good text stays");
	lossy(STR("\xff"), STR(R), "a byte that begins nothing");
	lossy(STR("a\x80\x80z"), STR("a" R R "z"), "stray continuations");
	lossy(STR("\xe2\x82"), STR(R), "a cut character is one part");
	lossy(STR("\xf0\x9f\x98z"), STR(R "z"), "of three bytes also");
	lossy(STR("\xf0\x80\x80\x80"), STR(R R R R), "overlong: each byte");
	lossy(STR("\xed\xa0\x80"), STR(R R R), "a surrogate: each byte");
	lossy(STR("\xc0\xaf"), STR(R R), "overlong slash");
	lossy(STR("\xf4\x90\x80\x80"), STR(R R R R), "above U+10FFFF");
	lossy(STR("\xe2\xe2\x82\xac"), STR(R "\xe2\x82\xac"),
	    "a lead byte ends the part before it");
	/* Unicode 15, table 3-11. */
	lossy(STR("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), STR(R R R R "A"),
	    "truncated sequences in a row");
}

static void
test_line(void)
{
	ok(utf8_is_line(STR("")), "an empty line");
	ok(utf8_is_line(flush_copy(STR("a \xc2\xa0\xe2\x82\xac"))), "a line");
	ok(!utf8_is_line(flush_copy(STR("a\xc2"))), "not well-formed");
	ok(!utf8_is_line(STR("\xc2\x85")), "C1");
	ok(!utf8_is_line(STR("\x7f")), "DEL");
	ok(!utf8_is_line(STR("a\nb")), "two lines");
}

int
main(void)
{
	test_all_of_three();
	test_four();
	test_valid();
	test_prefixes();
	test_lossy();
	test_line();
	return done();
}
