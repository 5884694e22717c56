#include "wire/chunked.h"

#include "tap.h"

enum { BODY_MAX = 10000 };

struct body {
	struct str text;
	long taken; /* of the text, or -1 when it is malformed */
	struct str want;
};

/* Feed s in pieces of so many bytes: the bytes taken in all, or -1. */
static long
feed(struct str s, size_t size, struct buf *body, bool *done)
{
	struct chunked c = {0};
	long taken = 0;

	*done = false;
	while (s.n > 0 && !*done) {
		struct str piece = {s.p, s.n < size ? s.n : size};
		long n;
		piece = flush_copy(piece);
		n = chunked_take(&c, piece.p, piece.n, body, done);
		if (n < 0)
			return -1;
		if ((size_t)n < piece.n && !*done)
			return -2; /* bytes were left without a reason */
		taken += n;
		s = str_from(s, piece.n);
	}
	return taken;
}

static void
check_body(const struct body *t, size_t size)
{
	struct buf body;
	bool done;

	buf_init(&body, BODY_MAX);
	is_int(feed(t->text, size, &body, &done), t->taken, t->text.p);
	if (t->taken >= 0) {
		ok(done, "... ends");
		is_str(buf_str(&body), t->want, "... as this body");
	}
	buf_free(&body);
}

/* None of the prefixes ends; none but a malformed text's is refused. */
static void
check_prefixes(const struct body *t)
{
	struct buf body;
	bool done, good = true;

	buf_init(&body, BODY_MAX);
	for (size_t n = 0; t->taken > 0 && n < (size_t)t->taken; n++) {
		struct str cut = {t->text.p, n};
		good &= feed(cut, n, &body, &done) == (long)n && !done;
		buf_clear(&body);
	}
	ok(good, "... and no sooner");
	buf_free(&body);
}

static void
test_bodies(void)
{
	const struct body bodies[] = {
	    {STR("0\r\n\r\n"), 5, STR("")},
	    {STR("5\r\nhello\r\n0\r\n\r\n"), 15, STR("hello")},
	    {STR("5\r\nhello\r\n0\r\n\r\nGET /"), 15, STR("hello")},
	    {STR("2\r\n\r\n\r\n1\r\n\0\r\n0\r\n\r\n"), 18, STR("\r\n\0")},
	    {STR("A\r\n0123456789\r\n0\r\n\r\n"), 20, STR("0123456789")},
	    {STR("0a\r\n0123456789\r\n00\r\n\r\n"), 22, STR("0123456789")},
	    {STR("0000000000000001\r\na\r\n0\r\n\r\n"), 26, STR("a")},
	    /* Extensions and trailers */
	    {STR("1;a=b;c=\"d;\xc3\xa4\"\r\na\r\n0;x\r\n\r\n"), 26, STR("a")},
	    {STR("1;\r\na\r\n0\r\n\r\n"), 12, STR("a")},
	    {STR("0\r\nA: b\r\nC: d\r\n\r\n"), 17, STR("")},
	    /* Sizes */
	    {STR("\r\n"), -1, STR("")},
	    {STR("g\r\n"), -1, STR("")},
	    {STR("0x5\r\nhello\r\n"), -1, STR("")},
	    {STR("+5\r\nhello\r\n"), -1, STR("")},
	    {STR("-5\r\nhello\r\n"), -1, STR("")},
	    {STR("1_0\r\n"), -1, STR("")},
	    {STR(" 5\r\nhello\r\n"), -1, STR("")},
	    {STR("5 \r\nhello\r\n"), -1, STR("")},
	    {STR("5\t\r\nhello\r\n"), -1, STR("")},
	    {STR(";a\r\n"), -1, STR("")},
	    {STR("10000000000000000\r\n"), -1, STR("")},
	    {STR("00000000000000001\r\na\r\n"), -1, STR("")},
	    /* Line ends */
	    {STR("5\nhello\r\n"), -1, STR("")},
	    {STR("5\rhello\r\n"), -1, STR("")},
	    {STR("5\r\nhello\n0\r\n\r\n"), -1, STR("")},
	    {STR("5\r\nhello\r0\r\n\r\n"), -1, STR("")},
	    {STR("5\r\nhello0\r\n\r\n"), -1, STR("")},
	    {STR("5\r\nhello!\r\n0\r\n\r\n"), -1, STR("")},
	    {STR("5;a\nhello\r\n"), -1, STR("")},
	    {STR("5;a\rb\r\nhello\r\n"), -1, STR("")},
	    {STR("5;\0\r\nhello\r\n"), -1, STR("")},
	    {STR("0\r\n\n"), -1, STR("")},
	    {STR("0\r\n\rX"), -1, STR("")},
	    {STR("0\r\nA: b\n\r\n"), -1, STR("")},
	    {STR("0\r\nA: b\rC\r\n"), -1, STR("")},
	    {STR("0\r\nA: \0\r\n\r\n"), -1, STR("")},
	    {STR("0\r\n\0\r\n\r\n"), -1, STR("")},
	};

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		check_body(&bodies[i], SIZE_MAX);
		check_body(&bodies[i], 1);
		check_body(&bodies[i], 3);
		check_prefixes(&bodies[i]);
	}
}

/* The text before, n bytes x, the text behind: malformed or not. */
static bool
is_taken(const char *before, size_t n, const char *behind)
{
	struct buf text, body;
	bool done;

	buf_init(&text, 100000);
	buf_init(&body, BODY_MAX);
	buf_addz(&text, before);
	while (n-- > 0)
		buf_addc(&text, 'x');
	buf_addz(&text, behind);
	n = text.n;
	done = feed(buf_str(&text), n, &body, &done) == (long)n && done;
	buf_free(&text);
	buf_free(&body);
	return done;
}

static void
test_limits(void)
{
	const size_t max = CHUNKED_OVERHEAD_MAX;

	ok(is_taken("1;", max, "\r\na\r\n0\r\n\r\n"), "a long extension");
	ok(!is_taken("1;", max + 1, "\r\na\r\n0\r\n\r\n"), "too long");
	ok(is_taken("0\r\n", max, "\r\n\r\n"), "a long trailer");
	ok(!is_taken("0\r\n", max + 1, "\r\n\r\n"), "too long a trailer");
	ok(is_taken("1;x\r\na\r\n0\r\nx\r\n", max - 2, "\r\n\r\n"),
	    "several together");
	ok(!is_taken("1;x\r\na\r\n0\r\nx\r\n", max - 1, "\r\n\r\n"),
	    "several together, too long");
}

static void
test_large_body(void)
{
	struct str s = STR("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
	struct buf body;
	bool done;

	buf_init(&body, 10);
	is_int(feed(s, s.n, &body, &done), (long long)s.n,
	    "a body too large is still read");
	ok(done && body.failed, "... and seen in the buffer");
	buf_free(&body);
}

static void
test_after_the_end(void)
{
	struct chunked c = {0};
	struct buf body;
	bool done = false;

	buf_init(&body, 10);
	chunked_take(&c, "0\r\n\r\n", 5, &body, &done);
	done = false;
	is_int(chunked_take(&c, "x", 1, &body, &done), 0, "nothing is taken");
	ok(done, "... behind the end");
	c = (struct chunked){0};
	is_int(chunked_take(&c, "x", 1, &body, &done), -1, "malformed");
	is_int(chunked_take(&c, "0", 1, &body, &done), -1, "... for good");
	buf_free(&body);
}

int
main(void)
{
	test_bodies();
	test_limits();
	test_large_body();
	test_after_the_end();
	return done();
}
