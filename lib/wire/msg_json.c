#include "wire/msg.h"

#include "base/num.h"
#include "wire/base64.h"
#include "wire/json.h"
#include "wire/utf8.h"

/* The members of an envelope that are known here, in their order. */
enum member { CHANNEL, ID, TS, EVENT, MID, KEY, HEADERS, DATA, MEMBERS };

static const struct str member_names[MEMBERS] = {
    [CHANNEL] = {"channel", 7},
    [ID] = {"id", 2},
    [TS] = {"ts", 2},
    [EVENT] = {"event", 5},
    [MID] = {"mid", 3},
    [KEY] = {"key", 3},
    [HEADERS] = {"headers", 7},
    [DATA] = {"data", 4},
};

/* An envelope being read. */
struct reader {
	struct msg *m;
	struct msg_space *sp;
	const char *why;
	struct str text[MEMBERS];
	unsigned seen; /* a bit per member, one more for headers_b64 */
	bool base64;   /* of the headers being walked */
};

/* Fields that are kept free for the members with a role, before the headers. */
enum { ROLES = 4 };

static void
add_base64(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	base64_encode(b, s);
	buf_addc(b, '"');
}

static void
add_name(struct buf *b, enum member member, bool base64)
{
	buf_addc(b, '"');
	buf_adds(b, member_names[member]);
	buf_addz(b, base64 ? "_b64\":" : "\":");
}

static void
add_text(struct buf *b, enum member member, struct str s)
{
	bool utf8 = utf8_valid(s);

	add_name(b, member, !utf8);
	if (utf8)
		json_quote(b, s);
	else
		add_base64(b, s);
}

/* A member that data follows. */
static void
add_optional(struct buf *b, enum member member, struct str s)
{
	if (s.p == NULL)
		return;
	add_text(b, member, s);
	buf_addc(b, ',');
}

static bool
binary(const struct msg_field *f)
{
	return !utf8_valid(f->name) || !utf8_valid(f->value);
}

static void
add_headers(struct buf *b, const struct msg *m, bool base64)
{
	void (*add)(struct buf *, struct str) =
	    base64 ? add_base64 : json_quote;
	bool any = false;

	for (size_t i = 0; i < m->nfields; i++) {
		const struct msg_field *f = &m->fields[i];
		if (f->role != MSG_HEADER || binary(f) != base64)
			continue;
		if (!any)
			add_name(b, HEADERS, base64);
		buf_addc(b, any ? ',' : '{');
		add(b, f->name);
		buf_addc(b, ':');
		add(b, f->value);
		any = true;
	}
	if (any)
		buf_addz(b, "},");
}

static void
add_id(struct buf *b, struct id id)
{
	char text[ID_TEXT];
	size_t n = id_format(text, id);

	add_optional(b, ID, str_n(text, n));
}

static void
add_ts(struct buf *b, int64_t ts_ms)
{
	add_name(b, TS, false);
	buf_addu(b, (uint64_t)ts_ms);
	buf_addc(b, ',');
}

void
msg_to_json(struct buf *b, const struct msg *m)
{
	buf_addc(b, '{');
	add_optional(b, CHANNEL, m->channel);
	if (m->has_id)
		add_id(b, m->id);
	else
		add_optional(b, ID, m->foreign_id);
	if (m->ts_ms >= 0)
		add_ts(b, m->ts_ms);
	add_optional(b, EVENT, m->event);
	add_optional(b, MID, m->mid);
	add_optional(b, KEY, m->key);
	add_headers(b, m, false);
	add_headers(b, m, true);
	if (m->data.p != NULL)
		add_text(b, DATA, m->data);
	else
		buf_addz(b, "\"data\":null");
	buf_addc(b, '}');
}

void
msg_space_init(struct msg_space *sp, size_t max)
{
	/* A base64 member is there twice: unescaped, and decoded. */
	buf_init(&sp->text, max < SIZE_MAX / 2 ? 2 * max : SIZE_MAX);
	/* A header is 5 bytes of a line at least, which is bound enough. */
	buf_init(&sp->fields, SIZE_MAX);
}

void
msg_space_free(struct msg_space *sp)
{
	buf_free(&sp->text);
	buf_free(&sp->fields);
}

static struct msg_field *
fields(struct msg_space *sp)
{
	return (struct msg_field *)(void *)sp->fields.p;
}

static int
fail(struct reader *r, const char *why)
{
	r->why = why;
	return -1;
}

/* Room for all that a line holds was made before: views of text stay valid. */
static struct str
plain_text(struct reader *r, struct json v)
{
	struct buf *text = &r->sp->text;
	size_t from = text->n;

	if (v.type == JSON_STRING)
		json_unescape(text, v.raw);
	else
		json_compact(text, v.raw);
	return str_from(buf_str(text), from);
}

static int
take_text(struct reader *r, struct json v, bool base64, struct str *out)
{
	struct buf *text = &r->sp->text;
	size_t from;

	*out = plain_text(r, v);
	if (!base64)
		return 0;
	from = text->n;
	if (v.type != JSON_STRING || base64_decode(text, *out) != 0)
		return fail(r, "malformed base64");
	*out = str_from(buf_str(text), from);
	return 0;
}

