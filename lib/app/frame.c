#include "app/frame.h"

#include "wire/http.h"
#include "wire/json_string.h"
#include "wire/sse.h"

enum {
	DATA_MAX = 4096, /* of our own frames */
};

void
frame_head(
    struct buf *b, enum frame_style style, int64_t now_s, struct str cursor)
{
	http_begin(b, 200, now_s);
	http_add(b, "Content-Type",
	    style == FRAME_SSE ? STR("text/event-stream")
			       : STR("application/x-ndjson"));
	http_add(b, "Cache-Control", STR("no-store, no-transform"));
	http_add(b, "X-Accel-Buffering", STR("no"));
	http_add(b, "X-Content-Type-Options", STR("nosniff"));
	if (cursor.p != NULL)
		http_add(b, "Chat-Cursor", cursor);
}

void
frame_retry(struct buf *b, enum frame_style style, unsigned ms)
{
	if (style == FRAME_SSE)
		sse_retry(b, ms);
}

void
frame_idle(struct buf *b, enum frame_style style, struct str text)
{
	if (style == FRAME_SSE)
		sse_comment(b, text);
	else
		buf_addc(b, '\n');
}

/* ---- Messages ---- */

static void
add_envelope(struct buf *b, const struct msg *m, struct str type)
{
	struct msg typed;

	if (m->event.n == 0 && type.p != NULL) {
		typed = *m;
		typed.event = type;
		m = &typed;
	}
	msg_to_json(b, m);
	buf_addc(b, '\n');
}

void
frame_message(
    struct buf *b, enum frame_style style, const struct msg *m, struct str type)
{
	char id[ID_TEXT];

	if (style == FRAME_SSE)
		sse_event(b, str_n(id, id_format(id, m->id)),
		    m->event.n > 0 ? m->event : type,
		    m->data.p != NULL ? m->data : STR(""));
	else
		add_envelope(b, m, type);
}

/* ---- Our own ---- */

static void
add_member(struct buf *b, const char *name, struct str value)
{
	buf_addf(b, "\"%s\":", name);
	json_quote(b, value);
	buf_addc(b, ',');
}

static void
add_frame(struct buf *b, enum frame_style style, struct str name,
    struct str channel, struct str id, struct str data)
{
	if (style == FRAME_SSE) {
		sse_event(b, id, name, data);
		return;
	}
	buf_addc(b, '{');
	add_member(b, "channel", channel);
	if (id.p != NULL)
		add_member(b, "id", id);
	add_member(b, "event", name);
	buf_addz(b, "\"data\":");
	json_quote(b, data);
	buf_addz(b, "}\n");
}

void
frame_cursor(struct buf *b, enum frame_style style, struct str name,
    struct str channel, struct str cursor)
{
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"channels\":[");
	json_quote(&data, channel);
	buf_addz(&data, "],\"cursor\":");
	json_quote(&data, cursor);
	buf_addc(&data, '}');
	add_frame(b, style, name, channel, cursor, buf_str(&data));
	buf_free(&data);
}

void
frame_beat(struct buf *b, enum frame_style style, struct str name,
    struct str channel, struct str cursor, int64_t now_ms)
{
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"cursor\":");
	if (cursor.p != NULL)
		json_quote(&data, cursor);
	else
		buf_addz(&data, "null");
	buf_addz(&data, ",\"time\":");
	buf_addu(&data, now_ms > 0 ? (uint64_t)now_ms : 0);
	buf_addc(&data, '}');
	add_frame(b, style, name, channel, cursor, buf_str(&data));
	buf_free(&data);
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
frame_gap(struct buf *b, enum frame_style style, struct str channel,
    const struct gap *gap)
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
	add_frame(b, style, STR("chat-gap"), channel, str_n(id, id_n),
	    buf_str(&data));
	buf_free(&data);
}
