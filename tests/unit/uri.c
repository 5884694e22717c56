#include "wire/uri.h"

#include "tap.h"

static const struct str absent = {NULL, 0};

static void
test_authority(void)
{
	const struct {
		struct str s;
		bool want;
	} cases[] = {
	    {STR("h"), true},
	    {STR("a.b-c_d~e!$&'()*+;="), true},
	    {STR("h:80"), true},
	    {STR("h:"), true},
	    {STR("[::1]:80"), true},
	    {STR("%C3%A4"), true},
	    {STR(""), false},
	    {absent, false},
	    {STR(":80"), false},
	    {STR("h:8a"), false},
	    {STR("h::80"), false},
	    {STR("u@h"), false},
	    {STR("a,b"), false},
	    {STR("h/"), false},
	    {STR("h "), false},
	    {STR("h\0"), false},
	    {STR("h%4"), false},
	    {STR("[]"), false},
	    {STR("["), false},
	    {STR("[::1"), false},
	    {STR("[::1]a"), false},
	    {STR("[g]"), false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ok(uri_is_authority(cases[i].s) == cases[i].want,
		    "authority '%.*s'", (int)cases[i].s.n, cases[i].s.p);
}

static void
test_origin(void)
{
	const struct {
		struct str s;
		long long want;
	} cases[] = {
	    {STR("http://h/a"), 8},
	    {STR("https://h:1?a/b"), 11},
	    {STR("HtTp://h"), 8},
	    {STR("http://"), 0},
	    {STR("http:///a"), 0},
	    {STR("http://u@h/"), 0},
	    {STR("httpx://h/"), 0},
	    {STR("http:/h/"), 0},
	    {STR("/http://h"), 0},
	    {STR(""), 0},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_int((long long)uri_origin_len(cases[i].s), cases[i].want,
		    cases[i].s.p);
}

static void
test_escapes(void)
{
	static const char *const good[] = {"", "a+b", "%01", "%fF%20x"};
	static const char *const bad[] = {
	    "%", "%4", "a%4", "%4g", "%g4", "%%41", "%00", "%41%00"};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ok(uri_escapes_ok(flush_copy(str_c(good[i]))), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!uri_escapes_ok(flush_copy(str_c(bad[i]))), "%s", bad[i]);
}

struct decoding {
	struct str s;
	bool plus;
	struct str want; /* absent: refused */
};

static void
test_decode(void)
{
	const struct decoding cases[] = {
	    {STR(""), false, STR("")},
	    {absent, false, STR("")},
	    {STR("room"), false, STR("room")},
	    {STR("a%20b%2Fc%2f"), false, STR("a b/c/")},
	    {STR("a+b"), false, STR("a+b")},
	    {STR("a+b%2B"), true, STR("a b+")},
	    {STR("%252F"), false, STR("%2F")},
	    {STR("%0d%0a"), false, STR("\r\n")},
	    {STR("%c3%a4"), false, STR("\xc3\xa4")},
	    {STR("\xc3%a4"), false, STR("\xc3\xa4")},
	    {STR("%"), false, absent},
	    {STR("a%4"), false, absent},
	    {STR("%G0"), false, absent},
	    {STR("%0G"), false, absent},
	    {STR("%+1"), false, absent},
	    {STR("% 1"), false, absent},
	    {STR("%%41"), false, absent},
	    {STR("%00"), false, absent},
	    {STR("a\0b"), false, absent},
	    {STR("%c3"), false, absent},
	    {STR("%ff"), false, absent},
	    {STR("%c0%af"), false, absent},
	    {STR("%ed%a0%80"), false, absent},
	};
	struct buf b;

	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct decoding *t = &cases[i];
		struct str s = t->s.p == NULL ? t->s : flush_copy(t->s);
		int rc;
		buf_clear(&b);
		buf_addz(&b, "kept:");
		rc = uri_decode(&b, s, t->plus);
		ok((rc == 0) == (t->want.p != NULL), "decode '%.*s'",
		    (int)t->s.n, t->s.p == NULL ? "" : t->s.p);
		is_str(str_from(buf_str(&b), 5),
		    t->want.p == NULL ? STR("") : t->want, "... to this");
	}
	buf_free(&b);
}

static void
test_decode_limits(void)
{
	struct buf b;

	buf_init(&b, 4);
	buf_addz(&b, "\xc3");
	is_int(uri_decode(&b, STR("%a4"), false), -1,
	    "what was there before completes nothing");
	is_int(uri_decode(&b, STR("abc"), false), 0, "what fits");
	is_int(uri_decode(&b, STR("d"), false), -1, "what does not fit");
	ok(b.failed, "... is a failure of the buffer");
	buf_free(&b);
}

static void
test_param(void)
{
	struct str rest = STR("&a=1&&b&c=&=d&e=f=g%26&a=2&"), name, value;
	const struct str want[][2] = {
	    {STR("a"), STR("1")},
	    {STR("b"), absent},
	    {STR("c"), STR("")},
	    {STR(""), STR("d")},
	    {STR("e"), STR("f=g%26")},
	    {STR("a"), STR("2")},
	};

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		ok(uri_param(&rest, &name, &value), "one more");
		is_str(name, want[i][0], "name");
		is_str(value, want[i][1], "value");
	}
	ok(!uri_param(&rest, &name, &value), "no more");
	ok(!uri_param(&rest, &name, &value), "still no more");
	rest = STR("");
	ok(!uri_param(&rest, &name, &value), "none in an empty query");
	rest = absent;
	ok(!uri_param(&rest, &name, &value), "none in an absent query");
}

int
main(void)
{
	test_authority();
	test_origin();
	test_escapes();
	test_decode();
	test_decode_limits();
	test_param();
	return done();
}
