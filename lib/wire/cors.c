#include "wire/cors.h"

#include "wire/chars.h"
#include "wire/http_answer.h"
#include "wire/uri.h"

const char cors_methods[] = "GET, HEAD, POST";
/* Without `*`: that would stand for no more than itself beside cookies. */
const char cors_headers[] =
    "Authorization, Cache-Control, Content-Type, Idempotency-Key, "
    "Last-Event-ID, X-API-Key";
/* Two hours, which is the most that Chromium takes. */
const char cors_max_age[] = "7200";

/* What a page may read besides the few fields that all may. */
#define EXPOSED "Chat-Cursor, Location, Retry-After"

static bool
is_scheme(char c)
{
	return chars_is_alnum(c) || chars_has("+-.", c);
}

/* serialized-origin = scheme "://" host [ ":" port ] */
bool
cors_is_origin(struct str s)
{
	struct str rest, colon = STR("://");
	size_t n = chars_span(s, is_scheme);

	rest = str_from(s, n);
	return n > 0 && !chars_is_digit(s.p[0]) && str_starts(rest, colon) &&
	    uri_is_authority(str_from(rest, colon.n));
}

static bool
has(const struct cors *c, struct str origin)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_ieq(str_c(c->origins[i]), origin))
			return true;
	return false;
}

/* A page does not get there by sending `*`. */
bool
cors_names(const struct cors *c, struct str origin)
{
	return cors_is_origin(origin) && has(c, origin);
}

bool
cors_allows(const struct cors *c, struct str origin)
{
	return cors_names(c, origin) || (origin.p != NULL && has(c, STR("*")));
}

/*
 * Vary also where nothing is allowed: another origin may be, and ask a cache
 * for the same.
 */
void
cors_add(struct buf *b, const struct cors *c, struct str origin)
{
	bool named = cors_names(c, origin);

	if (c->n > 1 || (c->n == 1 && !has(c, STR("*"))))
		http_add(b, "Vary", STR("Origin"));
	if (!cors_allows(c, origin))
		return;
	http_add(b, "Access-Control-Allow-Origin", named ? origin : STR("*"));
	if (named)
		http_add(b, "Access-Control-Allow-Credentials", STR("true"));
	http_add(b, "Access-Control-Expose-Headers", STR(EXPOSED));
}
