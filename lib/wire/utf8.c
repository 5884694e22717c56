#include "wire/utf8.h"

#include <stdint.h>
#include <string.h>

/*
 * Unicode 15, table 3-7 (s.n > 0): how many bytes of s begin a well-formed
 * sequence, at least 1. The sequence is complete when these are *need bytes;
 * *need is 0 when the first byte begins none.
 */
static size_t
match(struct str s, size_t *need)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char c = p[0];
	/* Only the second byte's range depends on the first. */
	unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	size_t i;

	if (c < 0x80)
		*need = 1;
	else if (c < 0xc2 || c > 0xf4)
		*need = 0;
	else
		*need = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	for (i = 1; i < *need && i < s.n; i++) {
		if (p[i] < low || p[i] > high)
			break;
		low = 0x80;
		high = 0xbf;
	}
	return i;
}

/* How many bytes at the beginning of s are ASCII. */
static size_t
ascii(struct str s)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	size_t i = 0;

	for (; s.n - i >= sizeof high; i += sizeof high) {
		uint64_t word;
		memcpy(&word, s.p + i, sizeof word);
		if ((word & high) != 0)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

/* How many bytes at the beginning of s are well-formed. */
static size_t
well_formed(struct str s)
{
	struct str rest = s;
	size_t n;

	do {
		n = ascii(rest);
		rest.p += n;
		rest.n -= n;
		n = utf8_len(rest);
		rest.p += n;
		rest.n -= n;
	} while (n > 0);
	return s.n - rest.n;
}

bool
utf8_valid(struct str s)
{
	return s.n == 0 || well_formed(s) == s.n;
}

static bool
is_control(unsigned char c, unsigned char next)
{
	/* C1 is C2 80 to C2 9F. */
	return c < ' ' || c == 0x7f || (c == 0xc2 && next < 0xa0);
}

bool
utf8_is_line(struct str s)
{
	if (!utf8_valid(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (is_control((unsigned char)s.p[i],
			i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0xff))
			return false;
	return true;
}

size_t
utf8_len(struct str s)
{
	size_t need;

	return s.n > 0 && match(s, &need) == need ? need : 0;
}

void
utf8_add_lossy(struct buf *b, struct str s)
{
	size_t need;

	while (s.n > 0) {
		size_t n = well_formed(s);
		buf_add(b, s.p, n);
		s = str_from(s, n);
		if (s.n == 0)
			break;
		buf_addz(b, "\xef\xbf\xbd");
		s = str_from(s, match(s, &need));
	}
}
