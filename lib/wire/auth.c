#include "wire/auth.h"

#include "base/num.h"
#include "wire/chars.h"
#include "wire/uri.h"

/* token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" */
static bool
is_token68(char c)
{
	return chars_is_alnum(c) || chars_has("-._~+/", c);
}

static bool
is_padding(char c)
{
	return c == '=';
}

bool
auth_is_token68(struct str s)
{
	size_t n = chars_span(s, is_token68);

	return n > 0 && n + chars_span(str_from(s, n), is_padding) == s.n;
}

/* credentials = auth-scheme [ 1*SP token68 ], the scheme in any case */
bool
auth_bearer(struct str value, struct str *token)
{
	struct str rest, scheme = str_cut(value, ' ', &rest);

	if (!str_ieq(scheme, STR("Bearer")))
		return false;
	*token = rest.p != NULL ? str_trim(rest) : STR("");
	return true;
}

static struct str
unquote(struct str s)
{
	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return s;
	return str_n(s.p + 1, s.n - 2);
}

/*
 * cookie-string = cookie-pair *( ";" SP cookie-pair )
 * cookie-pair   = cookie-name "=" ( *cookie-octet / DQUOTE *... DQUOTE )
 */
size_t
auth_cookie(struct str cookies, struct str name, struct str *value)
{
	size_t found = 0;

	while (cookies.p != NULL) {
		struct str text, pair = str_cut(cookies, ';', &cookies);
		if (str_eq(str_trim(str_cut(pair, '=', &text)), name) &&
		    text.p != NULL) {
			*value = unquote(str_trim(text));
			found++;
		}
	}
	return found;
}

/* ---- Where it stands: how many there are, the last in *token ---- */

struct search {
	const struct http_request *r;
	struct str cookie;
	struct str token;
};

static size_t
find_bearer(struct search *s)
{
	size_t found = 0;

	for (size_t i = 0; i < s->r->nfields; i++) {
		const struct http_field *f = &s->r->fields[i];
		if (str_ieq(f->name, STR("Authorization")))
			found += auth_bearer(f->value, &s->token);
	}
	return found;
}

static size_t
find_key(struct search *s)
{
	size_t found = 0;

	for (size_t i = 0; i < s->r->nfields; i++) {
		const struct http_field *f = &s->r->fields[i];
		if (str_ieq(f->name, STR("X-API-Key"))) {
			s->token = f->value;
			found++;
		}
	}
	return found;
}

static size_t
find_cookie(struct search *s)
{
	size_t found = 0;

	for (size_t i = 0; s->cookie.p != NULL && i < s->r->nfields; i++) {
		const struct http_field *f = &s->r->fields[i];
		if (str_ieq(f->name, STR("Cookie")))
			found += auth_cookie(f->value, s->cookie, &s->token);
	}
	return found;
}

static size_t
find_param(struct search *s)
{
	struct str rest = s->r->query, name, value;
	size_t found = 0;

	while (uri_param(&rest, &name, &value)) {
		if (str_eq(name, STR("access_token")) ||
		    str_eq(name, STR("apikey"))) {
			s->token = value;
			found++;
		}
	}
	return found;
}

/* What cannot be a token is as none: nothing is appended. */
static void
take(struct buf *token, struct str raw, bool escaped)
{
	size_t before = token->n;
	struct str text;

	if (raw.n > AUTH_TOKEN_MAX)
		return;
	if (!escaped)
		buf_adds(token, raw);
	else if (uri_decode(token, raw, true) != 0)
		return;
	text = str_from(buf_str(token), before);
	if (chars_span(text, chars_is_visible) != text.n)
		buf_cut(token, before);
}

enum auth_source
auth_find(const struct http_request *r, struct str cookie, struct buf *token)
{
	static const struct {
		enum auth_source source;
		size_t (*find)(struct search *s);
	} places[] = {
	    {AUTH_BEARER, find_bearer},
	    {AUTH_KEY, find_key},
	    {AUTH_COOKIE, find_cookie},
	    {AUTH_QUERY, find_param},
	};
	struct search s = {.r = r, .cookie = cookie};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t found = places[i].find(&s);
		if (found == 1)
			take(token, s.token, places[i].source == AUTH_QUERY);
		if (found > 0)
			return places[i].source;
	}
	return AUTH_NONE;
}

/* text = [ "expires=" 1*DIGIT [ LF ] ] */
int
auth_expiry(struct str text, int64_t *expires_s)
{
	struct str name = STR("expires=");
	uint64_t v;

	*expires_s = INT64_MAX;
	if (text.n == 0)
		return 0;
	if (text.p[text.n - 1] == '\n')
		text.n--;
	if (!str_starts(text, name) ||
	    num_u64(str_from(text, name.n), &v) != 0 || v >= INT64_MAX)
		return -1;
	*expires_s = (int64_t)v;
	return 0;
}
