#include "wire/sse.h"

#include "wire/utf8.h"

static bool
is_unsafe(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/* Append s without the bytes that would end its line, or an id's effect. */
static void
add_safe(struct buf *b, struct str s)
{
	while (s.n > 0) {
		size_t n = 0;
		while (n < s.n && !is_unsafe(s.p[n]))
			n++;
		utf8_add_lossy(b, str_n(s.p, n));
		s = str_from(s, n < s.n ? n + 1 : n);
	}
}

/* name begins the line, which is taken back when nothing comes behind it. */
static void
add_line(struct buf *b, const char *name, struct str value)
{
	size_t begin = b->n, empty;

	buf_addz(b, name);
	empty = b->n;
	add_safe(b, value);
	if (b->n == empty)
		buf_cut(b, begin);
	else
		buf_addc(b, '\n');
}

/*
 * Cut s behind its first line, which is returned without its end: CRLF, LF or
 * CR. *rest is absent when there was no such end.
 */
static struct str
cut_line(struct str s, struct str *rest)
{
	size_t n = 0, end;

	while (n < s.n && s.p[n] != '\r' && s.p[n] != '\n')
		n++;
	*rest = (struct str){NULL, 0};
	if (n < s.n) {
		end = str_starts(str_from(s, n), STR("\r\n")) ? 2 : 1;
		*rest = str_from(s, n + end);
	}
	return str_n(s.p, n);
}

void
sse_event(struct buf *b, struct str id, struct str type, struct str data)
{
	add_line(b, "id: ", id);
	add_line(b, "event: ", type);
	while (data.p != NULL) {
		struct str line = cut_line(data, &data);
		buf_addz(b, "data: ");
		utf8_add_lossy(b, line);
		buf_addc(b, '\n');
	}
	buf_addc(b, '\n');
}

void
sse_retry(struct buf *b, unsigned ms)
{
	buf_addf(b, "retry: %u\n", ms);
}

void
sse_comment(struct buf *b, struct str text)
{
	buf_addc(b, ':');
	add_safe(b, text);
	buf_addc(b, '\n');
}
