#include "wire/json_string.h"

#include "base/num.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 *   string    = %x22 *char %x22
 *   char      = unescaped / "\" ( %x22 / "\" / "/" / "b" / "f" / "n" / "r" /
 *               "t" / "u" 4HEXDIG )
 *   unescaped = %x20-21 / %x23-5B / %x5D-10FFFF
 */

/*
 * How many bytes at the beginning of s are no control, quote or backslash, and
 * when writing no DEL and no byte that may begin a line separator.
 */
static inline size_t
plain_run(struct str s, bool writing)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	size_t i = 0;

	/*
	 * Eight at a time: x - ones sets the high bit of the first byte that is
	 * 0 in x, and a borrow only disturbs bytes behind it.
	 */
	for (; s.n - i >= 8; i += 8) {
		uint64_t w, found;
		memcpy(&w, s.p + i, 8);
		found = ((w - ones * ' ') | ((w ^ ones * '"') - ones) |
			    ((w ^ ones * '\\') - ones)) &
		    ~w;
		if (writing) {
			uint64_t lead = w ^ ones * 0xe2;
			found |= ((w ^ ones * 0x7f) - ones) & ~w;
			found |= (lead - ones) & ~lead;
		}
		if ((found & ones * 0x80) != 0)
			break;
	}
	for (; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < ' ' || c == '"' || c == '\\' ||
		    (writing && (c == 0x7f || c == 0xe2)))
			break;
	}
	return i;
}

/* Does s begin with `\uXXXX`? */
static bool
unit(struct str s, uint32_t *v)
{
	uint64_t n;

	if (!str_starts(s, STR("\\u")) || s.n < 6 ||
	    num_hex(str_n(s.p + 2, 4), &n) != 0)
		return false;
	*v = (uint32_t)n;
	return true;
}

/*
 * The bytes of the `\uXXXX`, or pair of them, that s begins with, or 0. A
 * surrogate is half of a character: alone it stands for no text.
 */
static size_t
unit_escape(struct str s, uint32_t *c)
{
	uint32_t low;

	if (!unit(s, c))
		return 0;
	if (*c < 0xd800 || *c > 0xdfff)
		return 6;
	if (*c > 0xdbff || !unit(str_from(s, 6), &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return 0;
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	return 12;
}

/* The bytes of the escape that s (a backslash first) begins with, or 0. */
static size_t
escape(struct str s, uint32_t *c)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (s.n < 2)
		return 0;
	if (s.p[1] == 'u')
		return unit_escape(s, c);
	name = memchr(names, s.p[1], sizeof names - 1);
	if (name == NULL)
		return 0;
	*c = (unsigned char)values[name - names];
	return 2;
}

size_t
json_string_len(struct str s)
{
	size_t i = 1, n;
	uint32_t c;

	if (s.n == 0 || s.p[0] != '"')
		return 0;
	for (;;) {
		i += plain_run(str_from(s, i), false);
		if (i == s.n)
			return 0;
		if (s.p[i] == '"')
			return i + 1;
		n = s.p[i] == '\\' ? escape(str_from(s, i), &c) : 0;
		if (n == 0)
			return 0;
		i += n;
	}
}

static char *
put_utf8(char *out, uint32_t c)
{
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return out + n;
}

void
json_unescape(struct buf *b, struct str raw)
{
	char *start = buf_room(b, raw.n), *out = start;
	uint32_t c;
	size_t n;

	if (start == NULL)
		return;
	for (;;) {
		n = str_find(raw, '\\');
		memcpy(out, raw.p, n);
		out += n;
		raw = str_from(raw, n);
		n = escape(raw, &c);
		if (n == 0)
			break;
		out = put_utf8(out, c);
		raw = str_from(raw, n);
	}
	buf_used(b, (size_t)(out - start));
}

/* Does s begin with U+2028 or U+2029, which end lines for other readers? */
static bool
line_separator(struct str s)
{
	return str_starts(s, STR("\xe2\x80\xa8")) ||
	    str_starts(s, STR("\xe2\x80\xa9"));
}

/* How many bytes at the beginning of s need no escape. */
static size_t
quotable_run(struct str s)
{
	size_t i = plain_run(s, true);

	while (i < s.n && s.p[i] == '\xe2' && !line_separator(str_from(s, i))) {
		i++;
		i += plain_run(str_from(s, i), true);
	}
	return i;
}

static void
add_unit(struct buf *b, unsigned c)
{
	static const char hex[] = "0123456789abcdef";

	buf_addz(b, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		buf_addc(b, hex[c >> shift & 0xf]);
}

/* Append the escape of the character that s begins with; its bytes. */
static size_t
add_escape(struct buf *b, struct str s)
{
	static const char values[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
	const char *value = memchr(values, s.p[0], sizeof values - 1);

	if (s.p[0] == '\xe2') {
		add_unit(b, s.p[2] == '\xa8' ? 0x2028 : 0x2029);
		return 3;
	}
	if (value != NULL) {
		buf_addc(b, '\\');
		buf_addc(b, names[value - values]);
	} else {
		add_unit(b, (unsigned char)s.p[0]);
	}
	return 1;
}

void
json_quote(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	while (s.n > 0) {
		size_t n = quotable_run(s);
		buf_add(b, s.p, n);
		s = str_from(s, n);
		if (s.n > 0)
			s = str_from(s, add_escape(b, s));
	}
	buf_addc(b, '"');
}
