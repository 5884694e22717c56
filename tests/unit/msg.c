#include "wire/msg.h"

#include "tap.h"

#include <string.h>

static const struct str absent = {NULL, 0};

/* A C string becomes a view, with NULL for absent. */
static struct msg_field
field(const char *name, const char *value)
{
	return (struct msg_field){.name = str_c(name), .value = str_c(value)};
}

/* ---- Names ---- */

static void
test_channel(void)
{
	char name[MSG_CHANNEL_MAX + 1];

	memset(name, 'a', sizeof name);
	ok(msg_channel_ok(flush_copy(STR("room"))), "a name");
	ok(msg_channel_ok(STR("a")), "of one byte");
	ok(msg_channel_ok(str_n(name, MSG_CHANNEL_MAX)), "of 256");
	ok(!msg_channel_ok(str_n(name, MSG_CHANNEL_MAX + 1)), "not of 257");
	ok(!msg_channel_ok(STR("")), "not of none");
	ok(!msg_channel_ok(absent), "not absent");
	ok(msg_channel_ok(STR("a b:/*-{}\"")), "any printable ASCII");
	ok(msg_channel_ok(STR("caf\xc3\xa9 \xf0\x9f\x98\x80")), "any UTF-8");
	ok(!msg_channel_ok(STR("a\xff")), "only UTF-8");
	ok(!msg_channel_ok(flush_copy(STR("a\xc2"))), "and no part of it");
	ok(!msg_channel_ok(STR("a\0b")), "no NUL");
	ok(!msg_channel_ok(STR("a\n")), "no LF");
	ok(!msg_channel_ok(STR("\x1f")), "no other C0");
	ok(!msg_channel_ok(STR("\x7f")), "no DEL");
	ok(!msg_channel_ok(STR("\xc2\x80")), "no U+0080");
	ok(!msg_channel_ok(STR("\xc2\x9f")), "no U+009F");
	ok(msg_channel_ok(flush_copy(STR("\xc2\xa0"))), "U+00A0 is no control");
}

static void
test_event(void)
{
	ok(msg_event_ok(flush_copy(STR("msg"))), "a type");
	ok(msg_event_ok(STR("")), "an empty one");
	ok(msg_event_ok(STR("a b\t\xc3\xa9:")), "of any text");
	ok(!msg_event_ok(STR("a\r")), "but no CR");
	ok(!msg_event_ok(STR("a\nb")), "no LF");
	ok(!msg_event_ok(STR("\0")), "no NUL");
	ok(!msg_event_ok(STR("\xff")), "and nothing that is not UTF-8");
}

/* ---- Fields ---- */

static void
test_bind(void)
{
	struct msg_field f[] = {field("lang", "en"), field("key", "k"),
	    field("data", ""), field("data", "second"), field("mid", "m"),
	    field("event", "e"), field("event", "f"), field("Data", "x"),
	    field("", "empty")};
	static const enum msg_role roles[] = {MSG_HEADER, MSG_KEY, MSG_DATA,
	    MSG_HEADER, MSG_MID, MSG_EVENT, MSG_HEADER, MSG_HEADER, MSG_HEADER};
	const size_t n = sizeof f / sizeof *f;
	struct msg m = {.ts_ms = 5, .data = STR("old"), .channel = STR("c")};
	bool good = true;

	msg_bind(&m, f, n, STR("data"));
	for (size_t i = 0; i < n; i++)
		good = good && f[i].role == roles[i];
	ok(good, "the first field of each reserved name has its role");
	is_str(m.data, STR(""), "the first payload, though empty");
	is_str(m.event, STR("e"), "the first event");
	is_str(m.mid, STR("m"), "mid");
	is_str(m.key, STR("k"), "key");
	ok(m.fields == f && m.nfields == n, "all fields are there");
	ok(m.ts_ms == 5 && m.channel.n == 1, "the rest is the caller's");
}

static void
test_bind_name(void)
{
	struct msg_field f[] = {field("data", "d"), field("body", "b")};
	struct msg m = {.data = STR("old"), .key = STR("old")};

	msg_bind(&m, f, 2, STR("body"));
	is_str(m.data, STR("b"), "the payload's field has another name");
	ok(f[0].role == MSG_HEADER, "and data is a header then");
	is_str(m.key, absent, "what is not there is absent");
	msg_bind(&m, f, 1, STR("body"));
	is_str(m.data, absent, "even the payload");
	msg_bind(&m, NULL, 0, STR("body"));
	ok(m.nfields == 0, "or all of it");
}

