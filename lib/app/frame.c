#include "app/frame.h"

#include "wire/http.h"
#include "wire/json_string.h"
#include "wire/sse.h"

enum { DATA_MAX = 4096 }; /* of our own frames */

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
frame_messages(struct buf *b, const struct msg *m, size_t n)
{
	char id[ID_TEXT];

	for (size_t i = 0; i < n; i++)
		sse_event(b, str_n(id, id_format(id, m[i].id)), m[i].event,
		    m[i].data.p != NULL ? m[i].data : STR(""));
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
