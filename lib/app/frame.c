#include "app/frame.h"

#include "wire/http.h"
#include "wire/json_string.h"
#include "wire/sse.h"

#include <string.h>

enum {
	DATA_MAX = 4096, /* of our own frames */
};

/* A page of the largest messages. */
#define BATCH_MAX ((size_t)1 << 31)

void
frame_head(struct buf *b, int64_t now_s, struct str cursor)
{
	http_begin(b, 200, now_s);
	http_add(b, "Content-Type", STR("text/event-stream"));
	http_add(b, "Cache-Control", STR("no-store, no-transform"));
	http_add(b, "X-Accel-Buffering", STR("no"));
	http_add(b, "X-Content-Type-Options", STR("nosniff"));
	if (cursor.p != NULL)
		http_add(b, "Chat-Cursor", cursor);
	http_end(b);
}

void
frame_open(
    struct buf *b, unsigned retry_ms, struct str channel, struct str cursor)
{
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"channels\":[");
	json_quote(&data, channel);
	buf_addz(&data, "],\"cursor\":");
	json_quote(&data, cursor);
	buf_addc(&data, '}');
	sse_retry(b, retry_ms);
	sse_event(b, cursor, STR("chat-open"), buf_str(&data));
	buf_free(&data);
}

void
frame_wait(struct buf *b, unsigned retry_ms, struct str text)
{
	sse_retry(b, retry_ms);
	sse_comment(b, text);
}

void
frame_message(struct buf *b, const struct msg *m)
{
	char id[ID_TEXT];

	sse_event(b, str_n(id, id_format(id, m->id)), m->event,
	    m->data.p != NULL ? m->data : STR(""));
}

/* ---- Batches ---- */

void
frame_batch_init(struct frame_batch *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->bytes, BATCH_MAX);
	buf_init(&f->marks, BATCH_MAX);
}

void
frame_batch_free(struct frame_batch *f)
{
	buf_free(&f->bytes);
	buf_free(&f->marks);
}

void
frame_batch_clear(struct frame_batch *f, size_t keep)
{
	buf_shrink(&f->bytes, keep);
	buf_shrink(&f->marks, keep);
	f->m = NULL;
}

static size_t
nmarks(const struct frame_batch *f)
{
	return f->marks.n / sizeof(struct frame_mark);
}

bool
frame_batch_has(
    const struct frame_batch *f, uint64_t serial, const struct msg *m, size_t n)
{
	return f->m == m && f->serial == serial && f->last.nmarks == n;
}

struct frame_slice
frame_batch_add(
    struct frame_batch *f, uint64_t serial, const struct msg *m, size_t n)
{
	if (frame_batch_has(f, serial, m, n))
		return f->last;
	f->serial = serial;
	f->m = m;
	f->last = (struct frame_slice){f->bytes.n, 0, nmarks(f), n};
	for (size_t i = 0; i < n; i++) {
		struct frame_mark mark = {m[i].id, 0};
		frame_message(&f->bytes, &m[i]);
		mark.end = f->bytes.n;
		buf_add(&f->marks, &mark, sizeof(mark));
	}
	f->last.to = f->bytes.n;
	return f->last;
}

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

static void
add_id(struct buf *b, const char *name, struct id id)
{
	char text[ID_TEXT];

	id_format(text, id);
	buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

/* A cursor that is none cannot be told. */
void
frame_gap(struct buf *b, struct str channel, const struct gap *gap)
{
	char id[ID_TEXT];
	size_t id_n = id_format(id, gap->resume);
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"channel\":");
	json_quote(&data, channel);
	buf_addf(&data, ",\"reason\":\"%s\"", gap_name(gap->reason));
	if (gap->reason != GAP_BAD_CURSOR)
		add_id(&data, "after", gap->after);
	if (!id_eq(gap->first, ID_MIN))
		add_id(&data, "first", gap->first);
	if (gap->has_lost) {
		buf_addz(&data, ",\"lost\":");
		buf_addu(&data, gap->lost);
	}
	buf_addf(&data, ",\"certain\":%s}", gap->certain ? "true" : "false");
	sse_event(b, str_n(id, id_n), STR("chat-gap"), buf_str(&data));
	buf_free(&data);
}