static bool
scalar(struct json v)
{
	return v.type == JSON_STRING || v.type == JSON_NUMBER ||
	    v.type == JSON_TRUE || v.type == JSON_FALSE;
}

static int
take_header(void *arg, struct str key, struct json v)
{
	struct reader *r = arg;
	struct json name = {JSON_STRING, key};
	struct msg_field f = {.role = MSG_HEADER};

	if (!scalar(v))
		return fail(r, "a header is not a string");
	if (take_text(r, name, r->base64, &f.name) != 0 ||
	    take_text(r, v, r->base64, &f.value) != 0)
		return -1;
	if (buf_add(&r->sp->fields, &f, sizeof f) != 0)
		return fail(r, "out of memory");
	return 0;
}

static int
take_headers(struct reader *r, struct json v, bool base64)
{
	if (v.type != JSON_OBJECT)
		return fail(r, "headers is not an object");
	r->base64 = base64;
	return json_members(v.raw, take_header, r);
}

static void
take_id(struct reader *r, struct json v)
{
	struct str text;

	if (v.type != JSON_STRING && v.type != JSON_NUMBER)
		return;
	text = plain_text(r, v);
	r->m->has_id = id_parse(text, &r->m->id) == 0;
	if (!r->m->has_id)
		r->m->foreign_id = text;
}

static void
take_ts(struct reader *r, struct json v)
{
	uint64_t ts;

	if (v.type == JSON_NUMBER && num_u64(v.raw, &ts) == 0 &&
	    ts <= INT64_MAX)
		r->m->ts_ms = (int64_t)ts;
}

/* MEMBERS when the name is unknown. */
static enum member
find_member(struct str name, bool *base64)
{
	struct str suffix = STR("_b64");
	unsigned i = 0;

	*base64 = name.n > suffix.n &&
	    str_eq(str_from(name, name.n - suffix.n), suffix);
	if (*base64)
		name.n -= suffix.n;
	while (i < MEMBERS && !str_eq(name, member_names[i]))
		i++;
	return *base64 && (i == ID || i == TS) ? MEMBERS : (enum member)i;
}

static int
take_member(void *arg, struct str key, struct json v)
{
	struct reader *r = arg;
	struct json name = {JSON_STRING, key};
	bool base64;
	enum member i = find_member(plain_text(r, name), &base64);
	unsigned bit = 1u << (i == HEADERS && base64 ? MEMBERS : i);

	if (i == MEMBERS)
		return 0;
	if ((r->seen & bit) != 0)
		return fail(r, "a member is given twice");
	r->seen |= bit;
	if (v.type == JSON_NULL)
		return 0;
	switch (i) {
	case ID:
		take_id(r, v);
		return 0;
	case TS:
		take_ts(r, v);
		return 0;
	case HEADERS:
		return take_headers(r, v, base64);
	default:
		if (i != DATA && !scalar(v))
			return fail(r, "a member is not a string");
		return take_text(r, v, base64, &r->text[i]);
	}
}

/*
 * Put the members with a role right before the headers. Their number; *first
 * is the first of them.
 */
static size_t
place_roles(struct reader *r, struct str data_name, struct msg_field **first)
{
	static const enum member order[ROLES] = {KEY, MID, EVENT, DATA};
	struct msg_field *headers = fields(r->sp) + ROLES, *f = headers;

	for (size_t i = 0; i < ROLES; i++) {
		enum member k = order[i];
		if (r->text[k].p == NULL)
			continue;
		f--;
		f->name = k == DATA ? data_name : member_names[k];
		f->value = r->text[k];
	}
	*first = f;
	return (size_t)(headers - f);
}

/* What is stored as these fields must be read back as what it is here. */
static int
bind(struct reader *r, struct str data_name)
{
	struct msg *m = r->m;
	struct msg_field *f;
	size_t roles = place_roles(r, data_name, &f);
	size_t headers = r->sp->fields.n / sizeof *f - ROLES;

	msg_bind(m, f, roles + headers, data_name);
	if (m->data.p != r->text[DATA].p || m->event.p != r->text[EVENT].p ||
	    m->mid.p != r->text[MID].p || m->key.p != r->text[KEY].p)
		return fail(r, "a header has a reserved name");
	return 0;
}

static int
check(struct reader *r)
{
	struct str channel = r->text[CHANNEL], event = r->text[EVENT];

	if (channel.p != NULL && !msg_channel_ok(channel))
		return fail(r, "bad channel name");
	if (event.p != NULL && !msg_event_ok(event))
		return fail(r, "bad event type");
	r->m->channel = channel;
	return 0;
}

int
msg_from_json(struct msg *m, struct msg_space *sp, struct str line,
    struct str data_name, const char **why)
{
	static const struct msg_field none[ROLES];
	struct reader r = {.m = m, .sp = sp, .why = "not a JSON object"};

	*m = (struct msg){.ts_ms = -1};
	buf_clear(&sp->text);
	buf_clear(&sp->fields);
	if (buf_room(&sp->text, 2 * line.n) == NULL ||
	    buf_add(&sp->fields, none, sizeof none) != 0)
		r.why = "too long";
	else if (json_members(line, take_member, &r) == 0 && check(&r) == 0 &&
	    bind(&r, data_name) == 0)
		return 0;
	*why = r.why;
	return -1;
}
