#include "wire/chunked.h"

#include "base/num.h"
#include "wire/chars.h"

/*
 * chunked-body = *( size [ ext ] CRLF data CRLF )
 *                1*"0" [ ext ] CRLF *( field-line CRLF ) CRLF
 * size = 1*HEXDIG
 * ext = ";" *( HTAB / SP / VCHAR / obs-text )
 *
 * Each state is named by what it waits for.
 */
enum state {
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER, /* its first byte, or the CR of the last line */
	TRAILER_REST,
	TRAILER_LF,
	LAST_LF,
	END,
};

/* The state behind c, or -1 when c may not stand there. */
static int
expect(char c, char want, enum state next)
{
	return c == want ? (int)next : -1;
}

static int
take_size(struct chunked *c, char byte)
{
	uint64_t digit;

	if (num_hex(str_n(&byte, 1), &digit) == 0) {
		if (++c->digits > CHUNKED_DIGITS_MAX)
			return -1;
		c->left = c->left << 4 | digit;
		return SIZE;
	}
	if (c->digits == 0)
		return -1;
	return byte == ';' ? EXTENSION : expect(byte, '\r', SIZE_LF);
}

/* A byte of an extension or a trailer, which go on in the same state. */
static int
take_ignored(struct chunked *c, char byte, enum state same, enum state lf)
{
	if (!chars_is_text(byte))
		return expect(byte, '\r', lf);
	return ++c->overhead > CHUNKED_OVERHEAD_MAX ? -1 : (int)same;
}

/* A byte outside of the data: the next state or -1. */
static int
take_byte(struct chunked *c, char byte)
{
	switch ((enum state)c->state) {
	case SIZE:
		return take_size(c, byte);
	case EXTENSION:
		return take_ignored(c, byte, EXTENSION, SIZE_LF);
	case SIZE_LF:
		c->digits = 0;
		return expect(byte, '\n', c->left > 0 ? DATA : TRAILER);
	case DATA_CR:
		return expect(byte, '\r', DATA_LF);
	case DATA_LF:
		return expect(byte, '\n', SIZE);
	case TRAILER:
		if (byte == '\r')
			return LAST_LF;
		/* fallthrough */
	case TRAILER_REST:
		return take_ignored(c, byte, TRAILER_REST, TRAILER_LF);
	case TRAILER_LF:
		return expect(byte, '\n', TRAILER);
	case LAST_LF:
		return expect(byte, '\n', END);
	case DATA:
	case END:
		break;
	}
	return -1;
}

/* As much of the current chunk as there is; the bytes taken. */
static size_t
take_data(struct chunked *c, const char *p, size_t n, struct buf *body)
{
	if (n > c->left)
		n = (size_t)c->left;
	buf_add(body, p, n);
	c->left -= n;
	if (c->left == 0)
		c->state = DATA_CR;
	return n;
}

long
chunked_take(
    struct chunked *c, const char *p, size_t n, struct buf *body, bool *done)
{
	size_t i = 0;

	while (i < n && c->state != END) {
		if (c->state == DATA) {
			i += take_data(c, p + i, n - i, body);
			continue;
		}
		c->state = take_byte(c, p[i++]);
		if (c->state < 0)
			return -1;
	}
	*done = c->state == END;
	return (long)i;
}
