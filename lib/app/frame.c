#include "app/frame.h"

#include "wire/http.h"
#include "wire/json_string.h"
#include "wire/sse.h"

enum {
	/* Of our own frames: most of it names of channels. */
	DATA_MAX = 256 << 10,
};

/* The largest payload, in base64 or all escapes. */
#define ENVELOPE_MAX ((size_t)4 << 30)

void
frame_head(
    struct buf *b, enum frame_style style, int64_t now_s, struct str cursor)
{
	http_begin(b, 200, now_s);
	http_add(b, "Content-Type",
	    style == FRAME_NDJSON ? STR("application/x-ndjson")
				  : STR("text/event-stream"));
	http_add(b, "Cache-Control", STR("no-store, no-transform"));
	http_add(b, "X-Accel-Buffering", STR("no"));
	http_add(b, "X-Content-Type-Options", STR("nosniff"));
	if (cursor.p != NULL)
		http_add(b, "Chat-Cursor", cursor);
}

void
frame_retry(struct buf *b, enum frame_style style, unsigned ms)
{
	if (style != FRAME_NDJSON)
		sse_retry(b, ms);
}

void
frame_idle(struct buf *b, enum frame_style style, struct str text)
{
	if (style == FRAME_NDJSON)
		buf_addc(b, '\n');
	else
		sse_comment(b, text);
}

/* ---- Messages ---- */

/* The cursor is one more member, if there is one. */
static void
add_line(struct buf *b, const struct msg *m, struct str cursor)
{
	msg_to_json(b, m);
	if (cursor.p != NULL && !b->failed) {
		buf_cut(b, b->n - 1);
		buf_addz(b, ",\"cursor\":");
		json_quote(b, cursor);
		buf_addc(b, '}');
	}
	buf_addc(b, '\n');
}

static void
add_envelope(struct buf *b, const struct msg *m, struct str id)
{
	struct buf data;

	buf_init(&data, ENVELOPE_MAX);
	msg_to_json(&data, m);
	b->failed |= data.failed;
	sse_event(b, id, m->event, buf_str(&data));
	buf_free(&data);
}

void
frame_message(struct buf *b, enum frame_style style, const struct msg *m,
    struct str type, struct str cursor)
{
	struct msg typed = *m;
	char text[ID_TEXT];
	struct str id = cursor;

	if (typed.event.n == 0 && type.p != NULL)
		typed.event = type;
	if (id.p == NULL && m->has_id)
		id = str_n(text, id_format(text, m->id));
	else if (id.p == NULL)
		id = m->foreign_id;
	switch (style) {
	case FRAME_NDJSON:
		add_line(b, &typed, cursor);
		break;
	case FRAME_ENVELOPES:
		add_envelope(b, &typed, id);
		break;
	default:
		sse_event(
		    b, id, typed.event, m->data.p != NULL ? m->data : STR(""));
	}
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
add_own_line(struct buf *b, struct str name, struct str channel, struct str id,
    struct str data)
{
	buf_addc(b, '{');
	if (channel.p != NULL)
		add_member(b, "channel", channel);
	if (id.p != NULL)
		add_member(b, "id", id);
	add_member(b, "event", name);
	buf_addz(b, "\"data\":");
	json_quote(b, data);
	buf_addz(b, "}\n");
}

/* Data that is not whole is not to be sent. */
static void
add_frame(struct buf *b, enum frame_style style, struct str name,
    struct str channel, struct str id, struct buf *data)
{
	b->failed |= data->failed;
	if (style == FRAME_NDJSON)
		add_own_line(b, name, channel, id, buf_str(data));
	else
		sse_event(b, id, name, buf_str(data));
	buf_free(data);
}

/* The channel, if it is a single one; absent else. */
static struct str
single(struct str channels)
{
	return str_find(channels, '\0') == channels.n ? channels : str_c(NULL);
}

static void
add_list(struct buf *b, struct str channels)
{
	const char *between = "";

	do {
		buf_addz(b, between);
		json_quote(b, str_cut(channels, '\0', &channels));
		between = ",";
	} while (channels.p != NULL);
}

void
frame_cursor(struct buf *b, enum frame_style style, struct str name,
    struct str channels, struct str id, struct str cursor)
{
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"channels\":[");
	add_list(&data, channels);
	buf_addz(&data, "],\"cursor\":");
	json_quote(&data, cursor);
	buf_addc(&data, '}');
	add_frame(b, style, name, single(channels), id, &data);
}

void
frame_beat(struct buf *b, enum frame_style style, struct str name,
    struct str channels, struct str cursor, int64_t now_ms)
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
	add_frame(b, style, name, single(channels), cursor, &data);
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
    struct str cursor, const struct gap *gap)
{
	struct buf data;

	buf_init(&data, DATA_MAX);
	buf_addz(&data, "{\"channel\":");
	json_quote(&data, channel);
	buf_addf(&data, ",\"reason\":\"%s\"", gap_name(gap->reason));
	if (gap->reason != GAP_BAD_CURSOR && gap->reason != GAP_HISTORY)
		add_id(&data, "after", gap->after);
	if (!id_eq(gap->first, ID_MIN))
		add_id(&data, "first", gap->first);
	if (gap->has_lost) {
		buf_addz(&data, ",\"lost\":");
		buf_addu(&data, gap->lost);
	}
	buf_addf(&data, ",\"certain\":%s}", gap->certain ? "true" : "false");
	add_frame(b, style, STR("chat-gap"), channel, cursor, &data);
}
