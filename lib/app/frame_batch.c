#include "app/frame_batch.h"

#include "core/filter.h"

#include <string.h>

/* A page of the largest messages. */
#define BATCH_MAX ((size_t)1 << 31)

enum {
	FILTER_MAX = 64 << 10,
	/* Of ROUTE_CHANNELS_MAX channels with the longest ids. */
	CURSOR_MAX = 16 << 10,
};

void
frame_batch_init(struct frame_batch *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->bytes, BATCH_MAX);
	buf_init(&f->marks, BATCH_MAX);
	for (size_t i = 0; i < FRAME_LOOKS; i++)
		buf_init(&f->added[i].filter, FILTER_MAX);
}

void
frame_batch_free(struct frame_batch *f)
{
	buf_free(&f->bytes);
	buf_free(&f->marks);
	for (size_t i = 0; i < FRAME_LOOKS; i++)
		buf_free(&f->added[i].filter);
}

void
frame_batch_clear(struct frame_batch *f, size_t keep)
{
	buf_shrink(&f->bytes, keep);
	buf_shrink(&f->marks, keep);
	for (size_t i = 0; i < FRAME_LOOKS; i++)
		f->added[i].m = NULL;
}

/* ---- What is wanted ---- */

bool
frame_batch_wants(
    const struct frame_batch *f, struct str filter, const struct msg *m)
{
	struct str type = m->event;

	if (type.n == 0)
		type = f->type.p != NULL ? f->type : STR("message");
	return filter.p == NULL || filter_has(filter, type);
}

static size_t
count_wanted(const struct frame_batch *f, struct str filter,
    const struct msg *m, size_t n)
{
	size_t wanted = 0;

	if (filter.p == NULL)
		return n;
	for (size_t i = 0; i < n; i++)
		wanted += frame_batch_wants(f, filter, &m[i]);
	return wanted;
}

/* ---- What was added ---- */

/* The place of what looks like that; NULL if there is none yet. */
static const struct frame_added *
find_look(const struct frame_batch *f, const struct frame_look *look, bool all)
{
	if (look->cursors != NULL)
		return NULL;
	if (all)
		return &f->added[look->style];
	for (size_t i = FRAME_STYLES; i < FRAME_LOOKS; i++) {
		const struct frame_added *a = &f->added[i];
		if (a->style == look->style &&
		    str_eq(buf_str(&a->filter), look->filter))
			return a;
	}
	return NULL;
}

static bool
is_there(
    const struct frame_added *a, uint64_t serial, const struct msg *m, size_t n)
{
	return a != NULL && a->m == m && a->serial == serial && a->n == n;
}

bool
frame_batch_has(const struct frame_batch *f, uint64_t serial,
    const struct frame_look *look, const struct msg *m, size_t n)
{
	size_t wanted = count_wanted(f, look->filter, m, n);

	return wanted == 0 ||
	    is_there(find_look(f, look, wanted == n), serial, m, n);
}

/* For a filter that cannot be kept nothing is ever there. */
static struct frame_added *
take_look(struct frame_batch *f, const struct frame_look *look, bool all)
{
	const struct frame_added *there = find_look(f, look, all);
	struct frame_added *a = &f->added[FRAME_STYLES + f->turn];

	if (there != NULL)
		return &f->added[there - f->added];
	f->turn = (f->turn + 1) % (FRAME_LOOKS - FRAME_STYLES);
	a->style = look->style;
	buf_clear(&a->filter);
	if (buf_adds(&a->filter, look->filter) != 0)
		buf_clear(&a->filter);
	return a;
}

static void
remember(struct frame_added *a, uint64_t serial, const struct msg *m, size_t n,
    struct frame_slice slice)
{
	a->serial = serial;
	a->m = m;
	a->n = n;
	a->slice = slice;
}

static void
add_message(
    struct frame_batch *f, const struct frame_look *look, const struct msg *m)
{
	const struct frame_cursors *c = look->cursors;
	struct buf cursor;

	if (c == NULL) {
		frame_message(&f->bytes, look->style, m, f->type, str_c(NULL));
		return;
	}
	buf_init(&cursor, CURSOR_MAX);
	c->add(c->arg, &cursor, m->id);
	f->bytes.failed |= cursor.failed;
	frame_message(&f->bytes, look->style, m, f->type, buf_str(&cursor));
	buf_free(&cursor);
}

static void
add_all(struct frame_batch *f, const struct frame_look *look, bool all,
    const struct msg *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct frame_mark mark = {m[i].id, 0};
		if (!all && !frame_batch_wants(f, look->filter, &m[i]))
			continue;
		add_message(f, look, &m[i]);
		mark.end = f->bytes.n;
		buf_add(&f->marks, &mark, sizeof(mark));
	}
}

static size_t
nmarks(const struct frame_batch *f)
{
	return f->marks.n / sizeof(struct frame_mark);
}

struct frame_slice
frame_batch_add(struct frame_batch *f, uint64_t serial,
    const struct frame_look *look, const struct msg *m, size_t n)
{
	size_t wanted = count_wanted(f, look->filter, m, n);
	bool all = wanted == n;
	struct frame_slice slice = {f->bytes.n, 0, nmarks(f), wanted};
	const struct frame_added *there;

	if (wanted == 0)
		return (struct frame_slice){0};
	there = find_look(f, look, all);
	if (is_there(there, serial, m, n))
		return there->slice;
	add_all(f, look, all, m, n);
	slice.to = f->bytes.n;
	if (look->cursors == NULL)
		remember(take_look(f, look, all), serial, m, n, slice);
	return slice;
}

/* ---- ---- */

struct str
frame_batch_bytes(const struct frame_batch *f, const struct frame_slice *s)
{
	return str_n(f->bytes.p + s->from, s->to - s->from);
}

size_t
frame_batch_begun(const struct frame_batch *f, const struct frame_slice *s,
    size_t n, struct frame_mark *last)
{
	const struct frame_mark *marks =
	    (const struct frame_mark *)(const void *)f->marks.p + s->mark;
	size_t low = 0, high = s->nmarks - 1;

	/* The first that ends at or behind what was written. */
	while (low < high) {
		size_t i = low + (high - low) / 2;
		if (marks[i].end < s->from + n)
			low = i + 1;
		else
			high = i;
	}
	*last = marks[low];
	return low + 1;
}
