#include "wire/records.h"

#include <string.h>

/* Memory kept for the next records. */
enum { KEEP = 64 << 10 };

size_t
records_find(struct str s, struct str what, size_t from)
{
	while (from < s.n && s.n - from >= what.n) {
		const char *p;
		p = memchr(s.p + from, what.p[0], s.n - from - what.n + 1);
		if (p == NULL)
			return s.n;
		if (memcmp(p, what.p, what.n) == 0)
			return (size_t)(p - s.p);
		from = (size_t)(p - s.p) + 1;
	}
	return s.n;
}

void
records_init(struct records *r, struct str delimiter, size_t max)
{
	memset(r, 0, sizeof(*r));
	r->delimiter = delimiter;
	r->max = max;
	buf_init(&r->held, SIZE_MAX);
}

void
records_free(struct records *r)
{
	buf_free(&r->held);
}

/* Drop the records that were taken. */
static void
forget(struct records *r)
{
	buf_drop(&r->held, r->at);
	r->scanned -= r->at;
	r->at = 0;
	if (r->held.n == 0)
		buf_shrink(&r->held, KEEP);
}

int
records_add(struct records *r, const char *p, size_t n)
{
	forget(r);
	return buf_add(&r->held, p, n);
}

void
records_end(struct records *r)
{
	r->ended = true;
}

/* So many bytes at the end may be the begin of a delimiter. */
static size_t
tail(const struct records *r)
{
	return r->delimiter.n > 0 ? r->delimiter.n - 1 : 0;
}

/* Find the delimiter at *end. */
static bool
find(struct records *r, size_t *end)
{
	struct str held = buf_str(&r->held);

	if (r->delimiter.n == 0)
		return false;
	*end = records_find(held, r->delimiter, r->scanned);
	if (*end < held.n)
		return true;
	if (held.n - r->scanned > tail(r))
		r->scanned = held.n - tail(r);
	return false;
}

/* The record that ends at end; the next one begins at next. */
static enum records_next
give(struct records *r, size_t end, size_t next, struct str *record)
{
	*record = str_n(buf_str(&r->held).p + r->at, end - r->at);
	r->at = r->scanned = next;
	r->given = true;
	r->nr++;
	return record->n > r->max ? RECORDS_LONG : RECORDS_ONE;
}

/* No delimiter is there. */
static enum records_next
unfinished(struct records *r)
{
	size_t n = r->held.n - r->at;

	if (r->skipping && n > tail(r))
		r->at = r->scanned = r->held.n - tail(r);
	if (r->skipping || n <= r->max + tail(r))
		return RECORDS_MORE;
	r->skipping = r->given = true;
	r->nr++;
	return RECORDS_LONG;
}

static enum records_next
last(struct records *r, struct str *record)
{
	bool any = r->held.n > r->at || (r->delimiter.n == 0 && !r->given);

	if (r->skipping || !any)
		return RECORDS_END;
	return give(r, r->held.n, r->held.n, record);
}

enum records_next
records_next(struct records *r, struct str *record)
{
	size_t end;

	while (find(r, &end)) {
		size_t next = end + r->delimiter.n;
		if (!r->skipping)
			return give(r, end, next, record);
		r->skipping = false;
		r->at = r->scanned = next;
	}
	return r->ended ? last(r, record) : unfinished(r);
}
