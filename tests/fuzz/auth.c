#include "wire/auth.h"

#include "wire/chars.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static bool
is_within(struct str part, struct str whole)
{
	return part.n == 0 ||
	    (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void
check_bearer(struct str s)
{
	struct str token;

	if (!auth_bearer(s, &token))
		return;
	check(s.n >= 6 && is_within(token, s) && token.n + 6 <= s.n);
	check(str_trim(token).n == token.n);
}

/* There are no more than there are separators, and no name that is not there.
 */
static void
check_cookie(struct str s)
{
	struct str value = {NULL, 0};
	size_t found = auth_cookie(s, STR("t"), &value), parts = 1;

	for (size_t i = 0; i < s.n; i++)
		parts += s.p[i] == ';';
	check(found <= parts && (found > 0) == (value.p != NULL));
	check(is_within(value, s) && str_find(value, ';') == value.n);
	check(auth_cookie(s, STR("not;there"), &value) == 0);
}

/*
 * Four lines: Authorization, X-API-Key, Cookie, the query. What is found can be
 * handed on, and stands in the place that is named.
 */
static void
check_find(struct str s)
{
	static const struct str names[] = {
	    {"authorization", 13}, {"x-api-key", 9}, {"cookie", 6}};
	struct http_request r = {.nfields = 0};
	enum auth_source source;
	struct buf token;

	for (; r.nfields < 3; r.nfields++)
		r.fields[r.nfields] = (struct http_field){
		    names[r.nfields], str_trim(str_cut(s, '\n', &s))};
	r.query = s;
	buf_init(&token, AUTH_TOKEN_MAX);
	source = auth_find(&r, STR("t"), &token);
	check(!token.failed && (source != AUTH_NONE || token.n == 0));
	check(chars_span(buf_str(&token), chars_is_visible) == token.n);
	/* A field that is there, also without a value, hides what follows. */
	if (r.fields[1].value.p != NULL)
		check(source == AUTH_BEARER || source == AUTH_KEY);
	if (source == AUTH_KEY && token.n > 0)
		check(str_eq(buf_str(&token), r.fields[1].value));
	buf_free(&token);
}

/* A time is told in one way only, but for zeros and the line's end. */
static void
check_expiry(struct str s)
{
	int64_t t;

	if (auth_expiry(s, &t) != 0 || s.n == 0)
		return;
	check(t >= 0 && t < INT64_MAX && str_starts(s, STR("expires=")));
	s = str_from(s, 8);
	check(s.n > 0 && chars_span(s, chars_is_digit) + 1 >= s.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = size == 0 ? STR("") : str_n(data, size);

	check(!auth_is_token68(s) ||
	    (s.n > 0 && chars_span(s, chars_is_visible) == s.n));
	check_bearer(s);
	check_cookie(s);
	check_find(s);
	check_expiry(s);
	return 0;
}
