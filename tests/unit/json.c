#include "wire/json.h"

#include "tap.h"

#include <string.h>

/* What of s can stand in the name of a test. */
static int
shown(struct str s)
{
	int n = 0;

	while (n < 60 && (size_t)n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
		n++;
	return n;
}

static void
valid(struct str s, bool want)
{
	ok(json_valid(flush_copy(s)) == want, "%s (%zu bytes): %.*s",
	    want ? "valid" : "not valid", s.n, shown(s), s.p);
}

static void
all(const char *const *texts, bool want)
{
	for (; *texts != NULL; texts++)
		valid(str_c(*texts), want);
}

static void
test_values(void)
{
	static const char *const good[] = {"null", "true", "false", "\"\"",
	    "[]", "{}", " \t\r\n[ \t\r\n] \t\r\n", "{ }", "[1 , 2]",
	    "{\"a\" : 1 , \"a\" : 2}", "[[],{},[{}]]", "{\"\":{\"\":[]}}",
	    "[null,true,false]", NULL};
	static const char *const bad[] = {"", " ", "nul", "nulll", "True",
	    "null null", "[]]", "[", "]", "{", "}", "[}", "{]", "[1,]", "[,1]",
	    "[1,,2]", "[1 2]", "[1:2]", "{,}", "{\"a\"}", "{\"a\":}", "{:1}",
	    "{\"a\":1,}", "{\"a\" 1}", "{\"a\",1}", "{a:1}", "{1:1}",
	    "{null:1}", "{[]:1}", "{\"a\":1 \"b\":2}", "{\"a\":1:2}", "[1]{}",
	    "\f1", "1\v",
	    "\xc2\xa0"
	    "1",
	    "\xef\xbb\xbf{}", "// c\n1", "/**/1", "NaN", "Infinity", "'a'",
	    "undefined", ",", ":", NULL};

	all(good, true);
	all(bad, false);
	valid(STR("1\0"), false);
	valid(STR("[1]\0garbage"), false);
	valid(STR("[1,\0 2]"), false);
	ok(!json_valid((struct str){NULL, 0}), "nothing is not valid");
}

static void
test_numbers(void)
{
	static const char *const good[] = {"0", "-0", "1", "10", "-12",
	    "123456789012345678901234567890", "0.0", "-0.50", "1e5", "1E5",
	    "1e+5", "1e-05", "0e0", "1.25E+10", "1e999", NULL};
	static const char *const bad[] = {"-", "+1", "01", "-01", "00", "1.",
	    ".5", "-.5", "1.e5", "1e", "1e+", "1e-", "1e5.5", "1e+-5", "0x10",
	    "1_0", "1,0", "--1", "- 1", "1 .5", "1a", NULL};

	all(good, true);
	all(bad, false);
}

static void
test_strings(void)
{
	static const char *const good[] = {"\"a\"", "\" !#$[]^~\"", "\"\x7f\"",
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"",
	    "\"\\u00e9\\uFFFF\\uabCD\"", "\"\\ud83d\\ude00\"",
	    "\"\\uD800\\uDC00\\uDBFF\\uDFFF\"",
	    "\"\xc3\xa9\xe2\x82\xac"
	    "\xf0\x9f\x98\x80\"",
	    "\"\xe2\x80\xa8\"", "\"\xef\xbf\xbf\"", NULL};
	static const char *const bad[] = {"\"", "\"a", "\"\\\"", "\"\\",
	    "\"\\x\"", "\"\\'\"", "\"\\N\"", "\"\\0\"", "\"\\u\"", "\"\\u12\"",
	    "\"\\u123\"", "\"\\u123g\"", "\"\\U1234\"", "\"\\u 123\"",
	    "\"\\u+123\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"",
	    "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"",
	    "\"\\udc00\\udc00\"", "\"\\ud800\\ue000\"", "\"\\udc00\\ud800\"",
	    "\"\\ud83d\\\"\"", "\"\\ud83d\\ude0\"", "\"\x01\"", "\"\x1f\"",
	    "\"\t\"", "\"\n\"", "\"\xff\"", "\"\x80\"", "\"\xc3\"",
	    "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"",
	    "\"\xf5\x80\x80\x80\"", "\"a\"b\"", "\"a\"\"b\"", NULL};

	all(good, true);
	all(bad, false);
	valid(STR("\"\0\""), false);
}

/* Each byte at each place of words of eight; no escape has an x. */
static void
test_each_byte(void)
{
	bool good = true;

	for (int c = 0; c < 256; c++)
		for (int at = 1; at < 20; at++) {
			char s[] = "\"xxxxxxxxxxxxxxxxxxx\"";
			s[at] = (char)c;
			bool want =
			    c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
			good = good && json_valid(flush_copy(str_c(s))) == want;
		}
	ok(good, "each byte at each place of a string");
}

static void
test_prefixes(void)
{
	struct str s =
	    STR("{\"a\":[1,-2.5e+3,\"\\u00e9\\ud83d\\ude00\xc3\xa9\"],"
		"\"bb\":{\"c\":null,\"d\":true,\"e\":[{}]}}");
	bool good = true;

	for (size_t n = 0; n < s.n; n++)
		good = good && !json_valid(flush_copy(str_n(s.p, n)));
	ok(good, "no prefix of an object is valid");
	valid(s, true);
}

/* n times open, then n times shut. */
static struct str
nest(const char *open, const char *shut, size_t n)
{
	static char text[4000];
	char *p = text;

	for (size_t i = 0; i < n; i++, p += strlen(open))
		memcpy(p, open, strlen(open));
	for (size_t i = 0; i < n; i++, p += strlen(shut))
		memcpy(p, shut, strlen(shut));
	return str_n(text, (size_t)(p - text));
}

static void
test_bounds(void)
{
	valid(nest("[", "]", JSON_DEPTH_MAX), true);
	valid(nest("[", "]", JSON_DEPTH_MAX + 1), false);
	valid(nest("{\"\":[", "]}", JSON_DEPTH_MAX / 2), true);
	valid(nest("{\"\":[", "]}", JSON_DEPTH_MAX / 2 + 1), false);
	valid(nest("[", "]", 1500), false);
	ok(!json_valid(
	       (struct str){flush_copy(STR("1")).p, (size_t)JSON_SIZE_MAX + 1}),
	    "a text that is too long is not even looked at");
}

/* What the walk shows: TYPE key=raw; each. */
static int
show(void *arg, struct str key, struct json v)
{
	struct buf *b = arg;

	buf_addc(b, "ntfdsao"[v.type]);
	buf_addc(b, ' ');
	buf_adds(b, key);
	buf_addc(b, '=');
	buf_adds(b, v.raw);
	buf_addc(b, ';');
	return 0;
}

static void
members(struct str s, const char *want)
{
	struct buf b;

	buf_init(&b, 1000);
	ok(json_members(flush_copy(s), show, &b) == 0, "%.*s is walked",
	    shown(s), s.p);
	is_str(buf_str(&b), str_c(want), "and its members come in order");
	buf_free(&b);
}

static void
no_members(struct str s)
{
	struct buf b;

	buf_init(&b, 1000);
	ok(json_members(flush_copy(s), show, &b) == -1 && b.n == 0,
	    "%.*s has no members", shown(s), s.p);
	buf_free(&b);
}

static int
stop(void *arg, struct str key, struct json v)
{
	(void)v;
	++*(int *)arg;
	return key.n == 1 && key.p[0] == 'b' ? 7 : 0;
}

static void
test_members(void)
{
	int seen = 0;

	members(STR("{}"), "");
	members(STR(" { \"a\" : 1 } \n"), "d a=1;");
	members(STR("{\"a\":null,\"b\":true,\"c\":false,\"d\":-1.5e3,"
		    "\"e\":\"x\"}"),
	    "n a=null;t b=true;f c=false;d d=-1.5e3;s e=x;");
	members(STR("{\"a\":{\"x\":[1,{\"y\":2}],\"z\":{}},\"b\":[[],[3]],"
		    "\"c\":[ ]}"),
	    "o a={\"x\":[1,{\"y\":2}],\"z\":{}};a b=[[],[3]];a c=[ ];");
	members(STR("{\"a\":1,\"a\":\"\"}"), "d a=1;s a=;");
	members(
	    STR("{\"\\u0061\\\"\":\"\\n\\\"}\"}"), "s \\u0061\\\"=\\n\\\"};");
	members(STR("{\"\":{\"\":{\"\":{}}}}"), "o ={\"\":{\"\":{}}};");

	no_members(STR("[]"));
	no_members(STR("[{\"a\":1}]"));
	no_members(STR("\"a\""));
	no_members(STR("1"));
	no_members(STR("null"));
	no_members(STR(""));
	no_members(STR("{\"a\":1"));
	no_members(STR("{\"a\":1}{\"b\":2}"));
	no_members(STR("{\"a\":1,\"b\":[1}"));

	is_int(json_members(STR("{\"a\":1,\"b\":2,\"c\":3}"), stop, &seen), 7,
	    "the walk ends with what the function returns");
	is_int(seen, 2, "at once");
}

/* An object of n members that are objects of one: linear in n. */
static void
test_many(void)
{
	struct buf b;
	int seen = 0;

	buf_init(&b, 10u << 20);
	for (int i = 0; i < 200000; i++)
		buf_addz(&b, i == 0 ? "{\"a\":{\"b\":1}" : ",\"a\":{\"b\":1}");
	buf_addc(&b, '}');
	is_int(json_members(buf_str(&b), stop, &seen), 0, "many members");
	is_int(seen, 200000, "are all seen");
	buf_free(&b);
}

static void
unescapes(struct str raw, struct str want)
{
	struct buf b;

	buf_init(&b, raw.n);
	json_unescape(&b, flush_copy(raw));
	is_str(buf_str(&b), want, "a raw string stands for its text");
	ok(!b.failed, "and is never shorter");
	buf_free(&b);
}

static void
quotes(struct str s, struct str want, const char *name)
{
	struct buf b, back;

	buf_init(&b, 1000);
	buf_init(&back, 1000);
	json_quote(&b, flush_copy(s));
	is_str(buf_str(&b), want, name);
	ok(json_valid(buf_str(&b)), "which is valid");
	is_int((long long)json_string_len(buf_str(&b)), (long long)b.n,
	    "a whole string");
	json_unescape(&back, str_n(b.p + 1, b.n - 2));
	is_str(buf_str(&back), s, "and stands for the text");
	buf_free(&b);
	buf_free(&back);
}

static void
test_escapes(void)
{
	unescapes(STR(""), STR(""));
	unescapes(STR("plain \xc3\xa9"), STR("plain \xc3\xa9"));
	unescapes(STR("\\\"\\\\\\/\\b\\f\\n\\r\\t"), STR("\"\\/\b\f\n\r\t"));
	unescapes(STR("\\u0000"), STR("\0"));
	unescapes(STR("\\u007F\\u0080"), STR("\x7f\xc2\x80"));
	unescapes(STR("\\u07ff\\u0800"), STR("\xdf\xbf\xe0\xa0\x80"));
	unescapes(STR("\\ud7FF\\ue000\\uffff"),
	    STR("\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
	unescapes(STR("\\ud800\\udc00"), STR("\xf0\x90\x80\x80"));
	unescapes(STR("x\\uDBFF\\uDFFFy"), STR("x\xf4\x8f\xbf\xbfy"));
	unescapes(STR("\\\\u0041"), STR("\\u0041"));

	quotes(STR(""), STR("\"\""), "nothing");
	quotes(STR("a/b"), STR("\"a/b\""), "a solidus needs no escape");
	quotes(STR("\"\\\b\f\n\r\t"), STR("\"\\\"\\\\\\b\\f\\n\\r\\t\""),
	    "short escapes");
	quotes(STR("\0\x01\x1b[0m\x1f"),
	    STR("\"\\u0000\\u0001\\u001b[0m\\u001f\""), "other controls");
	quotes(STR("\x7f"), STR("\"\\u007f\""), "DEL");
	quotes(STR("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"),
	    STR("\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""),
	    "U+2028 and U+2029 and not their neighbours");
	quotes(STR("\xe3\x80\xa8\xe2\x81\xa8\xc2\x80"),
	    STR("\"\xe3\x80\xa8\xe2\x81\xa8\xc2\x80\""), "nor others");
	quotes(STR("01234567\x7f"
		   "01234567\xe2\x80\xa9"
		   "01234567"),
	    STR("\"01234567\\u007f01234567\\u202901234567\""),
	    "behind and before long runs");
	quotes(STR("0123456789abcdef\n0123456789abcdef"),
	    STR("\"0123456789abcdef\\n0123456789abcdef\""), "long runs");
}

static void
test_string_len(void)
{
	is_int((long long)json_string_len(flush_copy(STR("\"a\\\"b\"c\""))), 6,
	    "a string ends at its first quote that is not escaped");
	is_int((long long)json_string_len(STR("\"a")), 0, "no end, no string");
	is_int((long long)json_string_len(STR("a\"")), 0, "nor without begin");
	is_int((long long)json_string_len(STR("")), 0, "nor from nothing");
}

static void
compacts(struct str s, struct str want)
{
	struct buf b;

	buf_init(&b, want.n);
	json_compact(&b, flush_copy(s));
	is_str(buf_str(&b), want, "compact");
	ok(!b.failed, "in no more room than that");
	buf_free(&b);
}

static void
test_compact(void)
{
	compacts(STR("1"), STR("1"));
	compacts(STR(" \n1.5e3\t "), STR("1.5e3"));
	compacts(STR("{ \"a b\" : [ 1 , \"c \\\" d\" ] ,\r\n\"e\":{ } }"),
	    STR("{\"a b\":[1,\"c \\\" d\"],\"e\":{}}"));
	compacts(STR("\" \\\\\" "), STR("\" \\\\\""));
}

int
main(void)
{
	test_values();
	test_numbers();
	test_strings();
	test_each_byte();
	test_prefixes();
	test_bounds();
	test_members();
	test_many();
	test_escapes();
	test_string_len();
	test_compact();
	return done();
}
