#include "wire/format.h"

#include "tap.h"

#include <string.h>

enum { MAX = 1 << 20 };

static const struct str absent = {NULL, 0};

static const struct msg *
full(void)
{
	static struct msg_field fields[6];
	static struct msg m;

	fields[0] = (struct msg_field){STR("lang"), STR("en"), MSG_HEADER};
	fields[1] =
	    (struct msg_field){STR("data"), STR("h\xc3\xa9\n"), MSG_DATA};
	fields[2] = (struct msg_field){STR("event"), STR("add"), MSG_EVENT};
	fields[3] = (struct msg_field){STR("mid"), STR("m-1"), MSG_MID};
	fields[4] = (struct msg_field){STR("key"), STR("k\0k"), MSG_KEY};
	fields[5] = (struct msg_field){STR("lang"), STR("a=b,c"), MSG_HEADER};
	m = (struct msg){.channel = STR("room"),
	    .id = {1756735200007, 3},
	    .has_id = true,
	    .ts_ms = 1756735200007,
	    .data = fields[1].value,
	    .event = fields[2].value,
	    .mid = fields[3].value,
	    .key = fields[4].value,
	    .fields = fields,
	    .nfields = 6};
	return &m;
}

static const struct msg empty = {.ts_ms = -1};

/* What the format makes of m, the 12th message; absent: it is refused. */
static struct str
shown(struct buf *b, const char *text, const struct msg *m)
{
	struct format f = {0};
	struct buf err;
	int rc;

	buf_init(&err, MAX);
	buf_clear(b);
	rc = format_compile(&f, text, &err);
	if (rc == 0)
		format_add(b, &f, m, 12);
	if ((rc == 0) != (err.n == 0))
		ok(false, "a reason is given for a refusal only");
	buf_free(&err);
	format_free(&f);
	return rc == 0 ? buf_str(b) : absent;
}

static void
test_directives(void)
{
	const struct {
		const char *text;
		struct str full, empty;
	} cases[] = {
	    {"%s", STR("h\xc3\xa9\n"), STR("")},
	    {"%S", STR("4"), STR("-1")},
	    {"%R", STR("\0\0\0\4"), STR("\xff\xff\xff\xff")},
	    {"%x", STR("68c3a90a"), STR("")},
	    {"%b", STR("aMOpCg=="), STR("")},
	    {"%J", STR("\"h\xc3\xa9\\n\""), STR("")},
	    {"%k", STR("k\0k"), STR("")},
	    {"%K", STR("3"), STR("-1")},
	    {"%h", STR("lang=en,lang=a=b,c"), STR("")},
	    {"%{lang}", STR("en"), STR("")},
	    {"%{key}", STR("k\0k"), STR("")},
	    {"%{none}", STR(""), STR("")},
	    {"%t", STR("room"), STR("")},
	    {"%o", STR("1756735200007-3"), STR("")},
	    {"%T", STR("1756735200007"), STR("")},
	    {"%U", STR("1756735200.007"), STR("")},
	    {"%I", STR("2025-09-01T14:00:00.007Z"), STR("")},
	    {"%e", STR("add"), STR("")},
	    {"%m", STR("m-1"), STR("")},
	    {"%i", STR("12"), STR("12")},
	    {"%%", STR("%"), STR("%")},
	    {"", STR(""), STR("")},
	    {"plain =s {x}", STR("plain =s {x}"), STR("plain =s {x}")},
	    {"%%s%t%%%i%", absent, absent},
	    {"%%s%t%%%i", STR("%sroom%12"), STR("%s%12")},
	    {"%{lang}%{mid}}", STR("enm-1}"), STR("}")},
	    /* Presets, by their whole name only */
	    {"raw", STR("h\xc3\xa9\n"), STR("")},
	    {"id", STR("1756735200007-3"), STR("")},
	    {"log",
		STR("2025-09-01T14:00:00.007Z room 1756735200007-3 "
		    "h\xc3\xa9\n"),
		STR("   ")},
	    {"raw ", STR("raw "), STR("raw ")},
	    {"Raw", STR("Raw"), STR("Raw")},
	    /* Mistakes */
	    {"%", absent, absent},
	    {"%q", absent, absent},
	    {"%=", absent, absent},
	    {"% s", absent, absent},
	    {"%5s", absent, absent},
	    {"%{", absent, absent},
	    {"%{}", absent, absent},
	    {"%{lang", absent, absent},
	};
	struct buf b;

	buf_init(&b, MAX);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		is_str(shown(&b, text, full()), cases[i].full, text);
		is_str(shown(&b, text, &empty), cases[i].empty, text);
	}
	buf_free(&b);
}

static void
test_json(void)
{
	struct buf b, want;

	buf_init(&b, MAX);
	buf_init(&want, MAX);
	msg_to_json(&want, full());
	is_str(shown(&b, "%j", full()), buf_str(&want), "the envelope");
	is_str(shown(&b, "json", full()), buf_str(&want), "its preset");
	buf_free(&want);
	buf_free(&b);
}

