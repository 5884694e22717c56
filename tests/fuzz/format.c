#include "wire/format.h"

#include "wire/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 64 << 20 };

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* What is shown is safe and, without backslashes, can be read back. */
static void
check_escape(struct str s)
{
	struct buf shown, back;
	struct str rest;

	buf_init(&shown, MAX);
	buf_init(&back, MAX);
	format_escape(&shown, s);
	for (rest = buf_str(&shown); rest.n > 0;
	     rest = str_from(rest, utf8_len(rest))) {
		unsigned char c = (unsigned char)rest.p[0];
		check(utf8_len(rest) > 0 && c != 0x7f);
		check(c >= ' ' || c == '\t' || c == '\n');
		check(c != 0xc2 || (unsigned char)rest.p[1] >= 0xa0);
	}
	buf_addc(&shown, '\0');
	if (str_find(s, '\\') == s.n) {
		check(format_unescape(&back, shown.p) == 0);
		check(str_eq(buf_str(&back), s));
	}
	buf_free(&shown);
	buf_free(&back);
}

/* Without directives a format is its escapes. */
static void
check_plain(const char *text)
{
	static const struct msg m = {.ts_ms = -1};
	struct format f;
	struct buf doubled, want, got, err;
	bool good;

	buf_init(&doubled, MAX);
	buf_init(&want, MAX);
	buf_init(&got, MAX);
	buf_init(&err, MAX);
	buf_addc(&doubled, '='); /* no name of a preset */
	for (const char *p = text; *p != '\0'; p++)
		buf_addf(&doubled, *p == '%' ? "%%%c" : "%c", *p);
	buf_addc(&doubled, '\0');
	buf_addc(&want, '=');
	good = format_unescape(&want, text) == 0;
	check((format_compile(&f, doubled.p, &err) == 0) == good);
	if (good) {
		format_add(&got, &f, &m, 1);
		check(str_eq(buf_str(&got), buf_str(&want)));
	}
	format_free(&f);
	buf_free(&doubled);
	buf_free(&want);
	buf_free(&got);
	buf_free(&err);
}

/* Nothing of a message breaks a format, and twice it makes the same. */
static void
check_format(const char *text, struct str payload)
{
	struct msg_field fields[] = {
	    {STR("f"), payload, MSG_HEADER}, {STR("data"), payload, MSG_DATA}};
	struct msg m = {.channel = STR("c"),
	    .ts_ms = (int64_t)payload.n,
	    .data = payload,
	    .key = payload,
	    .fields = fields,
	    .nfields = 2};
	struct format f;
	struct buf first, second, err;

	buf_init(&first, MAX);
	buf_init(&second, MAX);
	buf_init(&err, MAX);
	if (format_compile(&f, text, &err) == 0) {
		format_add(&first, &f, &m, 7);
		format_add(&second, &f, &m, 7);
		check(str_eq(buf_str(&first), buf_str(&second)));
		check(err.n == 0);
	} else {
		check(err.n > 0);
	}
	format_free(&f);
	buf_free(&first);
	buf_free(&second);
	buf_free(&err);
}

/* A format, NUL, a payload. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str payload;
	struct buf text;

	if (size > 4096)
		return 0;
	buf_init(&text, MAX);
	buf_adds(&text, str_cut(str_n(data, size), '\0', &payload));
	buf_addc(&text, '\0');
	check_escape(payload.p == NULL ? STR("") : payload);
	check_plain(text.p);
	check_format(text.p, payload);
	buf_free(&text);
	return 0;
}
