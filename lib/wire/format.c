#include "wire/format.h"

#include "base/num.h"
#include "wire/base64.h"
#include "wire/json_string.h"
#include "wire/utf8.h"

#include <string.h>

/*
 * format    = *( directive / escape / byte )
 * directive = "%" ( letter / "{" field "}" / "%" )
 * escape    = "\" ( "n" / "r" / "t" / "0" / "a" / "e" / "\" / "x" 2HEXDIG )
 *
 * Compiled: a letter; "{" field "}"; BYTE, which is no letter, and the byte
 * that stands for itself.
 */

enum { OPS_MAX = 1 << 20 };

enum { BYTE = '=' };

static const char letters[] = "sSRxbJkKhtoTUIemji";

/*
 * Take the escape behind a backslash: 0, or -1 when s does not begin with one.
 */
static int
take_escape(struct str *s, char *byte)
{
	static const char names[] = "nrt0ae\\";
	static const char bytes[] = "\n\r\t\0\a\033\\";
	const char *name;
	uint64_t v;

	if (s->n == 0)
		return -1;
	if (s->p[0] == 'x') {
		if (s->n < 3 || num_hex(str_n(s->p + 1, 2), &v) != 0)
			return -1;
		*byte = (char)v;
		*s = str_from(*s, 3);
		return 0;
	}
	name = s->p[0] == '\0' ? NULL : strchr(names, s->p[0]);
	if (name == NULL)
		return -1;
	*byte = bytes[name - names];
	*s = str_from(*s, 1);
	return 0;
}

static void
compile_byte(struct format *f, char c)
{
	buf_addc(&f->ops, BYTE);
	buf_addc(&f->ops, c);
}

static int
compile_field(struct format *f, struct str *s, struct buf *err)
{
	struct str name = str_cut(*s, '}', s);

	if (s->p == NULL || name.n == 0) {
		buf_addz(err, "%{ wants a name and }");
		return -1;
	}
	buf_addc(&f->ops, '{');
	buf_adds(&f->ops, name);
	buf_addc(&f->ops, '}');
	return 0;
}

/* s begins behind the '%'. */
static int
compile_directive(struct format *f, struct str *s, struct buf *err)
{
	char c;

	if (s->n == 0) {
		buf_addz(err, "% at the end");
		return -1;
	}
	c = s->p[0];
	*s = str_from(*s, 1);
	if (c == '{')
		return compile_field(f, s, err);
	if (c == '%') {
		compile_byte(f, '%');
	} else if (strchr(letters, c) != NULL) {
		buf_addc(&f->ops, c);
	} else {
		buf_addf(err, "unknown directive %%%c", c);
		return -1;
	}
	return 0;
}

static int
compile_next(struct format *f, struct str *s, struct buf *err)
{
	char c = s->p[0];

	*s = str_from(*s, 1);
	if (c == '%')
		return compile_directive(f, s, err);
	if (c == '\\' && take_escape(s, &c) != 0) {
		buf_addf(err, "unknown escape \\%.1s", s->p);
		return -1;
	}
	compile_byte(f, c);
	return 0;
}

static const char *
preset(const char *name)
{
	static const struct {
		const char *name, *text;
	} presets[] = {
	    {"raw", "%s"},
	    {"id", "%o"},
	    {"log", "%I %t %o %s"},
	    {"json", "%j"},
	};

	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
		if (strcmp(name, presets[i].name) == 0)
			return presets[i].text;
	return name;
}

int
format_compile(struct format *f, const char *text, struct buf *err)
{
	struct str s = str_c(preset(text));
	int rc = 0;

	buf_init(&f->ops, OPS_MAX);
	while (rc == 0 && s.n > 0)
		rc = compile_next(f, &s, err);
	if (f->ops.failed) {
		buf_addz(err, "format too long");
		rc = -1;
	}
	if (rc != 0)
		format_free(f);
	return rc;
}

void
format_free(struct format *f)
{
	buf_free(&f->ops);
}

static void
add_length(struct buf *b, struct str s)
{
	if (s.p == NULL)
		buf_addz(b, "-1");
	else
		buf_addu(b, s.n);
}

/* Big-endian; what is absent or does not fit is as long as can be said. */
static void
add_length4(struct buf *b, struct str s)
{
	uint32_t n =
	    s.p != NULL && s.n < UINT32_MAX ? (uint32_t)s.n : UINT32_MAX;

	for (int shift = 24; shift >= 0; shift -= 8)
		buf_addc(b, (char)(n >> shift & 0xff));
}

static void
add_hex(struct buf *b, struct str s)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_addc(b, digits[c >> 4]);
		buf_addc(b, digits[c & 0xf]);
	}
}

