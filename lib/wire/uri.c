#include "wire/uri.h"

#include "base/num.h"
#include "wire/chars.h"
#include "wire/utf8.h"

/* unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~" */
static bool
is_unreserved(char c)
{
	return chars_is_alnum(c) || chars_has("-._~", c);
}

/* unreserved / pct-encoded / sub-delims without "," */
static bool
is_reg_name(char c)
{
	return is_unreserved(c) || chars_has("%!$&'()*+;=", c);
}

/* IPv6address and IPv4address */
static bool
is_address(char c)
{
	return chars_is_digit(c) || chars_has("abcdefABCDEF:.", c);
}

static bool
is_not_path(char c)
{
	return c != '/' && c != '?';
}

/* host = "[" address "]" / reg-name: the length of what s begins with, or 0. */
static size_t
host_len(struct str s)
{
	size_t n;

	if (!str_starts(s, STR("[")))
		return chars_span(s, is_reg_name);
	n = 1 + chars_span(str_from(s, 1), is_address);
	return n > 1 && n < s.n && s.p[n] == ']' ? n + 1 : 0;
}

bool
uri_is_authority(struct str s)
{
	size_t n = host_len(s);
	struct str host = {s.p, n}, port = str_from(s, n);

	if (n == 0 || !uri_escapes_ok(host))
		return false;
	return port.n == 0 ||
	    (port.p[0] == ':' &&
		chars_span(str_from(port, 1), chars_is_digit) == port.n - 1);
}

size_t
uri_origin_len(struct str s)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct str want = str_c(schemes[i]);
		struct str scheme = {s.p, want.n}, authority;
		if (s.n < want.n || !str_ieq(scheme, want))
			continue;
		authority = str_from(s, want.n);
		authority.n = chars_span(authority, is_not_path);
		if (uri_is_authority(authority))
			return want.n + authority.n;
	}
	return 0;
}

/* The byte of the escape ("%" 2HEXDIG) that s begins with, or -1. */
static int
escaped_byte(struct str s)
{
	uint64_t v;

	if (s.n < 3 || num_hex(str_n(s.p + 1, 2), &v) != 0)
		return -1;
	return (int)v;
}

bool
uri_escapes_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '%' && escaped_byte(str_from(s, i)) <= 0)
			return false;
	return true;
}

/* uri_escapes_ok(s) */
static void
add_decoded(struct buf *b, struct str s, bool plus)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			buf_addc(b, (char)escaped_byte(str_from(s, i)));
			i += 2;
		} else {
			buf_addc(b, plus && s.p[i] == '+' ? ' ' : s.p[i]);
		}
	}
}

int
uri_decode(struct buf *b, struct str s, bool plus)
{
	size_t before = b->n;
	struct str text;

	if (!uri_escapes_ok(s))
		return -1;
	add_decoded(b, s, plus);
	text = str_from(buf_str(b), before);
	if (!b->failed && utf8_valid(text) && str_find(text, '\0') == text.n)
		return 0;
	buf_cut(b, before);
	return -1;
}

bool
uri_param(struct str *rest, struct str *name, struct str *value)
{
	while (rest->p != NULL) {
		struct str part = str_cut(*rest, '&', rest);
		if (part.n > 0) {
			*name = str_cut(part, '=', value);
			return true;
		}
	}
	return false;
}