/* ---- Writing ---- */

static void
writes(const struct msg *m, struct str want, const char *name)
{
	struct buf b;

	buf_init(&b, 4096);
	msg_to_json(&b, m);
	is_str(buf_str(&b), want, name);
	buf_free(&b);
}

static void
test_write(void)
{
	struct msg_field f[] = {field("lang", "en"), field("mid", "k3-17"),
	    field("a\"", "\n"), field("data", "text"), field("event", "msg"),
	    field("key", "k")};
	struct msg m = {.channel = STR("room"),
	    .id = {1756735200000, 0},
	    .has_id = true,
	    .ts_ms = 1756735200000};

	msg_bind(&m, f, 6, STR("data"));
	writes(&m,
	    STR("{\"channel\":\"room\",\"id\":\"1756735200000-0\","
		"\"ts\":1756735200000,\"event\":\"msg\",\"mid\":\"k3-17\","
		"\"key\":\"k\",\"headers\":{\"lang\":\"en\",\"a\\\"\":\"\\n\"},"
		"\"data\":\"text\"}"),
	    "the order of members is fixed");

	m = (struct msg){.ts_ms = -1};
	writes(&m, STR("{\"data\":null}"), "absent members are left out");
	m = (struct msg){.ts_ms = 0, .data = STR(""), .key = STR("")};
	writes(&m, STR("{\"ts\":0,\"key\":\"\",\"data\":\"\"}"),
	    "empty ones are not");
}

static void
test_write_binary(void)
{
	struct msg_field f[] = {field("a", "\xff"), field("b", "B"),
	    field("\xfe", "x"), field("b", "B2"), field("data", "\xff\xfe"),
	    field("key", "\x80"), field("mid", "\xc3"), field("event", "\xe2")};
	struct msg m = {.ts_ms = -1, .channel = STR("\xff")};

	msg_bind(&m, f, 8, STR("data"));
	writes(&m,
	    STR("{\"channel_b64\":\"/w==\",\"event_b64\":\"4g==\","
		"\"mid_b64\":\"ww==\",\"key_b64\":\"gA==\","
		"\"headers\":{\"b\":\"B\",\"b\":\"B2\"},"
		"\"headers_b64\":{\"YQ==\":\"/w==\",\"/g==\":\"eA==\"},"
		"\"data_b64\":\"//4=\"}"),
	    "what is not UTF-8 stands in base64");
}

/* ---- Reading ---- */

struct parsed {
	struct msg m;
	struct msg_space sp;
	const char *why;
	int status;
};

static struct parsed
parse(struct str line, struct str data_name)
{
	struct parsed p = {.why = NULL};

	msg_space_init(&p.sp, 4096);
	p.status =
	    msg_from_json(&p.m, &p.sp, flush_copy(line), data_name, &p.why);
	return p;
}

static void
refuses(struct str line, const char *why)
{
	struct parsed p = parse(line, STR("data"));

	ok(p.status == -1, "refused: %.*s", (int)line.n, line.p);
	if (p.status == -1)
		is_str(str_c(p.why), str_c(why), "and it is said why");
	msg_space_free(&p.sp);
}

/* line reads as the fields "name=value;" with a role letter before each. */
static void
reads(struct str line, struct str want)
{
	struct parsed p = parse(line, STR("data"));
	struct buf b;

	buf_init(&b, 4096);
	ok(p.status == 0, "taken: %.*s", (int)line.n, line.p);
	for (size_t i = 0; p.status == 0 && i < p.m.nfields; i++) {
		const struct msg_field *f = &p.m.fields[i];
		buf_addc(&b, "hdemk"[f->role]);
		buf_addc(&b, ' ');
		buf_adds(&b, f->name);
		buf_addc(&b, '=');
		buf_adds(&b, f->value);
		buf_addc(&b, ';');
	}
	is_str(p.status == 0 ? buf_str(&b) : str_c(p.why), want,
	    "with its fields");
	buf_free(&b);
	msg_space_free(&p.sp);
}

