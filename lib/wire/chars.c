#include "wire/chars.h"

#include <string.h>

bool
chars_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
chars_is_alnum(char c)
{
	return chars_is_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

bool
chars_is_visible(char c)
{
	return c >= 0x21 && c <= 0x7e;
}

bool
chars_is_token(char c)
{
	return chars_is_alnum(c) || chars_has("!#$%&'*+-.^_`|~", c);
}

bool
chars_is_text(char c)
{
	return c == '\t' || c == ' ' || chars_is_visible(c) ||
	    (unsigned char)c >= 0x80;
}

bool
chars_has(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

size_t
chars_span(struct str s, bool (*is_member)(char))
{
	size_t n = 0;

	while (n < s.n && is_member(s.p[n]))
		n++;
	return n;
}
