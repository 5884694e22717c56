#include "wire/cursor.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 64, NAME = 256 };

/* A reader of some channels, in the order of the operands. */
struct reader {
	struct cursor_part part[MANY], *sorted[MANY];
	size_t n;
};

static void
sort(struct reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		r->sorted[i] = &r->part[i];
	cursor_sort(r->sorted, r->n);
}

/* Of the channels of these names, separated by blanks; nothing is known. */
static void
ask(struct reader *r, const char *names)
{
	struct str left = str_c(names);

	for (r->n = 0; left.n > 0; r->n++)
		r->part[r->n] = cursor_part_of(str_cut(left, ' ', &left));
	sort(r);
}

static void
know(struct reader *r, size_t i, uint64_t ms, uint64_t seq)
{
	r->part[i].id = (struct id){ms, seq};
	r->part[i].known = true;
}

static bool
knows(const struct reader *r, size_t i, uint64_t ms, uint64_t seq)
{
	return r->part[i].known && id_eq(r->part[i].id, (struct id){ms, seq});
}

static struct str
text(const struct reader *r)
{
	static char bytes[8 << 10];
	struct buf b;
	struct str s;

	buf_init(&b, sizeof bytes);
	cursor_format(&b, r->sorted, r->n);
	memcpy(bytes, b.p, b.n);
	s = str_n(bytes, b.n);
	buf_free(&b);
	return s;
}

static int
parse(struct reader *r, struct str s)
{
	return cursor_parse(flush_copy(s), r->sorted, r->n);
}

/* The text with the check that it should have; body is without one. */
static struct str
checked(struct str body)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	static char bytes[1 << 10];
	uint64_t hash = str_hash(body);

	memcpy(bytes, body.p, body.n);
	for (size_t i = 0; i < 4; i++)
		bytes[body.n + i] = digits[hash >> (58 - 6 * i) & 63];
	return str_n(bytes, body.n + 4);
}

/* ---- The form ---- */

static void
test_one(void)
{
	struct reader r;

	ask(&r, "room");
	know(&r, 0, 1756735200000, 7);
	is_str(text(&r), STR("1756735200000-7"), "one channel is its id");
	ask(&r, "other");
	ok(parse(&r, STR("1756735200000-7")) == 0 &&
		knows(&r, 0, 1756735200000, 7),
	    "an id is the cursor of any one channel");
	ask(&r, "room news");
	ok(parse(&r, STR("1756735200000-7")) == -1, "but not of two");
	ask(&r, "");
	ok(parse(&r, STR("1756735200000-7")) == -1, "nor of none");
}

/* What clients keep must be read by later versions, too. */
static void
test_form(void)
{
	struct reader r;

	ask(&r, "room news");
	know(&r, 0, 1756735200000, 0);
	know(&r, 1, 1756735200063, 64);
	is_str(text(&r), STR("c4o1UUZkFk9sA~5UlbZkFk9s_.BA~FzTp"),
	    "the form stays as it is");
	ask(&r, "room news");
	ok(parse(&r, STR("c4o1UUZkFk9sA~5UlbZkFk9s_.BA~FzTp")) == 0 &&
		knows(&r, 0, 1756735200000, 0) &&
		knows(&r, 1, 1756735200063, 64),
	    "and is read");
}

static bool
is_safe(struct str s)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789-_.~";

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(safe, s.p[i]) == NULL)
			return false;
	return s.n > 0;
}

/* So many channels with names of 200 bytes and usual ids. */
static size_t
length(size_t n, uint64_t ms, uint64_t seq)
{
	struct reader r = {.n = n};
	char name[200];

	memset(name, 'x', sizeof name);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "room-%zu", i);
		r.part[i] = cursor_part_of(str_n(name, sizeof name));
		know(&r, i, ms - i, seq);
	}
	sort(&r);
	ok(is_safe(text(&r)), "%zu channels make no byte to be quoted", n);
	return text(&r).n;
}

