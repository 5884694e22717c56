#include "wire/forwarded.h"

#include "tap.h"

static const struct str absent = {NULL, 0};

static void
is(struct str s, const char *want)
{
	char out[FORWARDED_TEXT] = "";
	size_t n = forwarded_address(out, s.p != NULL ? flush_copy(s) : absent);

	is_str(str_n(out, n), str_c(want), s.p != NULL ? s.p : "absent");
}

static void
test_good(void)
{
	is(STR("192.0.2.1"), "192.0.2.1");
	is(STR("0.0.0.0"), "0.0.0.0");
	is(STR("192.0.2.1:0"), "192.0.2.1");
	is(STR("192.0.2.1:65535"), "192.0.2.1");
	is(STR("2001:DB8:0:0:0:0:0:1"), "2001:db8::1");
	is(STR("::1"), "::1");
	is(STR("::"), "::");
	is(STR("[::1]"), "::1");
	is(STR("[2001:db8::1]:8080"), "2001:db8::1");
	is(STR("::ffff:192.0.2.1"), "192.0.2.1");
	is(STR("[::ffff:c000:201]:1"), "192.0.2.1");
	is(STR("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void
test_bad(void)
{
	const struct str bad[] = {absent, STR(""), STR("-"), STR("unknown"),
	    STR("localhost"), STR("1"), STR("1.2.3"), STR("1.2.3.4.5"),
	    STR("256.0.0.1"), STR("01.2.3.4"), STR("1.2.3.4 "), STR(" 1.2.3.4"),
	    STR("1.2.3.4:"), STR("1.2.3.4:65536"), STR("1.2.3.4:000080"),
	    STR("1.2.3.4:x"), STR("1.2.3.4:+1"), STR("1.2.3.4\0"),
	    STR("1.2.3.4\n"), STR("[1.2.3.4]"), STR("[1.2.3.4]:80"),
	    STR("[::1"), STR("::1]"), STR("[::1]80"), STR("[::1]:"),
	    STR("[::1]:80:"), STR("[[::1]]"), STR("[]"), STR(":"), STR(":80"),
	    STR("::1%lo"), STR("fe80::1%1"), STR("1::2::3"), STR(":::"),
	    STR("12345::"), STR("\"1.2.3.4\""), STR("0x7f.0.0.1"),
	    STR("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555")};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		is(bad[i], "");
}

/* ---- Of a request ---- */

static void
for_is(const char *fields, const char *want)
{
	char out[FORWARDED_TEXT] = "";
	struct http_request r;
	struct buf head;
	const char *why;

	buf_init(&head, 4096);
	buf_addf(&head, "GET / HTTP/1.0\r\n%s\r\n", fields);
	ok(http_request(&r, head.p, head.n, &why) > 0, "a request");
	is_str(str_n(out, forwarded_for(out, &r)), str_c(want), want);
	buf_free(&head);
}

static void
test_for(void)
{
	for_is("", "");
	for_is("X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4");
	for_is("x-forwarded-for: 9.9.9.9, 1.2.3.4\r\n", "1.2.3.4");
	for_is("X-Forwarded-For: 9.9.9.9,1.2.3.4:80\r\n", "1.2.3.4");
	for_is("X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: ::1\r\n", "::1");
	for_is("X-Forwarded-For: evil, 1.2.3.4\r\n", "1.2.3.4");
	/* What the nearest proxy says may be no address: then there is none. */
	for_is("X-Forwarded-For: 9.9.9.9, unknown\r\n", "");
	for_is("X-Forwarded-For: 9.9.9.9,\r\n", "");
	for_is("X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For:\r\n", "");
	for_is("X-Forwarded-For: 9.9.9.9 1.2.3.4\r\n", "");
	for_is("Forwarded: for=1.2.3.4\r\n", "");
}

int
main(void)
{
	test_good();
	test_bad();
	test_for();
	return done();
}
