#include "sse_parser.h"

#include "base/num.h"
#include "wire/sse.h"
#include "wire/utf8.h"

#include <string.h>

enum { PARSER_MAX = 64 << 20 };

void
sse_parser_init(struct sse_parser *sp,
    void (*dispatch)(
	void *arg, struct str type, struct str data, struct str last_id),
    void *arg)
{
	*sp = (struct sse_parser){.dispatch = dispatch, .arg = arg};
	buf_init(&sp->line, PARSER_MAX);
	buf_init(&sp->data, PARSER_MAX);
	buf_init(&sp->type, PARSER_MAX);
	buf_init(&sp->id, PARSER_MAX);
	buf_init(&sp->last_id, PARSER_MAX);
}

void
sse_parser_free(struct sse_parser *sp)
{
	buf_free(&sp->line);
	buf_free(&sp->data);
	buf_free(&sp->type);
	buf_free(&sp->id);
	buf_free(&sp->last_id);
}

static void
set(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_adds(b, s);
}

static void
blank_line(struct sse_parser *sp)
{
	struct str data = buf_str(&sp->data), type = buf_str(&sp->type);

	set(&sp->last_id, buf_str(&sp->id));
	if (data.n > 0) {
		data.n--; /* its last LF */
		sp->dispatch(sp->arg, type.n > 0 ? type : STR("message"), data,
		    buf_str(&sp->last_id));
	}
	buf_clear(&sp->data);
	buf_clear(&sp->type);
}

static void
field(struct sse_parser *sp, struct str name, struct str value)
{
	uint64_t ms;

	if (str_eq(name, STR("event"))) {
		set(&sp->type, value);
	} else if (str_eq(name, STR("data"))) {
		buf_adds(&sp->data, value);
		buf_addc(&sp->data, '\n');
	} else if (str_eq(name, STR("id"))) {
		if (str_find(value, '\0') == value.n)
			set(&sp->id, value);
	} else if (str_eq(name, STR("retry"))) {
		if (num_u64(value, &ms) == 0)
			sp->retry_ms = ms;
	}
}

static void
decoded_line(struct sse_parser *sp, struct str s)
{
	struct str name, value;

	if (s.n == 0) {
		blank_line(sp);
		return;
	}
	if (s.p[0] == ':')
		return;
	name = str_cut(s, ':', &value);
	if (value.p == NULL)
		value = STR("");
	if (str_starts(value, STR(" ")))
		value = str_from(value, 1);
	field(sp, name, value);
}

/* Lines may be decoded singly: CR and LF end any sequence. */
static void
line(struct sse_parser *sp, struct str s)
{
	struct buf decoded;

	if (!sp->began && str_starts(s, STR("\xef\xbb\xbf")))
		s = str_from(s, 3);
	sp->began = true;
	buf_init(&decoded, PARSER_MAX);
	utf8_add_lossy(&decoded, s);
	decoded_line(sp, buf_str(&decoded));
	buf_free(&decoded);
}

static void
byte(struct sse_parser *sp, char c)
{
	bool after_cr = sp->after_cr;

	sp->after_cr = c == '\r';
	if (c == '\n' && after_cr)
		return;
	if (c == '\r' || c == '\n') {
		line(sp, buf_str(&sp->line));
		buf_clear(&sp->line);
	} else {
		buf_addc(&sp->line, c);
	}
}

void
sse_parser_feed(struct sse_parser *sp, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		byte(sp, s.p[i]);
}

void
sse_parser_note(
    struct buf *notes, struct str type, struct str data, struct str last_id)
{
	struct str parts[] = {type, data, last_id};

	for (size_t i = 0; i < 3; i++) {
		buf_addu(notes, parts[i].n);
		buf_addc(notes, ':');
		buf_adds(notes, parts[i]);
	}
	buf_addc(notes, '\n');
}

static void
note(void *arg, struct str type, struct str data, struct str last_id)
{
	sse_parser_note(arg, type, data, last_id);
}

static void
add_normal_lines(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool cr = s.p[i] == '\r';
		buf_addc(b, cr ? '\n' : s.p[i]);
		if (cr && i + 1 < s.n && s.p[i + 1] == '\n')
			i++;
	}
}

static void
add_without(struct buf *b, struct str s, struct str dropped)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_find(dropped, s.p[i]) == dropped.n)
			buf_addc(b, s.p[i]);
}

static void
expect(struct buf *notes, struct str id, struct str type, struct str data)
{
	struct str unsafe = STR("\r\n\0"), want_id, want_type;
	struct buf raw, b[3];

	buf_init(&raw, PARSER_MAX);
	for (size_t i = 0; i < 3; i++)
		buf_init(&b[i], PARSER_MAX);
	utf8_add_lossy(&raw, id);
	add_without(&b[0], buf_str(&raw), unsafe);
	buf_clear(&raw);
	utf8_add_lossy(&raw, type);
	add_without(&b[1], buf_str(&raw), unsafe);
	buf_clear(&raw);
	utf8_add_lossy(&raw, data);
	add_normal_lines(&b[2], buf_str(&raw));

	want_id = b[0].n > 0 ? buf_str(&b[0]) : STR("before");
	want_type = b[1].n > 0 ? buf_str(&b[1]) : STR("message");
	sse_parser_note(notes, STR("x"), STR("first"), STR("before"));
	sse_parser_note(notes, want_type, buf_str(&b[2]), want_id);
	sse_parser_note(notes, STR("message"), STR("last"), want_id);
	buf_free(&raw);
	for (size_t i = 0; i < 3; i++)
		buf_free(&b[i]);
}

bool
sse_parser_agrees(struct str id, struct str type, struct str data, size_t cut)
{
	struct sse_parser sp;
	struct buf sent, got, want;
	struct str rest;
	bool same;

	buf_init(&sent, PARSER_MAX);
	buf_init(&got, PARSER_MAX);
	buf_init(&want, PARSER_MAX);
	sse_event(&sent, STR("before"), STR("x"), STR("first"));
	sse_event(&sent, id, type, data);
	sse_event(&sent, (struct str){NULL, 0}, STR(""), STR("last"));
	expect(&want, id, type, data);

	sse_parser_init(&sp, note, &got);
	rest = buf_str(&sent);
	cut %= rest.n;
	sse_parser_feed(&sp, str_n(rest.p, cut));
	sse_parser_feed(&sp, str_from(rest, cut));
	sse_parser_free(&sp);
	same = str_eq(buf_str(&got), buf_str(&want)) && !sent.failed;
	buf_free(&sent);
	buf_free(&got);
	buf_free(&want);
	return same;
}