static void
test_payloads(void)
{
	struct msg m = {.ts_ms = 0, .has_id = true};
	struct buf b;

	buf_init(&b, MAX);
	m.data = STR("");
	is_str(shown(&b, "%s%S%R%x%b%J", &m), STR("0\0\0\0\0\"\""),
	    "empty is not absent");
	is_str(shown(&b, "%o %T %U", &m), STR("0-0 0 0.000"), "time 0");
	m.data = STR("\0\xff\x80");
	is_str(shown(&b, "%s %x", &m), STR("\0\xff\x80 00ff80"), "binary");
	is_str(shown(&b, "%J", &m), STR("\"\\u0000\xef\xbf\xbd\xef\xbf\xbd\""),
	    "as JSON");
	buf_free(&b);
}

static void
test_long_length(void)
{
	struct msg m = {.ts_ms = -1};
	struct buf b;

	buf_init(&b, MAX);
	m.data = str_n("", 0x01020304); /* never read: only its length is */
	is_str(shown(&b, "%R", &m), STR("\1\2\3\4"), "big-endian");
	buf_free(&b);
}

struct escape {
	const char *text;
	struct str want; /* absent: refused */
};

static void
check_escape(const struct escape *t)
{
	struct buf b;
	int rc;

	buf_init(&b, MAX);
	rc = format_unescape(&b, t->text);
	is_str(rc == 0 ? buf_str(&b) : absent, t->want, t->text);
	is_str(shown(&b, t->text, &empty), t->want, "... in a format");
	buf_free(&b);
}

static void
test_escapes(void)
{
	const struct escape escapes[] = {
	    {"\\n\\r\\t\\0\\a\\e\\\\", STR("\n\r\t\0\a\033\\")},
	    {"\\x00\\xfF\\x4a1", STR("\0\xffJ1")},
	    {"\\012",
		STR("\0"
		    "12")},
	    {"\\\\n", STR("\\n")},
	    {"a\tb", STR("a\tb")},
	    {"\\", absent},
	    {"a\\", absent},
	    {"\\q", absent},
	    {"\\N", absent},
	    {"\\x", absent},
	    {"\\x4", absent},
	    {"\\x4g", absent},
	    {"\\xg4", absent},
	    {"\\X41", absent},
	};

	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
		check_escape(&escapes[i]);
}

static void
test_errors(void)
{
	const struct {
		const char *text, *want;
	} cases[] = {
	    {"%q", "unknown directive %q"},
	    {"a\\q", "unknown escape \\q"},
	    {"a\\", "unknown escape \\"},
	    {"%", "% at the end"},
	    {"%{x", "%{ wants a name and }"},
	};
	struct format f;
	struct buf err;

	buf_init(&err, MAX);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&err);
		is_int(format_compile(&f, cases[i].text, &err), -1, "refused");
		is_str(buf_str(&err), str_c(cases[i].want), "... because");
		format_free(&f);
	}
	buf_free(&err);
}

static void
test_too_long(void)
{
	struct format f;
	struct buf text, err;

	buf_init(&text, 4 * MAX);
	buf_init(&err, MAX);
	while (text.n < 2 * MAX)
		buf_addz(&text, "0123456789");
	buf_addc(&text, '\0');
	is_int(format_compile(&f, text.p, &err), -1, "a huge format");
	is_str(buf_str(&err), STR("format too long"), "... says so");
	format_free(&f);
	buf_free(&text);
	buf_free(&err);
}

static void
test_escape(void)
{
	const struct {
		struct str s, want;
	} cases[] = {
	    {STR(""), STR("")},
	    {absent, STR("")},
	    {STR("a\tb\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
		STR("a\tb\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")},
	    {STR("\0\r\x1b[2J\x7f"), STR("\\x00\\x0d\\x1b[2J\\x7f")},
	    {STR("\x1f \xc2\x9f\xc2\xa0"), STR("\\x1f \\xc2\\x9f\xc2\xa0")},
	    {STR("\xc2\x80\xc3\x80"), STR("\\xc2\\x80\xc3\x80")},
	    {STR("\x9b"
		 "2J\xff"),
		STR("\\x9b2J\\xff")},
	    {STR("\xe2\x82"), STR("\\xe2\\x82")},
	    {STR("\xed\xa0\x80"), STR("\\xed\\xa0\\x80")},
	    {STR("\\x41"), STR("\\x41")},
	};
	struct buf b;

	buf_init(&b, MAX);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str s = cases[i].s;
		buf_clear(&b);
		format_escape(&b, s.p == NULL ? s : flush_copy(s));
		is_str(buf_str(&b), cases[i].want, "safe for a terminal");
	}
	buf_free(&b);
}

/* Every prefix, in memory that ends with its NUL. */
static void
test_prefixes(void)
{
	static const char text[] = "a%s\\x41%{lang}%%\\\\%j\\e%I";
	struct format f;
	struct buf err;
	int good = 0;

	buf_init(&err, MAX);
	for (size_t n = 0; n <= strlen(text); n++) {
		char cut[sizeof text];
		memcpy(cut, text, n);
		cut[n] = '\0';
		good += format_compile(
			    &f, flush_copy(str_n(cut, n + 1)).p, &err) == 0;
		format_free(&f);
	}
	is_int(good, 10, "prefixes that end where a part ends");
	buf_free(&err);
}

int
main(void)
{
	test_directives();
	test_json();
	test_payloads();
	test_long_length();
	test_escapes();
	test_errors();
	test_too_long();
	test_escape();
	test_prefixes();
	return done();
}
