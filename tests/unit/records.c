#include "wire/records.h"

#include "tap.h"

#include <string.h>

/*
 * What the records of input are, when it comes in pieces of n bytes: each in
 * brackets, `!` for one that is too long.
 */
static struct str
cut(struct buf *out, struct str input, struct str delimiter, size_t max,
    size_t piece)
{
	struct records r;
	struct str rec;
	enum records_next next;
	size_t n;

	buf_clear(out);
	records_init(&r, delimiter, max);
	for (;;) {
		while ((next = records_next(&r, &rec)) == RECORDS_ONE ||
		    next == RECORDS_LONG) {
			if (next == RECORDS_LONG) {
				buf_addc(out, '!');
				continue;
			}
			buf_addc(out, '[');
			buf_adds(out, rec);
			buf_addc(out, ']');
		}
		if (next == RECORDS_END)
			break;
		n = input.n < piece ? input.n : piece;
		if (n == 0) {
			records_end(&r);
			continue;
		}
		records_add(&r, flush_copy(str_n(input.p, n)).p, n);
		input = str_from(input, n);
	}
	records_free(&r);
	return buf_str(out);
}

/* The same in pieces of any size. */
static void
same(const char *name, struct str input, struct str delimiter, size_t max,
    struct str want)
{
	struct buf out;
	size_t piece;

	buf_init(&out, 1 << 16);
	for (piece = 1; piece <= input.n + 1; piece++)
		if (!str_eq(cut(&out, input, delimiter, max, piece), want))
			break;
	if (piece <= input.n + 1)
		is_str(buf_str(&out), want, name);
	ok(piece > input.n + 1, "%s, in pieces of %zu bytes", name, piece);
	buf_free(&out);
}

static void
numbers(void)
{
	struct records r;
	struct str rec;

	records_init(&r, STR("\n"), 2);
	records_add(&r, "a\nbbbb", 6);
	records_next(&r, &rec);
	is_int((long long)r.nr, 1, "the first record is number 1");
	ok(records_next(&r, &rec) == RECORDS_LONG, "the second is too long");
	is_int((long long)r.nr, 2, "and number 2");
	records_add(&r, "bb\nc\n", 5);
	ok(records_next(&r, &rec) == RECORDS_ONE, "its rest is passed over");
	is_int((long long)r.nr, 3, "the next is number 3");
	is_str(rec, STR("c"), "which begins where it should");
	records_free(&r);
}

/* A record without end must not be held. */
static void
bounded(void)
{
	static char x[4096];
	struct records r;
	struct str rec;
	size_t most = 0, longs = 0;

	memset(x, 'x', sizeof(x));
	records_init(&r, STR("\n"), 10000);
	for (int i = 0; i < 1000; i++) {
		records_add(&r, x, sizeof(x));
		while (records_next(&r, &rec) != RECORDS_MORE)
			longs++;
		if (r.held.n > most)
			most = r.held.n;
	}
	is_int((long long)longs, 1, "a record without end is told once");
	ok(most <= 10000 + 2 * sizeof(x), "and takes %zu bytes", most);
	records_free(&r);
}

static void
finding(void)
{
	is_int((long long)records_find(STR("aXbXX"), STR("XX"), 0), 3, "find");
	is_int((long long)records_find(STR("aXXbXX"), STR("XX"), 2), 4,
	    "find from there");
	is_int((long long)records_find(STR("aX"), STR("XX"), 0), 2, "no find");
	is_int((long long)records_find(STR(""), STR("X"), 0), 0, "in nothing");
	is_int((long long)records_find(STR("X"), STR("XYZ"), 0), 1,
	    "what is longer");
}

int
main(void)
{
	struct str lf = STR("\n");

	same("lines", STR("a\nbc\n"), lf, 9, STR("[a][bc]"));
	same("no last newline", STR("a\nbc"), lf, 9, STR("[a][bc]"));
	same("nothing", STR(""), lf, 9, STR(""));
	same("an empty line", STR("\n"), lf, 9, STR("[]"));
	same("empty lines", STR("\n\na\n\n"), lf, 9, STR("[][][a][]"));
	same("CR is kept", STR("a\r\n\r\n"), lf, 9, STR("[a\r][\r]"));
	same("NUL is kept", STR("a\0b\n\0"), lf, 9, STR("[a\0b][\0]"));
	same("NUL ends", STR("a\n\0\0b"), STR("\0"), 9, STR("[a\n][][b]"));
	same(
	    "words end", STR("aENDbENENDc"), STR("END"), 9, STR("[a][bEN][c]"));
	same("part of a delimiter", STR("aEN"), STR("END"), 9, STR("[aEN]"));
	same("its parts repeat", STR("aaab"), STR("aab"), 9, STR("[a]"));
	same("overlapping", STR("aaaaa"), STR("aa"), 9, STR("[][][a]"));
	same("all", STR("a\n\nb\n"), STR(""), 9, STR("[a\n\nb\n]"));
	same("all of nothing", STR(""), STR(""), 9, STR("[]"));
	same("as long as may be", STR("abc\nabc"), lf, 3, STR("[abc][abc]"));
	same("too long", STR("abcd\nabc"), lf, 3, STR("![abc]"));
	same("the last too long", STR("abc\nabcdef"), lf, 3, STR("[abc]!"));
	same("too long, long delimiter", STR("abcdENENDx"), STR("END"), 3,
	    STR("![x]"));
	same("as long, long delimiter", STR("aENENDx"), STR("END"), 3,
	    STR("[aEN][x]"));
	same("all is too long", STR("abcdef"), STR(""), 3, STR("!"));
	same("empty is not too long", STR("\na\n"), lf, 0, STR("[]!"));
	numbers();
	bounded();
	finding();
	return done();
}