static void
test_read(void)
{
	struct parsed p =
	    parse(STR(" {\"headers\":{\"lang\":\"en\",\"x\":\"\"},\"key\":"
		      "\"k\",\"id\":\"1756735200000-7\",\"ts\":1756735200001,"
		      "\"data\":\"te\\u0000xt\",\"event\":\"msg\","
		      "\"channel\":\"room\",\"mid\":\"m\"} \r\n"),
		STR("body"));

	is_int(p.status, 0, "an envelope in any order");
	is_str(p.m.channel, STR("room"), "channel");
	ok(p.m.has_id && p.m.id.ms == 1756735200000 && p.m.id.seq == 7, "id");
	is_int(p.m.ts_ms, 1756735200001, "ts");
	is_str(p.m.data, STR("te\0xt"), "data");
	is_str(p.m.event, STR("msg"), "event");
	is_str(p.m.mid, STR("m"), "mid");
	is_str(p.m.key, STR("k"), "key");
	is_int((long long)p.m.nfields, 6, "fields");
	is_str(p.m.fields[0].name, STR("body"), "data is stored by its name");
	msg_space_free(&p.sp);
}

static void
foreign(struct str line, struct str id, struct str want)
{
	struct parsed p = parse(line, STR("data"));
	struct buf b;

	buf_init(&b, 1000);
	ok(p.status == 0, "%.*s", (int)line.n, line.p);
	ok(!p.m.has_id, "has no id of Redis");
	is_str(p.m.foreign_id, id, "but that one");
	msg_to_json(&b, &p.m);
	is_str(buf_str(&b), want, "which is written");
	buf_free(&b);
	msg_space_free(&p.sp);
}

static void
test_foreign(void)
{
	foreign(STR("{\"id\":\"db:1\"}"), STR("db:1"),
	    STR("{\"id\":\"db:1\",\"data\":null}"));
	foreign(STR("{\"id\":12}"), STR("12"),
	    STR("{\"id\":\"12\",\"data\":null}"));
	foreign(STR("{\"id\":\"a\\n\\u0000\"}"), STR("a\n\0"),
	    STR("{\"id\":\"a\\n\\u0000\",\"data\":null}"));
	foreign(STR("{\"id\":[1]}"), str_c(NULL), STR("{\"data\":null}"));
	foreign(STR("{\"id\":null}"), str_c(NULL), STR("{\"data\":null}"));
}

static void
test_read_fields(void)
{
	reads(STR("{}"), STR(""));
	reads(STR("{\"data\":null,\"key\":null,\"headers\":null}"), STR(""));
	reads(STR("{\"data\":\"\",\"key\":\"\"}"), STR("d data=;k key=;"));
	reads(STR("{\"headers\":{\"a\":\"1\"},\"mid\":\"m\",\"key\":\"k\","
		  "\"event\":\"e\",\"data\":\"d\"}"),
	    STR("d data=d;e event=e;m mid=m;k key=k;h a=1;"));
	reads(STR("{\"headers\":{\"a\":\"1\",\"\":\"2\",\"a\":\"3\"}}"),
	    STR("h a=1;h =2;h a=3;"));
	reads(STR("{\"mid\":\"m\",\"headers\":{\"z\":\"1\"}}"),
	    STR("m mid=m;h z=1;"));
	reads(STR("{\"data\":[1, {\"a\" : \"b c\"}]}"),
	    STR("d data=[1,{\"a\":\"b c\"}];"));
	reads(STR("{\"data\": { } }"), STR("d data={};"));
	reads(STR("{\"data\":-1.50e3}"), STR("d data=-1.50e3;"));
	reads(STR("{\"data\":true}"), STR("d data=true;"));
	reads(STR("{\"data\":false}"), STR("d data=false;"));
	reads(STR("{\"headers\":{\"n\":1.0,\"t\":true},\"key\":42}"),
	    STR("k key=42;h n=1.0;h t=true;"));
	reads(STR("{\"d\\u0061ta\":\"x\",\"headers\":{\"\\u0061\":\"\\n\"}}"),
	    STR("d data=x;h a=\n;"));
	reads(STR("{\"x\":[],\"Data\":1,\"data \":2,\"group\":\"g\","
		  "\"deliveries\":3,\"id_b64\":7,\"_b64\":8,\"x\":9}"),
	    STR(""));
	reads(STR("{\"headers\":{\"id\":\"1\",\"ts\":\"2\",\"channel\":\"3\","
		  "\"headers\":\"4\"}}"),
	    STR("h id=1;h ts=2;h channel=3;h headers=4;"));
}

