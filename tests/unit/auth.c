#include "wire/auth.h"

#include "tap.h"

static const struct str absent = {NULL, 0};

static void
test_token68(void)
{
	const struct {
		struct str s;
		bool want;
	} cases[] = {
	    {STR("a"), true},
	    {STR("aZ09-._~+/"), true},
	    {STR("YWJj=="), true},
	    {STR(""), false},
	    {absent, false},
	    {STR("="), false},
	    {STR("a=b"), false},
	    {STR("a b"), false},
	    {STR("a;b"), false},
	    {STR("a#b"), false},
	    {STR("a\0b"), false},
	    {STR("a\n"), false},
	    {STR("\xc3\xa4"), false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ok(auth_is_token68(cases[i].s) == cases[i].want,
		    "token68 '%.*s'", (int)cases[i].s.n,
		    cases[i].s.p != NULL ? cases[i].s.p : "");
}

static void
test_bearer(void)
{
	const struct {
		const char *value, *want; /* NULL: it is for another scheme */
	} cases[] = {
	    {"Bearer abc", "abc"},
	    {"bearer abc", "abc"},
	    {"BEARER   abc", "abc"},
	    {"Bearer", ""},
	    {"Bearer ", ""},
	    {"Bearer a b", "a b"},
	    {"Bearerabc", NULL},
	    {"Bearer\tabc", NULL},
	    {"Basic abc", NULL},
	    {"abc", NULL},
	    {" Bearer abc", NULL},
	    {"", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str token = absent;
		bool is =
		    auth_bearer(flush_copy(str_c(cases[i].value)), &token);
		ok(is == (cases[i].want != NULL), "'%s'", cases[i].value);
		is_str(token, str_c(cases[i].want), "... its token");
	}
}

static void
test_cookie(void)
{
	const struct {
		const char *cookies;
		long long found;
		const char *want;
	} cases[] = {
	    {"t=abc", 1, "abc"},
	    {"a=1; t=abc; b=2", 1, "abc"},
	    {"a=1;t=abc;b=2", 1, "abc"},
	    {" t = abc ", 1, "abc"},
	    {"t=\"abc\"", 1, "abc"},
	    {"t=\"", 1, "\""},
	    {"t=\"abc", 1, "\"abc"},
	    {"t=", 1, ""},
	    {"t=a=b", 1, "a=b"},
	    {"t=1; t=2", 2, "2"},
	    {"t", 0, NULL},
	    {"T=abc", 0, NULL},
	    {"xt=abc; tx=abc", 0, NULL},
	    {"a=t=abc", 0, NULL},
	    {"a=\"x", 0, NULL},
	    {"=abc", 0, NULL},
	    {";;;", 0, NULL},
	    {"", 0, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str value = absent;
		is_int(
		    (long long)auth_cookie(
			flush_copy(str_c(cases[i].cookies)), STR("t"), &value),
		    cases[i].found, cases[i].cookies);
		is_str(value, str_c(cases[i].want), "... the last one's value");
	}
}

/* ---- Of a whole request ---- */

static void
find(const char *query, const char *fields, enum auth_source source,
    const char *want)
{
	struct http_request r;
	struct buf head, token;
	const char *why;

	buf_init(&head, 32 << 10);
	buf_init(&token, AUTH_TOKEN_MAX);
	buf_addf(&head, "GET /%s HTTP/1.0\r\n%s\r\n", query, fields);
	ok(http_request(&r, head.p, head.n, &why) > 0, "GET /%s", query);
	is_int(auth_find(&r, STR("t"), &token), source, "found there");
	is_str(buf_str(&token), str_c(want), "... its token");
	buf_free(&head);
	buf_free(&token);
}

static void
test_places(void)
{
	find("", "", AUTH_NONE, "");
	find("", "Authorization: Bearer abc\r\n", AUTH_BEARER, "abc");
	find("", "authorization: bearer abc\r\n", AUTH_BEARER, "abc");
	find("", "X-API-Key: abc\r\n", AUTH_KEY, "abc");
	find("", "Cookie: a=1; t=abc\r\n", AUTH_COOKIE, "abc");
	find("?access_token=abc", "", AUTH_QUERY, "abc");
	find("?a=1&apikey=abc", "", AUTH_QUERY, "abc");
	find("?access_token=%61%2B", "", AUTH_QUERY, "a+");
	find("?access_token", "", AUTH_QUERY, "");
	find("?ACCESS_TOKEN=abc", "", AUTH_NONE, "");
	find("?access%5ftoken=abc", "", AUTH_NONE, "");
}

static void
test_order(void)
{
	find("?apikey=q",
	    "Cookie: t=c\r\nX-API-Key: k\r\n"
	    "Authorization: Bearer b\r\n",
	    AUTH_BEARER, "b");
	find("?apikey=q", "Cookie: t=c\r\nX-API-Key: k\r\n", AUTH_KEY, "k");
	find("?apikey=q", "Cookie: t=c\r\n", AUTH_COOKIE, "c");
	find("?apikey=q", "Authorization: Basic b\r\n", AUTH_QUERY, "q");
	/* What is wrong does not make another one right. */
	find("?apikey=q", "Authorization: Bearer\r\n", AUTH_BEARER, "");
	find("?apikey=q", "X-API-Key:\r\n", AUTH_KEY, "");
	find("?apikey=q", "Cookie: t=\r\n", AUTH_COOKIE, "");
}

static void
test_doubt(void)
{
	find("", "Authorization: Bearer a\r\nAuthorization: Bearer a\r\n",
	    AUTH_BEARER, "");
	find("", "Authorization: Bearer a\r\nAuthorization: Basic b\r\n",
	    AUTH_BEARER, "a");
	find("", "X-API-Key: a\r\nX-API-Key: a\r\n", AUTH_KEY, "");
	find("", "Cookie: t=a\r\nCookie: t=b\r\n", AUTH_COOKIE, "");
	find("", "Cookie: t=a; t=b\r\n", AUTH_COOKIE, "");
	find("?apikey=a&access_token=a", "", AUTH_QUERY, "");
	find("", "Authorization: Bearer a b\r\n", AUTH_BEARER, "");
	find("", "Authorization: Bearer \xc3\xa4\r\n", AUTH_BEARER, "");
	find("?apikey=a%0ab", "", AUTH_QUERY, "");
	find("?apikey=a+b", "", AUTH_QUERY, "");
	find("?apikey=%c3%a4", "", AUTH_QUERY, "");
	find("?apikey=%ff", "", AUTH_QUERY, "");
}

/* One more byte than a token may have is none. */
static void
test_length(void)
{
	struct http_request r = {.nfields = 1};
	struct buf text, token;

	buf_init(&text, AUTH_TOKEN_MAX + 1);
	buf_init(&token, AUTH_TOKEN_MAX);
	for (size_t i = 0; i < AUTH_TOKEN_MAX; i++)
		buf_addc(&text, 'a');
	r.fields[0] = (struct http_field){STR("X-API-Key"), buf_str(&text)};
	is_int(auth_find(&r, absent, &token), AUTH_KEY, "a long one");
	is_str(buf_str(&token), buf_str(&text), "... as it is");
	buf_clear(&token);
	buf_addc(&text, 'a');
	r.fields[0].value = buf_str(&text);
	is_int(auth_find(&r, absent, &token), AUTH_KEY, "one too long");
	is_int((long long)token.n, 0, "... is none");
	r.fields[0] = (struct http_field){STR("Cookie"), STR("=a")};
	is_int(auth_find(&r, absent, &token), AUTH_NONE, "no cookie is asked");
	buf_free(&text);
	buf_free(&token);
}

static void
test_expiry(void)
{
	const struct {
		struct str s;
		int64_t want; /* -1: refused */
	} cases[] = {
	    {STR(""), INT64_MAX},
	    {absent, INT64_MAX},
	    {STR("expires=0"), 0},
	    {STR("expires=1790000000"), 1790000000},
	    {STR("expires=1790000000\n"), 1790000000},
	    {STR("expires=9223372036854775806"), INT64_MAX - 1},
	    {STR("expires=9223372036854775807"), -1},
	    {STR("expires=99999999999999999999"), -1},
	    {STR("expires="), -1},
	    {STR("expires=\n"), -1},
	    {STR("expires=-1"), -1},
	    {STR("expires=1.5"), -1},
	    {STR("expires= 1"), -1},
	    {STR("expires=1 "), -1},
	    {STR("expires=1\n\n"), -1},
	    {STR("expires=1\r\n"), -1},
	    {STR("expires=1\nexpires=2\n"), -1},
	    {STR("Expires=1"), -1},
	    {STR("\nexpires=1"), -1},
	    {STR("expires=1\0"), -1},
	    {STR("\n"), -1},
	    {STR("yes"), -1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t s;
		struct str text = cases[i].s;
		if (text.p != NULL)
			text = flush_copy(text);
		if (auth_expiry(text, &s) != 0)
			s = -1;
		is_int(s, cases[i].want, "an expiry");
	}
}

int
main(void)
{
	test_expiry();
	test_token68();
	test_bearer();
	test_cookie();
	test_places();
	test_order();
	test_doubt();
	test_length();
	return done();
}
