#include "base/str.h"

#include <string.h>

struct str
str_c(const char *s)
{
	return (struct str){s, s == NULL ? 0 : strlen(s)};
}

struct str
str_n(const void *p, size_t n)
{
	return (struct str){p, n};
}

/* memcmp must not be given a null pointer, not even for no bytes. */
static bool
same_bytes(const char *a, const char *b, size_t n)
{
	return n == 0 || memcmp(a, b, n) == 0;
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.p == NULL) == (b.p == NULL) &&
	    same_bytes(a.p, b.p, a.n);
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
str_ieq(struct str a, struct str b)
{
	if (a.n != b.n || (a.p == NULL) != (b.p == NULL))
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && same_bytes(s.p, prefix.p, prefix.n);
}

size_t
str_find(struct str s, char c)
{
	const char *hit = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return hit == NULL ? s.n : (size_t)(hit - s.p);
}

uint64_t
str_hash(struct str s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return h;
}

struct str
str_from(struct str s, size_t n)
{
	return n == 0 ? s : (struct str){s.p + n, s.n - n};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = str_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_cut(struct str s, char c, struct str *rest)
{
	size_t n = str_find(s, c);

	*rest = n == s.n ? (struct str){NULL, 0} : str_from(s, n + 1);
	return (struct str){s.p, n};
}

static bool
in_range(char c, char from, char to)
{
	unsigned char b = (unsigned char)c;
	unsigned char lo = (unsigned char)from, hi = (unsigned char)to;

	return lo <= hi ? lo <= b && b <= hi : hi <= b && b <= lo;
}

/*
 * class = "[" [ "^" ] *( "\" byte / byte "-" byte / byte ) "]"
 *
 * As in Redis, "]" ends the class even as its first byte, the end of the
 * pattern ends a class that was not closed, and a range may run downwards.
 * Returns the length of the class that the pattern begins with.
 */
static size_t
match_class(struct str pattern, char c, bool *hit)
{
	size_t i = 1;
	bool negated = i < pattern.n && pattern.p[i] == '^', found = false;

	for (i += negated; i < pattern.n && pattern.p[i] != ']'; i++) {
		const char *p = pattern.p + i;
		size_t left = pattern.n - i;
		if (left >= 2 && p[0] == '\\') {
			found |= p[1] == c;
			i += 1;
		} else if (left >= 3 && p[1] == '-') {
			found |= in_range(c, p[0], p[2]);
			i += 2;
		} else {
			found |= p[0] == c;
		}
	}
	*hit = found != negated;
	return i < pattern.n ? i + 1 : i;
}

/*
 * Match c against what the pattern, which is not empty, begins with (no "*").
 * Returns how long that is, or 0 when c does not match.
 */
static size_t
match_one(struct str pattern, char c)
{
	size_t n;
	bool hit;

	switch (pattern.p[0]) {
	case '?':
		return 1;
	case '[':
		n = match_class(pattern, c, &hit);
		return hit ? n : 0;
	case '\\':
		if (pattern.n >= 2)
			return pattern.p[1] == c ? 2 : 0;
		/* A backslash with nothing to quote stands for itself. */
		return c == '\\' ? 1 : 0;
	default:
		return pattern.p[0] == c ? 1 : 0;
	}
}

/*
 * Only the last star seen is ever tried again: an earlier one could only give
 * it a later start, and it can take those bytes itself.
 */
bool
str_glob(struct str pattern, struct str s)
{
	size_t p = 0, i = 0;
	size_t star = 0, from = 0; /* behind the last star; what it has left */

	while (i < s.n) {
		size_t n = 0;
		if (p < pattern.n && pattern.p[p] == '*') {
			star = ++p;
			from = i;
			continue;
		}
		if (p < pattern.n)
			n = match_one(str_from(pattern, p), s.p[i]);
		if (n > 0) {
			p += n;
			i++;
		} else if (star > 0) {
			p = star;
			i = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}