static void
test_length(void)
{
	const uint64_t now = 1756735200000, late = 9999999999999;

	is_int((long long)length(8, now, 0), 102, "8 channels");
	is_int((long long)length(8, now, 63), 118, "8 channels, seq 63");
	is_int((long long)length(64, now, 63), 902, "64 channels, seq 63");
	ok(length(8, now, 4095) <= 128 && length(8, late, 63) <= 128,
	    "8 channels within 128 bytes");
	ok(length(64, now, 4095) <= 1024 && length(64, late, 63) <= 1024,
	    "64 channels within 1024 bytes");
}

/* ---- Channels come and go ---- */

static void
test_keyed(void)
{
	struct reader r;
	char old[128];
	struct str s;

	ask(&r, "a b c");
	know(&r, 0, 1, 0);
	know(&r, 1, 2, 0);
	know(&r, 2, 3, 9);
	s = text(&r);
	memcpy(old, s.p, s.n);
	s = str_n(old, s.n);

	ask(&r, "c a b");
	ok(parse(&r, s) == 0 && knows(&r, 0, 3, 9) && knows(&r, 1, 1, 0) &&
		knows(&r, 2, 2, 0),
	    "another order gives the same positions");
	is_str(text(&r), s, "and the same text");
	ask(&r, "c new a");
	ok(parse(&r, s) == 0 && knows(&r, 0, 3, 9) && knows(&r, 2, 1, 0),
	    "a channel that is gone does not matter");
	ok(!r.part[1].known, "one that is new is not known");
	ask(&r, "b");
	ok(parse(&r, s) == 0 && knows(&r, 0, 2, 0), "one alone finds its own");
	ask(&r, "d");
	ok(parse(&r, s) == 0 && !r.part[0].known, "or nothing");
	ask(&r, "");
	ok(parse(&r, s) == 0, "a text can be looked at without any channel");
	ask(&r, "a d");
	know(&r, 1, 77, 7);
	ok(parse(&r, s) == 0 && knows(&r, 0, 1, 0) && knows(&r, 1, 77, 7),
	    "what the text does not say is left alone");
}

static void
test_unknown(void)
{
	struct reader r;
	struct str s;

	ask(&r, "a b c");
	know(&r, 1, 0, 0);
	s = text(&r);
	ask(&r, "a b c");
	ok(parse(&r, s) == 0 && !r.part[0].known && knows(&r, 1, 0, 0) &&
		!r.part[2].known,
	    "the unknown are left out; 0-0 is a position");
	ask(&r, "a b");
	s = text(&r);
	ok(s.n == 6 && parse(&r, s) == 0 && !r.part[0].known,
	    "nothing known is a cursor, too");
	ask(&r, "a");
	ok(text(&r).n == 6, "also of one channel");
	ask(&r, "");
	ok(text(&r).n == 6, "and of none");
}

/* ---- Names with the same key ---- */

/* Two channels whose hashes share so many bits, at their beginning. */
static void
collide(struct reader *r, unsigned bits)
{
	uint64_t hash = 0x0123456789abcdef;

	r->n = 2;
	r->part[0] = (struct cursor_part){.key = hash};
	r->part[1] = (struct cursor_part){
	    .key = bits == 64 ? hash : hash ^ (uint64_t)1 << (63 - bits)};
	sort(r);
}

static void
test_width(void)
{
	bool good = true;
	struct reader r;

	for (unsigned bits = 0; bits < 54; bits++) {
		collide(&r, bits);
		know(&r, 0, 10, 1);
		know(&r, 1, 20, 2);
		struct str s = text(&r);
		char width = (char)(bits < 24 ? '4' : '0' + bits / 6 + 1);
		collide(&r, bits);
		good = good && s.p[1] == width && parse(&r, s) == 0 &&
		    knows(&r, 0, 10, 1) && knows(&r, 1, 20, 2);
	}
	ok(good, "keys grow until the channels differ, up to 54 bits");
	for (unsigned bits = 54; bits <= 64; bits++) {
		collide(&r, bits);
		know(&r, 0, 10, 1);
		know(&r, 1, 20, 2);
		good = good && text(&r).n == 6;
	}
	ok(good, "channels that do not differ then are left out");
}