static void
test_read_binary(void)
{
	reads(STR("{\"data_b64\":\"/wA=\"}"), STR("d data=\xff\0;"));
	reads(STR("{\"data_b64\":\"\"}"), STR("d data=;"));
	reads(STR("{\"data_b64\":\"\\/\\u0077A=\"}"), STR("d data=\xff\0;"));
	reads(STR("{\"key_b64\":\"gA==\",\"mid_b64\":\"ww==\","
		  "\"event_b64\":\"ZQ==\"}"),
	    STR("e event=e;m mid=\xc3;k key=\x80;"));
	reads(STR("{\"headers_b64\":{\"YQ==\":\"/w==\"},"
		  "\"headers\":{\"b\":\"2\"}}"),
	    STR("h a=\xff;h b=2;"));

	refuses(STR("{\"data_b64\":\"/wA\"}"), "malformed base64");
	refuses(STR("{\"data_b64\":1234}"), "malformed base64");
	refuses(STR("{\"data_b64\":[]}"), "malformed base64");
	refuses(STR("{\"headers_b64\":{\"a\":\"/w==\"}}"), "malformed base64");
	refuses(STR("{\"headers_b64\":{\"YQ==\":1234}}"), "malformed base64");
	refuses(STR("{\"data\":\"\",\"data_b64\":\"\"}"),
	    "a member is given twice");
	refuses(
	    STR("{\"key_b64\":\"\",\"key\":null}"), "a member is given twice");
}

static void
test_refused(void)
{
	refuses(STR(""), "not a JSON object");
	refuses(STR("[]"), "not a JSON object");
	refuses(STR("\"data\""), "not a JSON object");
	refuses(STR("{\"data\":\"x\"}}"), "not a JSON object");
	refuses(STR("{\"data\":\"x\"} {}"), "not a JSON object");
	refuses(STR("{\"data\":\"\xff\"}"), "not a JSON object");
	refuses(
	    STR("{\"data\":\"a\",\"data\":\"b\"}"), "a member is given twice");
	refuses(
	    STR("{\"headers\":{},\"headers\":{}}"), "a member is given twice");
	refuses(STR("{\"key\":[]}"), "a member is not a string");
	refuses(STR("{\"channel\":{}}"), "a member is not a string");
	refuses(STR("{\"headers\":[]}"), "headers is not an object");
	refuses(STR("{\"headers\":\"\"}"), "headers is not an object");
	refuses(STR("{\"headers\":{\"a\":null}}"), "a header is not a string");
	refuses(STR("{\"headers\":{\"a\":[]}}"), "a header is not a string");
	refuses(STR("{\"headers\":{\"a\":{}}}"), "a header is not a string");
	refuses(STR("{\"event\":\"a\\nb\"}"), "bad event type");
	refuses(STR("{\"event\":\"\\u0000\"}"), "bad event type");
	refuses(STR("{\"event_b64\":\"/w==\"}"), "bad event type");
	refuses(STR("{\"channel\":\"\"}"), "bad channel name");
	refuses(STR("{\"channel\":\"a\\u0085\"}"), "bad channel name");
	refuses(STR("{\"channel_b64\":\"/w==\"}"), "bad channel name");
}

static void
test_reserved(void)
{
	struct parsed p;

	refuses(STR("{\"headers\":{\"data\":\"x\"}}"),
	    "a header has a reserved name");
	refuses(STR("{\"data\":null,\"headers\":{\"data\":\"x\"}}"),
	    "a header has a reserved name");
	refuses(STR("{\"data\":\"\",\"headers\":{\"event\":\"x\"}}"),
	    "a header has a reserved name");
	refuses(STR("{\"headers_b64\":{\"a2V5\":\"/w==\"}}"),
	    "a header has a reserved name");
	reads(STR("{\"headers\":{\"data\":\"2\"},\"data\":\"1\"}"),
	    STR("d data=1;h data=2;"));
	reads(STR("{\"headers\":{\"mid\":\"2\",\"mid\":\"3\"},\"mid\":\"1\"}"),
	    STR("m mid=1;h mid=2;h mid=3;"));

	p = parse(STR("{\"headers\":{\"data\":\"x\"}}"), STR("body"));
	is_int(p.status, 0, "data is a header like others for another payload");
	msg_space_free(&p.sp);
	p = parse(
	    STR("{\"data\":\"x\",\"headers\":{\"body\":\"y\"}}"), STR("body"));
	is_int(p.status, 0, "its field may be repeated");
	msg_space_free(&p.sp);
	p = parse(STR("{\"headers\":{\"body\":\"y\"}}"), STR("body"));
	is_int(p.status, -1, "but not stand in for it");
	msg_space_free(&p.sp);
	p = parse(STR("{\"event\":\"x\"}"), STR("event"));
	is_int(p.status, -1, "an event would be read back as the payload");
	msg_space_free(&p.sp);
}

