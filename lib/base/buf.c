#include "base/buf.h"

#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

void
buf_init(struct buf *b, size_t max)
{
	/* Half of the address space, so that no sum below can wrap. */
	*b = (struct buf){.max = max < SIZE_MAX / 2 ? max : SIZE_MAX / 2};
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){.max = b->max};
}

/* Through volatile: what is freed next need not be written otherwise. */
void
buf_wipe(struct buf *b)
{
	volatile char *p = b->p;

	for (size_t i = 0; i < b->cap; i++)
		p[i] = 0;
	buf_free(b);
}

struct str
buf_take(struct buf *b)
{
	char *p = b->p;
	size_t n = b->n;

	if (n == 0) {
		free(p);
		p = NULL;
	} else {
		char *less = realloc(p, n);
		p = less != NULL ? less : p;
	}
	b->p = NULL;
	b->n = b->cap = 0;
	return str_n(p, n);
}

void
buf_give_back(struct str taken)
{
	free((void *)(uintptr_t)taken.p);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
}

/* One byte more than cap, for the NUL that vsnprintf writes. */
static int
resize(struct buf *b, size_t cap)
{
	char *p = realloc(b->p, cap + 1);

	if (p == NULL)
		return -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

void
buf_shrink(struct buf *b, size_t keep)
{
	buf_clear(b);
	if (b->cap <= keep)
		return;
	if (keep == 0)
		buf_free(b);
	else
		(void)resize(b, keep); /* if not, it stays large */
}

/* The next capacity for n bytes in all (n <= b->max). */
static size_t
next_cap(const struct buf *b, size_t n)
{
	size_t cap = b->cap < FIRST_CAP / 2 ? FIRST_CAP : b->cap * 2;

	if (cap < n)
		cap = n;
	return cap < b->max ? cap : b->max;
}

static int
fail(struct buf *b)
{
	b->failed = true;
	return -1;
}

char *
buf_room(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (b->p == NULL || n > b->cap - b->n) {
		if (n > b->max - b->n ||
		    resize(b, next_cap(b, b->n + n)) != 0) {
			fail(b);
			return NULL;
		}
	}
	return b->p + b->n;
}

void
buf_used(struct buf *b, size_t n)
{
	b->n += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *room;

	if (n == 0)
		return b->failed ? -1 : 0;
	room = buf_room(b, n);
	if (room == NULL)
		return -1;
	memcpy(room, p, n);
	b->n += n;
	return 0;
}

int
buf_adds(struct buf *b, struct str s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_addz(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_addu(struct buf *b, uint64_t v)
{
	char text[NUM_TEXT];

	return buf_add(b, text, num_format(text, v));
}

/* Print into the room there is; the length that the text has or needs. */
static int __attribute__((format(printf, 2, 0)))
print(struct buf *b, const char *fmt, va_list ap)
{
	char *room = buf_room(b, 0);

	if (room == NULL)
		return -1;
	return vsnprintf(room, b->cap - b->n + 1, fmt, ap);
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = print(b, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n > b->cap - b->n) {
		if (buf_room(b, (size_t)n) == NULL)
			return -1;
		va_start(ap, fmt);
		n = print(b, fmt, ap);
		va_end(ap);
	}
	if (n < 0)
		return fail(b);
	b->n += (size_t)n;
	return 0;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n);
}

void
buf_cut(struct buf *b, size_t n)
{
	b->n = n;
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){b->p == NULL ? "" : b->p, b->n};
}
