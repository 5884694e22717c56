#include "base/buf.h"

#include "tap.h"

#include <string.h>

static void
test_add(void)
{
	struct buf b;

	buf_init(&b, 1000);
	is_str(buf_str(&b), STR(""), "a new buffer is empty");
	is_int((long long)b.cap, 0, "and has allocated nothing");
	buf_add(&b, "a\0b", 3);
	buf_adds(&b, STR("cd"));
	buf_adds(&b, (struct str){NULL, 0});
	buf_addz(&b, "ef");
	buf_addc(&b, '\0');
	buf_addu(&b, 0);
	buf_addu(&b, UINT64_MAX);
	is_int(buf_addf(&b, "<%d %s>", -5, "x"), 0, "addf");
	is_str(buf_str(&b),
	    STR("a\0bcdef\0"
		"018446744073709551615<-5 x>"),
	    "all kinds of bytes");
	buf_drop(&b, 3);
	buf_cut(&b, 4);
	is_str(buf_str(&b), STR("cdef"), "drop and cut");
	buf_drop(&b, 4);
	is_str(buf_str(&b), STR(""), "drop all");
	buf_free(&b);
	is_str(buf_str(&b), STR(""), "a freed buffer is empty");
	is_int(buf_addz(&b, "again"), 0, "and may be used again");
	buf_free(&b);
	buf_free(&b);
}

static void
test_zeroed(void)
{
	struct buf b = {0};

	buf_drop(&b, 0);
	buf_cut(&b, 0);
	buf_free(&b);
	buf_free(&b);
	ok(b.p == NULL, "a zeroed buffer may be freed");
}

static void
test_max(void)
{
	struct buf b;

	buf_init(&b, 10);
	is_int(buf_addz(&b, "0123456789"), 0, "exactly the maximum");
	ok(!b.failed, "is no failure");
	is_int(buf_addc(&b, 'x'), -1, "one more is");
	ok(b.failed, "and is remembered");
	buf_cut(&b, 2);
	is_int(buf_addc(&b, 'x'), -1, "failure sticks when there is room");
	is_int(buf_add(&b, "", 0), -1, "even for nothing");
	is_int(buf_addf(&b, "%s", ""), -1, "and for addf");
	ok(buf_room(&b, 1) == NULL, "and for room");
	is_str(buf_str(&b), STR("01"), "nothing was added");
	buf_clear(&b);
	is_int(buf_addz(&b, "ok"), 0, "clear forgets the failure");
	is_str(buf_str(&b), STR("ok"), "and the bytes");
	is_int(buf_add(&b, "123456789", 9), -1, "too much at once");
	is_str(buf_str(&b), STR("ok"), "adds no part of it");
	buf_free(&b);
}

static void
test_max_printf(void)
{
	struct buf b;

	buf_init(&b, 10);
	is_int(buf_addf(&b, "%010d", 42), 0, "addf up to the maximum");
	is_str(buf_str(&b), STR("0000000042"), "without loss to the NUL");
	buf_clear(&b);
	is_int(buf_addf(&b, "%011d", 42), -1, "addf past the maximum");
	is_str(buf_str(&b), STR(""), "adds nothing");
	buf_free(&b);

	buf_init(&b, 100000);
	buf_addc(&b, '<');
	is_int(buf_addf(&b, "%050000d>", 7), 0, "a long addf");
	is_int((long long)b.n, 50002, "has its length");
	ok(memcmp(b.p + b.n - 3, "07>", 3) == 0, "and its end");
	buf_free(&b);
}

static void
test_edges(void)
{
	struct buf b;

	buf_init(&b, 0);
	is_int(buf_add(&b, "", 0), 0, "nothing fits into nothing");
	is_int(buf_addf(&b, "%s", ""), 0, "so does an empty addf");
	ok(buf_room(&b, 0) != NULL, "and there is room for nothing");
	is_int(buf_addc(&b, 'x'), -1, "but not for a byte");
	buf_free(&b);

	buf_init(&b, SIZE_MAX);
	is_int(buf_addc(&b, 'x'), 0, "no maximum");
	ok(buf_room(&b, SIZE_MAX) == NULL, "SIZE_MAX more does not wrap");
	ok(b.failed, "and fails");
	buf_clear(&b);
	buf_addc(&b, 'x');
	ok(buf_room(&b, SIZE_MAX / 2) == NULL, "nor does half of that");
	is_str(buf_str(&b), STR("x"), "what was there is kept");
	buf_free(&b);
}

static void
test_room(void)
{
	struct buf b;
	char *p;

	buf_init(&b, 4096);
	buf_addz(&b, "ab");
	p = buf_room(&b, 1000);
	ok(p != NULL && b.cap - b.n >= 1000, "room");
	memset(p, 'z', 1000);
	buf_used(&b, 3);
	is_str(buf_str(&b), STR("abzzz"), "what was used counts");
	buf_shrink(&b, 4096);
	is_int((long long)b.n, 0, "shrink forgets the bytes");
	ok(b.cap >= 1000, "but keeps memory that is small enough");
	b.failed = true;
	buf_shrink(&b, 100);
	ok(b.cap == 100 && !b.failed, "shrink gives memory back");
	buf_addz(&b, "a");
	is_str(buf_str(&b), STR("a"), "and leaves a usable buffer");
	buf_shrink(&b, 0);
	ok(b.p == NULL && b.max == 4096, "shrink to nothing");
	buf_free(&b);
}

static void
test_growth(void)
{
	struct buf b;
	size_t cap = 0;
	int moves = 0;

	buf_init(&b, 100000);
	for (int i = 0; i < 100000; i++) {
		buf_addc(&b, (char)i);
		moves += b.cap != cap;
		cap = b.cap;
	}
	ok(!b.failed && b.n == 100000, "byte by byte up to the maximum");
	ok(b.cap <= b.max, "no more than the maximum is allocated");
	ok(moves <= 20, "growth is geometric (%d moves)", moves);
	ok(b.p[99999] == (char)99999 && b.p[255] == (char)255, "bytes stay");
	is_int(buf_addc(&b, 0), -1, "and not one more");
	buf_free(&b);
}

int
main(void)
{
	test_add();
	test_zeroed();
	test_max();
	test_max_printf();
	test_edges();
	test_room();
	test_growth();
	return done();
}