static void
id_ts(struct str line, bool has_id, int64_t ts)
{
	struct parsed p = parse(line, STR("data"));

	ok(p.status == 0 && p.m.has_id == has_id && p.m.ts_ms == ts,
	    "id %s, ts %lld: %.*s", has_id ? "taken" : "ignored", (long long)ts,
	    (int)line.n, line.p);
	msg_space_free(&p.sp);
}

static void
test_id_ts(void)
{
	id_ts(STR("{}"), false, -1);
	id_ts(STR("{\"id\":\"5-6\",\"ts\":0}"), true, 0);
	id_ts(STR("{\"id\":\"\\u0035-6\"}"), true, -1);
	id_ts(STR("{\"id\":\"5\"}"), false, -1);
	id_ts(STR("{\"id\":\"5- 6\"}"), false, -1);
	id_ts(STR("{\"id\":5}"), false, -1);
	id_ts(STR("{\"id\":null,\"ts\":null}"), false, -1);
	id_ts(STR("{\"id\":{\"a\":[1]},\"ts\":[1]}"), false, -1);
	id_ts(STR("{\"ts\":9223372036854775807}"), false, INT64_MAX);
	id_ts(STR("{\"ts\":9223372036854775808}"), false, -1);
	id_ts(STR("{\"ts\":-5}"), false, -1);
	id_ts(STR("{\"ts\":1.5}"), false, -1);
	id_ts(STR("{\"ts\":1e3}"), false, -1);
	id_ts(STR("{\"ts\":\"5\"}"), false, -1);
}

static void
test_space(void)
{
	struct str line = STR("{\"data\":\"0123456789\"}");
	struct msg_space sp;
	const char *why = NULL;
	struct msg m;

	msg_space_init(&sp, line.n);
	is_int(msg_from_json(&m, &sp, line, STR("data"), &why), 0,
	    "a line of the greatest length");
	is_str(m.data, STR("0123456789"), "is read");
	is_int(msg_from_json(&m, &sp, STR("{\"data\":\"0123456789x\"}"),
		   STR("data"), &why),
	    -1, "a longer one is not");
	is_str(str_c(why), STR("too long"), "and it is said why");
	is_int(
	    msg_from_json(&m, &sp, STR("{\"key\":\"k\"}"), STR("data"), &why),
	    0, "which does no harm to the next");
	is_str(m.key, STR("k"), "which is read");
	is_str(m.data, absent, "and holds nothing of the one before");
	msg_space_free(&sp);
	msg_space_free(&sp);

	struct msg_space zero = {.text = {.p = NULL}};
	msg_space_free(&zero);
}

static void
test_prefixes(void)
{
	struct str line = STR("{\"channel\":\"r\",\"id\":\"1-2\",\"ts\":1,"
			      "\"headers\":{\"a\":\"\\u00e9\"},"
			      "\"headers_b64\":{\"YQ==\":\"/w==\"},"
			      "\"data_b64\":\"/wA=\"}");
	bool good = true;

	for (size_t n = 0; n <= line.n; n++) {
		struct parsed p = parse(str_n(line.p, n), STR("data"));
		good = good && p.status == (n < line.n ? -1 : 0);
		msg_space_free(&p.sp);
	}
	ok(good, "no prefix of an envelope is one");
}

int
main(void)
{
	test_channel();
	test_event();
	test_bind();
	test_bind_name();
	test_write();
	test_write_binary();
	test_read();
	test_foreign();
	test_read_fields();
	test_read_binary();
	test_refused();
	test_reserved();
	test_id_ts();
	test_space();
	test_prefixes();
	return done();
}