static void
test_width_of_unknown(void)
{
	struct reader r;
	struct str s;

	collide(&r, 30);
	know(&r, 1, 20, 2);
	s = text(&r);
	collide(&r, 30);
	ok(parse(&r, s) == 0 && !r.part[0].known && knows(&r, 1, 20, 2),
	    "nor is a channel mixed up with one that was not known");
}

/* Names that were searched for: their hashes begin with the same 24 bits. */
static void
find_names(char a[NAME], char b[NAME])
{
	static unsigned seen[1 << 24];

	for (unsigned i = 1;; i++) {
		int n = snprintf(b, NAME, "%x.channel", i * 2654435761u);
		uint64_t bits = str_hash(str_n(b, (size_t)n)) >> 40;
		if (seen[bits] != 0) {
			snprintf(
			    a, NAME, "%x.channel", seen[bits] * 2654435761u);
			return;
		}
		seen[bits] = i;
	}
}

static void
test_one_sided(void)
{
	char a[NAME], b[NAME], old[64];
	struct reader r;
	struct str s;

	find_names(a, b);
	r.n = 2;
	r.part[0] = cursor_part_of(str_c(a));
	r.part[1] = cursor_part_of(STR("other"));
	know(&r, 0, 10, 1);
	know(&r, 1, 20, 2);
	sort(&r);
	s = text(&r);
	memcpy(old, s.p, s.n);
	s = str_n(old, s.n);
	is_int(s.p[1], '4', "the writer did not know of the twin");

	r.n = 3;
	r.part[0] = cursor_part_of(str_c(b));
	r.part[1] = cursor_part_of(STR("other"));
	r.part[2] = cursor_part_of(str_c(a));
	sort(&r);
	ok(parse(&r, s) == 0 && !r.part[0].known && !r.part[2].known,
	    "%s and %s are not mixed up, but not known", a, b);
	ok(knows(&r, 1, 20, 2), "which does not matter to others");
	know(&r, 0, 30, 3);
	know(&r, 2, 40, 4);
	s = text(&r);
	ok(s.p[1] > '4' && parse(&r, s) == 0 && knows(&r, 0, 30, 3) &&
		knows(&r, 2, 40, 4),
	    "and written by who knows both, both are known");
}

/* ---- What is not a cursor ---- */

static void
refuses(const char *body)
{
	struct reader r;

	ask(&r, "a");
	know(&r, 0, 1, 2);
	ok(parse(&r, checked(str_c(body))) == -1 && knows(&r, 0, 1, 2),
	    "%s is refused and nothing is changed", body);
}

static void
takes(const char *body)
{
	struct reader r;

	ask(&r, "a b");
	ok(parse(&r, checked(str_c(body))) == 0, "%s is taken", body);
}

static void
test_bad(void)
{
	static const char *const bad[] = {"", "c", "c3", "c3AAAB~", "cA",
	    "c:", "c0", "d4", "C4", "4c", "c4~", "c4A~", "c4AAAA~", "c4AAAAB",
	    "c4AAAAB~AAABB", "c4AAAAB~~", "c4~AAAAB~", "c4AAAAB.~", "c4AAAA.B~",
	    "c4AAAAB.A~", "c4AAAAB.AB~", "c4AAAAAB~", "c4AAAAB.B.B~",
	    "c4AAAAB-~B~", "c4AAAAB~AAAAB~", "c4AAABB~AAAAB~", "c4AAA AB~",
	    "c4AAAAB ~", "c4AAAAB~ ", " c4AAAAB~", "c4AA/AB~", "c4AAAA+~",
	    "c4AAAAQAAAAAAAAAA~", "c4AAAABAAAAAAAAAAA~", "c4AAAAB.QAAAAAAAAAA~",
	    "c4AAAAB~AAABB.~", "c4AAAAB~AAABB\t~", "c5AAAAB~", "1-1",
	    "c4=AAAB~"};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i]);
	takes("c4");
	takes("c9");
	takes("c4AAAAA~");
	takes("c4AAAAB~AAABB.B~____A.___~");
	takes("c4AAAAP__________.P__________~");
	takes("c9AAAAAAAAAA~_________A~");
}

