#include "wire/http.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

static const struct str absent = {NULL, 0};

/* Valid first lines, to put something wrong behind. */
#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define GET0 "GET / HTTP/1.0\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"
#define POST0 "POST / HTTP/1.0\r\n"

struct head {
	struct str text;
	int want; /* the status to refuse it with, or 0 */
};

static int
parse(struct http_request *r, struct str s)
{
	const char *why = NULL;
	int rc = http_request(r, s.p, s.n, &why);

	if (rc < 0 && (why == NULL || *why == '\0'))
		ok(false, "a refusal says why");
	return rc;
}

static int
result(struct str s)
{
	struct http_request r;

	return parse(&r, flush_copy(s));
}

/*
 * What the first n bytes give: 0 up to the byte that decides, and from then
 * on the same, whatever comes. Returns that number of bytes, or 0 when there
 * is none or a later byte changed the answer.
 */
static size_t
decided_at(struct str s)
{
	size_t at = 0;
	int first = 0;

	for (size_t n = 0; n <= s.n; n++) {
		int rc = result(str_n(s.p, n));
		if (first == 0 && rc != 0) {
			first = rc;
			at = n;
		}
		if (rc != first)
			return 0;
	}
	return at;
}

/* s, once more with other bytes behind it. */
static void
check_head(struct str s, int want)
{
	char name[80];
	struct buf more;
	int rc = result(s), same;
	size_t at = decided_at(s), n = str_find(s, '\r');

	snprintf(name, sizeof name, "%.*s", (int)(n < 40 ? n : 40), s.p);
	is_int(rc, want == 0 ? (int)s.n : -want, name);
	ok(want == 0 ? at == s.n : at > 0, "%s: prefixes", name);
	buf_init(&more, 1 << 20);
	buf_adds(&more, s);
	buf_addz(&more, "GET / HTTP/1.1\r\n\r\n");
	same = result(buf_str(&more));
	is_int(same, rc, "... and with more behind it");
	buf_free(&more);
}

static void
check_heads(const struct head *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_head(t[i].text, t[i].want);
}

