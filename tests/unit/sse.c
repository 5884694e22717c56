#include "wire/sse.h"

#include "../helpers/sse_parser.c"
#include "tap.h"

static const struct str absent = {NULL, 0};

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* ---- The judge itself, by the cases of the standard and of browsers ---- */

struct event {
	struct str type, data, id;
};

struct stream {
	const char *name;
	struct str bytes;
	struct event want[4]; /* ended by an absent type */
};

static struct event
message(struct str data, struct str id)
{
	return (struct event){STR("message"), data, id};
}

static struct event
plain(struct str data)
{
	return message(data, STR(""));
}

static void
note_wanted(struct buf *notes, const struct event *e)
{
	for (; e->type.p != NULL; e++)
		sse_parser_note(notes, e->type, e->data, e->id);
}

/* Pieces of 1 to max bytes. */
static void
feed_pieces(struct sse_parser *sp, struct str s, size_t max)
{
	uint32_t random = 1;

	while (s.n > 0) {
		size_t n = 1 + next_random(&random) % max;
		if (n > s.n)
			n = s.n;
		sse_parser_feed(sp, str_n(s.p, n));
		s = str_from(s, n);
	}
}

static void
check_stream(const struct stream *t, size_t max)
{
	struct sse_parser sp;
	struct buf got, want;

	buf_init(&got, PARSER_MAX);
	buf_init(&want, PARSER_MAX);
	note_wanted(&want, t->want);
	sse_parser_init(&sp, note, &got);
	feed_pieces(&sp, t->bytes, max);
	is_str(buf_str(&got), buf_str(&want), t->name);
	sse_parser_free(&sp);
	buf_free(&got);
	buf_free(&want);
}

static void
test_judge(void)
{
	const struct stream streams[] = {
	    {"blank line", STR("data: hello\n\n"), {plain(STR("hello"))}},
	    {"type and its reset", STR("event: add\ndata: 1\n\ndata: 2\n\n"),
		{{STR("add"), STR("1"), STR("")}, plain(STR("2"))}},
	    {"empty type", STR("event:\ndata: 1\n\n"), {plain(STR("1"))}},
	    {"blank type", STR("event: \ndata:data\n\n"), {plain(STR("data"))}},
	    {"CRLF", STR("data: a\r\n\r\n"), {plain(STR("a"))}},
	    {"lone CR", STR("data: a\r\rdata: b\r\r"),
		{plain(STR("a")), plain(STR("b"))}},
	    {"mixed line ends", STR("data:test\r\ndata\ndata:test\r\n\r"),
		{plain(STR("test\n\ntest"))}},
	    {"BOM",
		STR("\xef\xbb\xbf"
		    "data:1\n\n\xef\xbb\xbf"
		    "data:2\n\ndata:3\n\n"),
		{plain(STR("1")), plain(STR("3"))}},
	    {"double BOM",
		STR("\xef\xbb\xbf\xef\xbb\xbf"
		    "data:1\n\ndata:2\n\ndata:3\n\n"),
		{plain(STR("2")), plain(STR("3"))}},
	    {"no colon", STR("data\n\ndata\ndata\n\ndata:test\n\n"),
		{plain(STR("")), plain(STR("\n")), plain(STR("test"))}},
	    {"one space goes", STR("data:  two\n\ndata:none\n\n"),
		{plain(STR(" two")), plain(STR("none"))}},
	    {"a tab stays", STR("data:\ttest\rdata: \ndata:test\n\n"),
		{plain(STR("\ttest\n\ntest"))}},
	    {"first colon", STR("data: a:b\n\n"), {plain(STR("a:b"))}},
	    {"join and drop", STR("data: a\ndata:\ndata: b\ndata:\n\n"),
		{plain(STR("a\n\nb\n"))}},
	    {"unknown fields",
		STR("data:test\n data\ndata\nfoobar:xxx\njustsometext\n"
		    ":thisisacommentyay\ndata:test\n\n"),
		{plain(STR("test\n\ntest"))}},
	    {"field parsing",
		STR("data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\n"
		    "da-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n"),
		{plain(STR("\0\n 2\n1\n3\n\n4"))}},
	    {"id persists", STR("id: 1\ndata: a\n\ndata: b\n\n"),
		{message(STR("a"), STR("1")), message(STR("b"), STR("1"))}},
	    {"id reset", STR("id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n"),
		{message(STR("1"), STR("1")), plain(STR("2")),
		    plain(STR("3"))}},
	    {"id with NUL", STR("id:1\ndata:x\n\nid:2\0\ndata:y\n\n"),
		{message(STR("x"), STR("1")), message(STR("y"), STR("1"))}},
	    {"checkpoint", STR("event: x\nid: 7\n\ndata: a\n\n"),
		{message(STR("a"), STR("7"))}},
	    {"cut", STR("data: a\n\nid: 2\ndata: b"), {plain(STR("a"))}},
	    {"ill-formed UTF-8", STR("data: \xff\xfeok\n\n"),
		{plain(STR("\xef\xbf\xbd\xef\xbf\xbdok"))}},
	    {"UTF-8", STR("data: e\xcc\x81\xe2\x82\xac\xf0\x9f\x98\x80\n\n"),
		{plain(STR("e\xcc\x81\xe2\x82\xac\xf0\x9f\x98\x80"))}},
	};

	for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
		check_stream(&streams[i], 1);
		check_stream(&streams[i], 7);
		check_stream(&streams[i], SIZE_MAX);
	}
}