static void
add_json_string(struct buf *b, struct str s)
{
	struct buf text;

	if (s.p == NULL)
		return;
	if (utf8_valid(s)) {
		json_quote(b, s);
		return;
	}
	buf_init(&text, 3 * s.n); /* each byte may become one U+FFFD */
	utf8_add_lossy(&text, s);
	if (text.failed)
		b->failed = true;
	json_quote(b, buf_str(&text));
	buf_free(&text);
}

/* s, or what stands for it. */
static void
add_payload(struct buf *b, char letter, struct str s)
{
	switch (letter) {
	case 's':
		buf_adds(b, s);
		break;
	case 'S':
		add_length(b, s);
		break;
	case 'R':
		add_length4(b, s);
		break;
	case 'x':
		add_hex(b, s);
		break;
	case 'b':
		base64_encode(b, s);
		break;
	case 'J':
		add_json_string(b, s);
		break;
	}
}

static void
add_time(struct buf *b, char letter, int64_t ms)
{
	char iso[NUM_TEXT];

	if (ms < 0)
		return;
	if (letter == 'T')
		buf_addu(b, (uint64_t)ms);
	else if (letter == 'U')
		buf_addf(
		    b, "%lld.%03d", (long long)(ms / 1000), (int)(ms % 1000));
	else
		buf_add(b, iso, num_format_iso(iso, ms));
}

static void
add_headers(struct buf *b, const struct msg *m)
{
	bool first = true;

	for (size_t i = 0; i < m->nfields; i++) {
		const struct msg_field *f = &m->fields[i];
		if (f->role != MSG_HEADER)
			continue;
		if (!first)
			buf_addc(b, ',');
		first = false;
		buf_adds(b, f->name);
		buf_addc(b, '=');
		buf_adds(b, f->value);
	}
}

static void
add_id(struct buf *b, const struct msg *m)
{
	char text[ID_TEXT];

	if (m->has_id)
		buf_add(b, text, id_format(text, m->id));
}

static void
add_field(struct buf *b, const struct msg *m, struct str name)
{
	for (size_t i = 0; i < m->nfields; i++) {
		if (str_eq(m->fields[i].name, name)) {
			buf_adds(b, m->fields[i].value);
			break;
		}
	}
}

static void
add_directive(struct buf *b, char letter, const struct msg *m, uint64_t nr)
{
	switch (letter) {
	case 'k':
		buf_adds(b, m->key);
		break;
	case 'K':
		add_length(b, m->key);
		break;
	case 'h':
		add_headers(b, m);
		break;
	case 't':
		buf_adds(b, m->channel);
		break;
	case 'o':
		add_id(b, m);
		break;
	case 'T':
	case 'U':
	case 'I':
		add_time(b, letter, m->ts_ms);
		break;
	case 'e':
		buf_adds(b, m->event);
		break;
	case 'm':
		buf_adds(b, m->mid);
		break;
	case 'j':
		msg_to_json(b, m);
		break;
	case 'i':
		buf_addu(b, nr);
		break;
	default:
		add_payload(b, letter, m->data);
	}
}

void
format_add(
    struct buf *b, const struct format *f, const struct msg *m, uint64_t nr)
{
	struct str ops = buf_str(&f->ops);

	while (ops.n > 0) {
		char op = ops.p[0];
		ops = str_from(ops, 1);
		if (op == BYTE) {
			buf_addc(b, ops.p[0]);
			ops = str_from(ops, 1);
		} else if (op == '{') {
			add_field(b, m, str_cut(ops, '}', &ops));
		} else {
			add_directive(b, op, m, nr);
		}
	}
}

/* C0 but for LF and HTAB, DEL, and C1, which is two bytes long. */
static bool
is_control(struct str c)
{
	unsigned char u = (unsigned char)c.p[0];

	if (c.n == 2)
		return u == 0xc2 && (unsigned char)c.p[1] < 0xa0;
	return (u < ' ' && u != '\n' && u != '\t') || u == 0x7f;
}

void
format_escape(struct buf *b, struct str s)
{
	while (s.n > 0) {
		size_t n = utf8_len(s);
		struct str c = {s.p, n == 0 ? 1 : n};
		if (n > 0 && !is_control(c)) {
			buf_adds(b, c);
		} else {
			for (size_t i = 0; i < c.n; i++)
				buf_addf(b, "\\x%02x", (unsigned char)c.p[i]);
		}
		s = str_from(s, c.n);
	}
}

int
format_unescape(struct buf *b, const char *text)
{
	struct str s = str_c(text);

	while (s.n > 0) {
		char c = s.p[0];
		s = str_from(s, 1);
		if (c == '\\' && take_escape(&s, &c) != 0)
			return -1;
		buf_addc(b, c);
	}
	return b->failed ? -1 : 0;
}