static void
test_request_line(void)
{
	const struct head heads[] = {
	    {STR(GET "\r\n"), 0},
	    {STR(GET0 "\r\n"), 0},
	    /* Garbage, other protocols */
	    {STR("\x01\x02\x03\x04"), 400},
	    {STR("\xff\xfb\x01\r\n\r\n"), 400},
	    {STR("\0GET / HTTP/1.1\r\n\r\n"), 400},
	    {STR("SSH-2.0-x\r\n"), 400},
	    {STR("EHLO me\r\n"), 400},
	    {STR("{\"a\":1}"), 400},
	    {STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400},
	    {STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},
	    /* Empty lines before it */
	    {STR("\r\n" GET "\r\n"), 0},
	    {STR("\r\n\r\n" GET "\r\n"), 0},
	    {STR("\r\n\r\n\r\n" GET "\r\n"), 400},
	    {STR("\n" GET "\r\n"), 400},
	    {STR("\r" GET "\r\n"), 400},
	    /* Line ends */
	    {STR("GET / HTTP/1.1\nHost: h\n\n"), 400},
	    {STR("GET / HTTP/1.1\r\nHost: h\n\n"), 400},
	    {STR("GET / HTTP/1.0\n\n"), 400},
	    {STR("GET / HTTP/1.1\rHost: h\r\n\r\n"), 400},
	    {STR("GET /\rx HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.1\r\r\n"), 400},
	    /* Three parts, a space between them */
	    {STR("GET  / HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET /  HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET\t/ HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET /\tHTTP/1.1\r\n\r\n"), 400},
	    {STR(" GET / HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET / x HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET\r\n\r\n"), 400},
	    {STR("GET /\r\n"), 400},
	    {STR("GET / \r\n"), 400},
	    {STR("GET / HTTP/1.1 \r\n\r\n"), 400},
	    /* Versions */
	    {STR("GET / http/1.1\r\n\r\n"), 400},
	    {STR("GET / HTTP/1\r\n\r\n"), 400},
	    {STR("GET / HTTP/01.1\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.10\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.\r\n\r\n"), 400},
	    {STR("GET / HTTP/1,1\r\n\r\n"), 400},
	    {STR("GET / HTTP/x.1\r\n\r\n"), 400},
	    {STR("GET / HTTPS/1.1\r\n\r\n"), 400},
	    {STR("GET / HTTP/0.9\r\n\r\n"), 505},
	    {STR("GET / HTTP/2.0\r\n\r\n"), 505},
	    {STR("GET / HTTP/3.0\r\n\r\n"), 505},
	    {STR("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 0},
	    {STR("GET / HTTP/1.9\r\n\r\n"), 400}, /* no Host */
	    /* Methods */
	    {STR("get / HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
	    {STR("GETS / HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
	    {STR("GE / HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
	    {STR("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
	    {STR("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400},
	    {STR("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), 0},
	    {STR("PUT / HTTP/1.1\r\nHost: h\r\n\r\n"), 0},
	    {STR("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 0},
	    {STR("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"), 501},
	};

	check_heads(heads, sizeof heads / sizeof *heads);
}

static void
test_target(void)
{
	const struct head heads[] = {
	    {STR("GET /a//../b\\c;d='{}|\"<>^`? HTTP/1.0\r\n\r\n"), 0},
	    {STR("GET h:80 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET a/b HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET ?a HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET * HTTP/1.0\r\n\r\n"), 400},
	    {STR("OPTIONS * HTTP/1.0\r\n\r\n"), 0},
	    {STR("OPTIONS ** HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /a#b HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /?a#b HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /a b HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /\xc3\xa4 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /\x7f HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /\0 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /% HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /%4 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /%G0 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /%0g HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /%00 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /?a=% HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /?a=%00 HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET /%C3%a4%0a?%2f HTTP/1.0\r\n\r\n"), 0},
	    /* absolute-form */
	    {STR("GET http://h/a HTTP/1.1\r\nHost: x\r\n\r\n"), 0},
	    {STR("GET http://h/a HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET HTTPS://h:8443 HTTP/1.0\r\n\r\n"), 0},
	    {STR("GET http://[::1]:80?a HTTP/1.0\r\n\r\n"), 0},
	    {STR("GET ftp://h/ HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http:/h/ HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http:// HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http:///a HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http://:80/a HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http://u@h/a HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http://h#a HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http://h/a#b HTTP/1.0\r\n\r\n"), 400},
	    {STR("GET http://h/%zz HTTP/1.0\r\n\r\n"), 400},
	};

	check_heads(heads, sizeof heads / sizeof *heads);
}

static void
test_host(void)
{
	const struct head heads[] = {
	    {STR("GET / HTTP/1.1\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.1\r\nHosts: h\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.1\r\nHOST:\th \r\n\r\n"), 0},
	    {STR(GET "Host: h\r\n\r\n"), 400},
	    {STR(GET "host: x\r\n\r\n"), 400},
	    {STR(GET0 "Host: h\r\nHost: h\r\n\r\n"), 400},
	    {STR(GET0 "Host:\r\n\r\n"), 400},
	    {STR(GET0 "Host: :80\r\n\r\n"), 400},
	    {STR(GET0 "Host: h/a\r\n\r\n"), 400},
	    {STR(GET0 "Host: u@h\r\n\r\n"), 400},
	    {STR(GET0 "Host: a,b\r\n\r\n"), 400},
	    {STR(GET0 "Host: a b\r\n\r\n"), 400},
	    {STR(GET0 "Host: http://h\r\n\r\n"), 400},
	    {STR(GET0 "Host: h:8o\r\n\r\n"), 400},
	    {STR(GET0 "Host: h:80:80\r\n\r\n"), 400},
	    {STR(GET0 "Host: ::1\r\n\r\n"), 400},
	    {STR(GET0 "Host: [::1\r\n\r\n"), 400},
	    {STR(GET0 "Host: []\r\n\r\n"), 400},
	    {STR(GET0 "Host: [::1]x\r\n\r\n"), 400},
	    {STR(GET0 "Host: h%\r\n\r\n"), 400},
	    {STR(GET0 "Host: h\xc3\xa4\r\n\r\n"), 400},
	    {STR(GET0 "Host: h?\r\n\r\n"), 400},
	    {STR(GET0 "Host: h:\r\n\r\n"), 0},
	    {STR(GET0 "Host: chat_1.example-2:08080\r\n\r\n"), 0},
	    {STR(GET0 "Host: 127.0.0.1:80\r\n\r\n"), 0},
	    {STR(GET0 "Host: [2001:DB8::127.0.0.1]:80\r\n\r\n"), 0},
	    {STR(GET0 "Host: %41.example\r\n\r\n"), 0},
	};

	check_heads(heads, sizeof heads / sizeof *heads);
}

static void
test_fields(void)
{
	const struct head heads[] = {
	    {STR(GET "A:\r\nB: \r\nC: \t\r\nA: b\r\n\r\n"), 0},
	    {STR(GET "A: \xc3\xa4\xff\t\"~\r\n\r\n"), 0},
	    {STR(GET "!#$%&'*+-.^_`|~: x\r\n\r\n"), 0},
	    /* White space where it must not be */
	    {STR("GET / HTTP/1.0\r\n A: b\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.0\r\n\tA: b\r\n\r\n"), 400},
	    {STR("GET / HTTP/1.0\r\n \r\nA: b\r\n\r\n"), 400},
	    {STR(GET "A : b\r\n\r\n"), 400},
	    {STR(GET "A\t: b\r\n\r\n"), 400},
	    {STR(GET "A: b\r\n c\r\n\r\n"), 400},
	    {STR(GET "A: b\r\n\tc\r\n\r\n"), 400},
	    /* Names */
	    {STR(GET ": b\r\n\r\n"), 400},
	    {STR(GET "A\r\n\r\n"), 400},
	    {STR(GET "A b: c\r\n\r\n"), 400},
	    {STR(GET "A(b): c\r\n\r\n"), 400},
	    {STR(GET "A\xc3\xa4: c\r\n\r\n"), 400},
	    {STR(GET "A\0b: c\r\n\r\n"), 400},
	    /* Control characters and line ends */
	    {STR(GET "A: \0\r\n\r\n"), 400},
	    {STR(GET "A: \x0b\r\n\r\n"), 400},
	    {STR(GET "A: \x1b[m\r\n\r\n"), 400},
	    {STR(GET "A: \x7f\r\n\r\n"), 400},
	    {STR(GET "A: b\rc\r\n\r\n"), 400},
	    {STR(GET "A: b\nB: c\r\n\r\n"), 400},
	    {STR(GET "\rA: b\r\n\r\n"), 400},
	    {STR(GET "\n"), 400},
	    {STR(GET "\r\r\n"), 400},
	    /* What is ignored */
	    {STR(GET "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), 0},
	    {STR(GET "Range: bytes=0-1\r\n\r\n"), 0},
	    {STR(GET "If-None-Match: *\r\n\r\n"), 0},
	    {STR(GET "Accept: image/png\r\n\r\n"), 0},
	    {STR(GET "TE: trailers\r\n\r\n"), 0},
	    /* Expect */
	    {STR(POST "Expect: 100-Continue\r\n\r\n"), 0},
	    {STR(POST "Expect: 200-ok\r\n\r\n"), 417},
	    {STR(POST "Expect:\r\n\r\n"), 417},
	    {STR(POST0 "Expect: 100-continue\r\n\r\n"), 0},
	    {STR(POST0 "Expect: 200-ok\r\n\r\n"), 0},
	};

	check_heads(heads, sizeof heads / sizeof *heads);
}

static void
test_framing(void)
{
	const struct head heads[] = {
	    {STR(POST "\r\n"), 0},
	    {STR(POST "Content-Length: 0\r\n\r\n"), 0},
	    {STR(POST "Content-Length: 005\r\n\r\n"), 0},
	    {STR(POST "Content-Length: 9223372036854775807\r\n\r\n"), 0},
	    {STR(POST "Content-Length: 9223372036854775808\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 18446744073709551621\r\n\r\n"), 400},
	    {STR(POST "Content-Length:\r\n\r\n"), 400},
	    {STR(POST "Content-Length: +5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: -5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 0x5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: a\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5 5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5.0\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5, 6\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5, 5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400},
	    {STR(POST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: chunked\r\n\r\n"), 0},
	    {STR(POST "Transfer-Encoding:\tCHUNKED \r\n\r\n"), 0},
	    {STR(POST "Transfer-Encoding: chunked\r\n"
		      "Content-Length: 5\r\n\r\n"),
		400},
	    {STR(POST "Content-Length: 0\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
		400},
	    {STR(POST "Transfer-Encoding: chunked, gzip\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: chunked, chunked\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: chunked\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
		400},
	    {STR(POST "Transfer-Encoding:\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: ,chunked\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: chunked,\r\n\r\n"), 400},
	    {STR(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501},
	    {STR(POST "Transfer-Encoding: \"chunked\"\r\n\r\n"), 501},
	    {STR(POST "Transfer-Encoding: chunked;a=b\r\n\r\n"), 501},
	    {STR(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
	    {STR(POST "Transfer-Encoding: identity\r\n\r\n"), 501},
	    {STR(POST "Transfer-Encoding: \x0b"
		      "chunked\r\n\r\n"),
		400},
	    {STR(POST0 "Transfer-Encoding: chunked\r\n\r\n"), 400},
	    {STR(POST0 "Content-Length: 5\r\n\r\n"), 0},
	    /* Methods whose body would mean nothing */
	    {STR(GET "Content-Length: 0\r\n\r\n"), 0},
	    {STR(GET "Content-Length: 1\r\n\r\n"), 400},
	    {STR(GET "Transfer-Encoding: chunked\r\n\r\n"), 400},
	    {STR("HEAD / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"), 400},
	    {STR("OPTIONS * HTTP/1.0\r\nContent-Length: 1\r\n\r\n"), 400},
	    {STR("PUT / HTTP/1.0\r\nContent-Length: 1\r\n\r\n"), 0},
	};

	check_heads(heads, sizeof heads / sizeof *heads);
}

/* Answers are given at the first byte that can be known to be wrong. */
static void
test_early(void)
{
	const struct {
		struct str text;
		size_t at;
	} heads[] = {
	    {STR("\x16"), 1},
	    {STR("{"), 1},
	    {STR(" "), 1},
	    {STR("\n"), 1},
	    {STR("\r\n\r\n\r"), 5},
	    {STR("GET\t"), 4},
	    {STR("GET  "), 5},
	    {STR("GET /\n"), 6},
	    {STR("GET /\x80"), 6},
	    {STR("GET / HTTP/1.1\n"), 15},
	    {STR("GET / HTTP/1.1\rx"), 16},
	    {STR("PRI * HTTP/2.0\r\n"), 16},
	    {STR(GET0 " "), 17},
	    {STR(GET0 ":"), 17},
	    {STR(GET0 "A "), 18},
	    {STR(GET0 "A:\0"), 19},
	    {STR(GET0 "Host:\r\n"), 23},
	};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		is_int((long long)decided_at(heads[i].text),
		    (long long)heads[i].at, "decided at the byte");
}

static void
test_request(void)
{
	struct http_request r;
	struct str s =
	    STR("\r\nPOST /a%20b/?x=1&y?z HTTP/1.1\r\nHost: h:80\r\n"
		"Content-Length: 12\r\nExpect: 100-continue\r\n"
		"X-A: \t b  c \t\r\nx-a: second\r\nEmpty:\r\n\r\nbody");

	is_int(parse(&r, s), (long long)s.n - 4, "the head without the body");
	is_int(r.method, HTTP_POST, "method");
	is_int(r.minor, 1, "minor version");
	is_str(r.path, STR("/a%20b/"), "path");
	is_str(r.query, STR("x=1&y?z"), "query");
	ok(r.has_body && !r.chunked && r.expect, "a body that asks first");
	is_int(r.length, 12, "length");
	is_int((long long)r.nfields, 6, "number of fields");
	is_str(r.fields[3].name, STR("X-A"), "a name as it was written");
	is_str(r.fields[3].value, STR("b  c"), "a value is trimmed");
	is_str(http_field(&r, STR("x-A")), STR("b  c"), "the first field");
	is_str(http_field(&r, STR("empty")), STR(""), "an empty value");
	is_str(http_field(&r, STR("X")), absent, "no such field");
}

static void
test_forms(void)
{
	const struct {
		struct str text, path, query;
	} forms[] = {
	    {STR("GET / HTTP/1.0\r\n\r\n"), STR("/"), absent},
	    {STR("GET /? HTTP/1.0\r\n\r\n"), STR("/"), STR("")},
	    {STR("GET //h/a HTTP/1.0\r\n\r\n"), STR("//h/a"), absent},
	    {STR("GET http://h/a/b?c HTTP/1.0\r\n\r\n"), STR("/a/b"), STR("c")},
	    {STR("GET http://h HTTP/1.0\r\n\r\n"), STR("/"), absent},
	    {STR("GET http://h?a/b HTTP/1.0\r\n\r\n"), STR("/"), STR("a/b")},
	    {STR("OPTIONS * HTTP/1.0\r\n\r\n"), STR("*"), absent},
	};
	struct http_request r;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		parse(&r, forms[i].text);
		is_str(r.path, forms[i].path, "path");
		is_str(r.query, forms[i].query, "query");
	}
}

static void
test_body(void)
{
	struct http_request r;

	parse(&r, STR(POST "\r\n"));
	ok(!r.has_body && r.length == -1, "no length is no body");
	parse(&r, STR(POST "Content-Length: 0\r\n\r\n"));
	ok(!r.has_body && r.length == 0, "length 0 is no body");
	parse(&r, STR(POST "Transfer-Encoding: chunked\r\n\r\n"));
	ok(r.has_body && r.chunked && r.length == -1, "a chunked body");
	parse(&r, STR(POST0 "Expect: 100-continue\r\n\r\n"));
	ok(!r.expect && r.minor == 0, "HTTP/1.0 expects nothing");
	parse(&r, STR("GET / HTTP/1.7\r\nHost: h\r\n\r\n"));
	is_int(r.minor, 1, "HTTP/1.7 counts as 1.1");
}

static void
test_methods(void)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT",
	    "DELETE", "OPTIONS", "PATCH", "TRACE"};
	struct http_request r;
	char text[80];

	for (int i = 0; i < 8; i++) {
		snprintf(text, sizeof text, "%s /a HTTP/1.0\r\n\r\n", names[i]);
		ok(parse(&r, str_c(text)) > 0 && (int)r.method == i, "%s",
		    names[i]);
	}
}

/* Which of all bytes may stand in each place. */
static void
test_bytes(void)
{
	const char *token = "!#$%&'*+-.^_`|~0123456789"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz";
	bool method = true, target = true, name = true, value = true;

	for (int c = 0; c < 256; c++) {
		bool is_token = c != 0 && strchr(token, c) != NULL;
		bool visible = c > 0x20 && c < 0x7f;
		char text[80];
		int n = snprintf(text, sizeof text, "X%c / HTTP/1.0\r\n", c);
		if (c == ' ')
			continue;
		method &=
		    result(str_n(text, (size_t)n)) == (is_token ? -501 : -400);
		n = snprintf(text, sizeof text, "GET /%c HTTP/1.0\r\n\r\n", c);
		target &= (result(str_n(text, (size_t)n)) > 0) ==
		    (visible && c != '#' && c != '%');
		n = snprintf(text, sizeof text, GET0 "X%c: y\r\n\r\n", c);
		name &= (result(str_n(text, (size_t)n)) > 0) ==
		    (is_token || c == ':');
		n = snprintf(text, sizeof text, GET0 "X: y%cz\r\n\r\n", c);
		value &= (result(str_n(text, (size_t)n)) > 0) ==
		    (visible || c == '\t' || c >= 0x80);
	}
	ok(method, "the bytes of a method");
	ok(target, "the bytes of a target");
	ok(name, "the bytes of a field name");
	ok(value, "the bytes of a field value");
}

static void
add_many(struct buf *b, char c, size_t n)
{
	while (n-- > 0)
		buf_addc(b, c);
}

static void
test_line_limit(void)
{
	const size_t around = strlen("GET / HTTP/1.0\r\n");
	struct buf b;

	buf_init(&b, 1 << 16);
	buf_addz(&b, "\r\nGET /");
	add_many(&b, 'a', HTTP_LINE_MAX - around);
	buf_addz(&b, " HTTP/1.0\r\n\r\n");
	is_int(result(buf_str(&b)), (long long)b.n, "the longest line");

	buf_clear(&b);
	buf_addz(&b, "GET /");
	add_many(&b, 'a', HTTP_LINE_MAX - around + 1);
	buf_addz(&b, " HTTP/1.0\r\n\r\n");
	is_int(result(buf_str(&b)), -414, "a longer line");
	is_int((long long)decided_at(buf_str(&b)), HTTP_LINE_MAX,
	    "decided when no end is in sight");
	add_many(&b, '\0', HTTP_LINE_MAX);
	is_int(result(buf_str(&b)), -414, "whatever comes behind it");

	buf_clear(&b);
	add_many(&b, 'G', HTTP_LINE_MAX);
	is_int(result(buf_str(&b)), -414, "a method too long to be unknown");
	buf_free(&b);
}

/* A head of n bytes, with fields of no more than 1000 bytes. */
static void
make_head(struct buf *b, size_t n)
{
	buf_clear(b);
	buf_addz(b, GET0);
	while (n - b->n > 1100) {
		buf_addz(b, "A: ");
		add_many(b, 'b', 990);
		buf_addz(b, "\r\n");
	}
	buf_addz(b, "B: ");
	add_many(b, 'c', n - b->n - 4);
	buf_addz(b, "\r\n\r\n");
}

static void
test_head_limit(void)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	make_head(&b, HTTP_HEAD_MAX);
	is_int(result(buf_str(&b)), HTTP_HEAD_MAX, "the largest head");
	make_head(&b, HTTP_HEAD_MAX + 1);
	is_int(result(buf_str(&b)), -431, "a larger head");
	is_int(result(str_n(b.p, HTTP_HEAD_MAX)), -431, "cut where it is full");
	is_int(result(str_n(b.p, HTTP_HEAD_MAX - 1)), 0, "cut before");
	buf_cut(&b, HTTP_HEAD_MAX);
	add_many(&b, '\0', 100);
	is_int(result(buf_str(&b)), -431, "whatever comes behind it");
	buf_free(&b);
}

static void
test_fields_limit(void)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	buf_addz(&b, GET0);
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		buf_addz(&b, "A: b\r\n");
	buf_addz(&b, "\r\n");
	is_int(result(buf_str(&b)), (long long)b.n, "the most fields");
	buf_cut(&b, b.n - 2);
	is_int(result(buf_str(&b)), 0, "... without the last line");
	buf_addz(&b, "A: b\r\n\r\n");
	check_head(buf_str(&b), 431);
	buf_free(&b);
}

static void
test_why(void)
{
	struct http_request r;
	const char *why = "";

	http_request(&r, "\x16\x03\x01", 3, &why);
	is_str(str_c(why), STR("TLS on a plain port"), "TLS is recognised");
	http_request(&r, "GET / HTTP/1.1\n", 15, &why);
	is_str(str_c(why), STR("line does not end in CR LF"), "LF is named");
	is_int(http_request(&r, NULL, 0, &why), 0, "nothing yet");
}

int
main(void)
{
	test_request_line();
	test_target();
	test_host();
	test_fields();
	test_framing();
	test_early();
	test_request();
	test_forms();
	test_body();
	test_methods();
	test_bytes();
	test_line_limit();
	test_head_limit();
	test_fields_limit();
	test_why();
	return done();
}