static void
test_judge_long_comments(void)
{
	struct buf b;

	buf_init(&b, PARSER_MAX);
	buf_adds(&b, STR("data:1\r:\0\n:\r\ndata:2\n:"));
	buf_addf(&b, "%02048d\rdata:3\n:data:fail\r:%02048d", 0, 0);
	buf_addz(&b, "\ndata:4\n\n");
	check_stream(&(struct stream){"comments", buf_str(&b),
			 {plain(STR("1\n2\n3\n4"))}},
	    100);
	buf_free(&b);
}

static void
test_judge_state(void)
{
	struct sse_parser sp;
	struct buf notes;

	buf_init(&notes, PARSER_MAX);
	sse_parser_init(&sp, note, &notes);
	sse_parser_feed(&sp, STR("data: a\n\nid: 2\ndata: b"));
	is_str(buf_str(&sp.last_id), STR(""), "no id of an event cut off");
	sse_parser_feed(&sp, STR("\n\nretry: 03000\n\nretry: 1000x\n\n"));
	sse_parser_feed(&sp, STR("retry\n\nretry: -1\n\n"));
	is_int((long long)sp.retry_ms, 3000, "only digits are a retry");
	is_str(buf_str(&sp.last_id), STR("2"), "the id of an event");
	sse_parser_free(&sp);
	buf_free(&notes);
}

/* ---- The frames ---- */

struct frame {
	const char *name;
	struct str id, type, data, want;
};

