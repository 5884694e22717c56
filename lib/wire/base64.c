#include "wire/base64.h"

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The digit plus 1; 0 for a byte that is none. */
/* clang-format off */
static const unsigned char digits[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	['N'] = 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
	['n'] = 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* The first n digits (2 to 4) of a quantum: 24 bits, of which 6n are read. */
static int
quantum(const char *p, size_t n, uint32_t *bits)
{
	*bits = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char digit = digits[(unsigned char)p[i]];
		if (digit == 0)
			return -1;
		*bits |= (uint32_t)(digit - 1) << (18 - 6 * i);
	}
	return 0;
}

static char *
put(char *out, uint32_t bits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*out++ = (char)(bits >> (16 - 8 * i) & 0xff);
	return out;
}

void
base64_encode(struct buf *b, struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t room = (s.n / 3 + (s.n % 3 != 0)) * 4;
	char *out = buf_room(b, room);

	if (out == NULL)
		return;
	for (size_t left = s.n; left > 0; p += 3, out += 4) {
		uint32_t bits = (uint32_t)p[0] << 16;
		bits |= left > 1 ? (uint32_t)p[1] << 8 : 0;
		bits |= left > 2 ? p[2] : 0;
		out[0] = alphabet[bits >> 18];
		out[1] = alphabet[bits >> 12 & 63];
		out[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		out[3] = left > 2 ? alphabet[bits & 63] : '=';
		left -= left < 3 ? left : 3;
	}
	buf_used(b, room);
}

/*
 * text = *(4digit) [2digit "==" / 3digit "="]    (RFC 4648 section 4)
 */
int
base64_decode(struct buf *b, struct str s)
{
	size_t pad = 0, whole;
	uint32_t bits;

	if (s.n % 4 != 0)
		return -1;
	while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
		pad++;
	whole = s.n - (pad > 0 ? 4 : 0);

	char *start = buf_room(b, s.n / 4 * 3 - pad), *out = start;
	if (start == NULL)
		return -1;
	for (size_t i = 0; i < whole; i += 4) {
		if (quantum(s.p + i, 4, &bits) != 0)
			return -1;
		out = put(out, bits, 3);
	}
	if (pad > 0) {
		if (quantum(s.p + whole, 4 - pad, &bits) != 0 ||
		    (bits & ((1u << 8 * pad) - 1)) != 0)
			return -1;
		out = put(out, bits, 3 - pad);
	}
	buf_used(b, (size_t)(out - start));
	return 0;
}