static void
test_bytes(void)
{
	struct reader r, same;
	unsigned refused = 0, others = 0;
	struct str s;
	char copy[128];

	ask(&r, "a b");
	know(&r, 0, 1756735200000, 1);
	know(&r, 1, 1756735200001, 0);
	s = text(&r);
	for (size_t n = 0; n < s.n; n++)
		refused += parse(&r, str_n(s.p, n)) == -1;
	is_int(refused, (long long)s.n, "every prefix is refused");
	memcpy(copy, s.p, s.n);
	s.p = copy;
	refused = 0;
	ask(&same, "a b");
	for (size_t i = 0; i < s.n; i++)
		for (unsigned c = 0; c < 256; c++) {
			char was = copy[i];
			copy[i] = (char)c;
			others += was != (char)c;
			refused += parse(&same, s) == -1;
			copy[i] = was;
		}
	is_int(refused, others, "so is any that differs in a byte");
	copy[s.n] = 'A';
	ok(parse(&same, str_n(copy, s.n + 1)) == -1, "and a longer one");
}

/* ---- Any ids ---- */

static uint64_t
any(void)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* Of any size; the smallest and the greatest are frequent. */
static uint64_t
any_number(void)
{
	switch (any() % 8) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return (uint64_t)1 << any() % 64;
	default:
		return any() >> any() % 64;
	}
}

/* Has another channel the same 54 bits? */
static bool
has_twin(const struct reader *r, size_t i)
{
	for (size_t k = 0; k < r->n; k++)
		if (k != i && (r->part[k].key ^ r->part[i].key) >> 10 == 0)
			return true;
	return false;
}

static bool
round_trip(void)
{
	struct reader r = {.n = any() % (MANY + 1)}, back;
	bool good = true;

	for (size_t i = 0; i < r.n; i++) {
		r.part[i] = (struct cursor_part){.key = any()};
		/* Often alike in their first digits. */
		if (i > 0 && any() % 4 == 0)
			r.part[i].key =
			    r.part[i - 1].key ^ any() >> (1 + any() % 53);
		if (any() % 8 != 0)
			know(&r, i, any_number(), any_number());
	}
	sort(&r);
	back = r;
	for (size_t i = 0; i < r.n; i++)
		back.part[i].known = false;
	sort(&back);
	struct str s = text(&r);
	good = is_safe(s) && parse(&back, s) == 0;
	for (size_t i = 0; i < r.n; i++) {
		bool known = r.part[i].known && !has_twin(&r, i);
		good = good && back.part[i].known == known &&
		    (!known || id_eq(back.part[i].id, r.part[i].id));
	}
	return good;
}

static void
test_round_trips(void)
{
	bool good = true;

	for (int i = 0; i < 20000 && good; i++)
		good = round_trip();
	ok(good, "what is written is read, whatever the ids");
}

static void
test_foreign(void)
{
	static char longest[CURSOR_FOREIGN_MAX + 1];

	memset(longest, 'x', sizeof longest);
	ok(cursor_is_foreign(flush_copy(STR("db:123"))), "any text");
	ok(cursor_is_foreign(STR("a b/\xc3\xa9\"{")), "of any form");
	ok(cursor_is_foreign(str_n(longest, CURSOR_FOREIGN_MAX)), "of 1024");
	ok(!cursor_is_foreign(str_n(longest, sizeof longest)), "not of 1025");
	ok(!cursor_is_foreign(STR("")), "not of none");
	ok(!cursor_is_foreign(str_c(NULL)), "not absent");
	ok(!cursor_is_foreign(STR(" x")), "without a blank before");
	ok(!cursor_is_foreign(STR("x ")), "and behind");
	ok(!cursor_is_foreign(STR("a\nb")), "without a line feed");
	ok(!cursor_is_foreign(STR("a\0b")), "without a NUL");
	ok(!cursor_is_foreign(STR("a\tb")), "without a tab");
	ok(!cursor_is_foreign(STR("a\xff")), "only UTF-8");
}

int
main(void)
{
	test_one();
	test_form();
	test_length();
	test_keyed();
	test_unknown();
	test_width();
	test_width_of_unknown();
	test_one_sided();
	test_bad();
	test_bytes();
	test_round_trips();
	test_foreign();
	return done();
}