static void
test_event(void)
{
	const struct frame frames[] = {
	    {"all", STR("1-0"), STR("add"), STR("hello"),
		STR("id: 1-0\nevent: add\ndata: hello\n\n")},
	    {"data only", absent, absent, STR("x"), STR("data: x\n\n")},
	    {"empty type", STR("1-0"), STR(""), STR("x"),
		STR("id: 1-0\ndata: x\n\n")},
	    {"empty id", STR(""), absent, STR("x"), STR("data: x\n\n")},
	    {"empty data", absent, absent, STR(""), STR("data: \n\n")},
	    {"LF, CR, CRLF", absent, absent, STR("a\nb\rc\r\nd"),
		STR("data: a\ndata: b\ndata: c\ndata: d\n\n")},
	    {"LF CR is two ends", absent, absent, STR("a\n\rb"),
		STR("data: a\ndata: \ndata: b\n\n")},
	    {"a last LF", absent, absent, STR("a\n"),
		STR("data: a\ndata: \n\n")},
	    {"a last CR", absent, absent, STR("a\r"),
		STR("data: a\ndata: \n\n")},
	    {"only LFs", absent, absent, STR("\n\n"),
		STR("data: \ndata: \ndata: \n\n")},
	    {"leading white space", absent, absent, STR("  a\n\tb\n:c"),
		STR("data:   a\ndata: \tb\ndata: :c\n\n")},
	    {"NUL in data", absent, absent, STR("a\0b"), STR("data: a\0b\n\n")},
	    {"forged fields", absent, absent,
		STR("x\n\nevent: evil\rdata: y\r\n\r\n"),
		STR("data: x\ndata: \ndata: event: evil\ndata: data: y\n"
		    "data: \ndata: \n\n")},
	    {"forged id", STR("1\ndata: x\n\n"), absent, STR(""),
		STR("id: 1data: x\ndata: \n\n")},
	    {"forged type", absent, STR("a\r\nid: 1\r\0"), STR(""),
		STR("event: aid: 1\ndata: \n\n")},
	    {"nothing safe", STR("\0\n"), STR("\r\n"), STR("x"),
		STR("data: x\n\n")},
	    {"ill-formed UTF-8", STR("\xc0"), STR("a\xe2\n\x82\xac"),
		STR("\xe2\n\x82\xac"),
		STR("id: \xef\xbf\xbd\n"
		    "event: a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n"
		    "data: \xef\xbf\xbd\ndata: \xef\xbf\xbd\xef\xbf\xbd\n\n")},
	};
	struct buf b;

	buf_init(&b, PARSER_MAX);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		const struct frame *f = &frames[i];
		buf_clear(&b);
		sse_event(&b, f->id, f->type, f->data);
		is_str(buf_str(&b), f->want, f->name);
		ok(sse_parser_agrees(f->id, f->type, f->data, i),
		    "%s: comes back", f->name);
	}
	buf_free(&b);
}

/* Every prefix of the texts, none of which may be read behind its end. */
static void
test_prefixes(void)
{
	struct str s = STR("a\r\nb\n\rc\0\xe2\x82\xac\xf0\x9f\x98\r");
	bool good = true;

	for (size_t n = 0; n <= s.n; n++) {
		struct str cut = flush_copy(str_n(s.p, n));
		good = good && sse_parser_agrees(cut, cut, cut, n);
	}
	ok(good, "every prefix comes back");
}

static void
test_random(void)
{
	static const char bytes[] = "\r\n\0 :a\t\xef\xbb\xbf\xe2\x82\xac\xff"
				    "data: id";
	uint32_t random = 2026;
	bool good = true;

	for (int i = 0; i < 20000 && good; i++) {
		char text[24];
		size_t a, b;
		for (size_t j = 0; j < sizeof text; j++)
			text[j] = bytes[next_random(&random) % sizeof bytes];
		a = next_random(&random) % sizeof text;
		b = a + next_random(&random) % (sizeof text - a);
		good = sse_parser_agrees(str_n(text, a), str_n(text + a, b - a),
		    str_n(text + b, sizeof text - b), next_random(&random));
	}
	ok(good, "random events come back");
}

static void
test_large(void)
{
	struct buf b;

	buf_init(&b, PARSER_MAX);
	for (int i = 0; i < 100000; i++)
		buf_addz(&b, "line\r\n\r");
	ok(sse_parser_agrees(absent, absent, buf_str(&b), 1000),
	    "many lines come back");
	buf_free(&b);
}

static void
test_rest(void)
{
	struct buf b;

	buf_init(&b, 100);
	sse_retry(&b, 4294967295u);
	is_str(buf_str(&b), STR("retry: 4294967295\n"), "retry");
	buf_clear(&b);
	sse_comment(&b, STR(""));
	is_str(buf_str(&b), STR(":\n"), "empty comment");
	buf_clear(&b);
	sse_comment(&b, STR("wait\n\ndata: x\r"));
	is_str(buf_str(&b), STR(":waitdata: x\n"), "a comment is one line");
	buf_clear(&b);
	sse_event(&b, absent, absent,
	    STR("123456789 123456789 123456789 "
		"123456789 123456789 123456789 "
		"123456789 123456789 123456789 "));
	ok(!b.failed, "a frame that fits");
	sse_event(&b, absent, absent, STR("x"));
	ok(b.failed, "a frame that does not fit");
	buf_free(&b);
}

int
main(void)
{
	test_judge();
	test_judge_long_comments();
	test_judge_state();
	test_event();
	test_prefixes();
	test_random();
	test_large();
	test_rest();
	return done();
}
