#include "app/frame_batch.h"
#include "core/filter.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGES = 6 };

static struct msg msgs[MESSAGES];
static struct frame_batch batch;

static void
fill(void)
{
	static const char *const types[MESSAGES] = {
	    "a", "b", NULL, "a", "c", ""};
	static char texts[MESSAGES][4];

	for (unsigned i = 0; i < MESSAGES; i++) {
		snprintf(texts[i], sizeof texts[i], "m%u", i % 10);
		msgs[i] = (struct msg){.id = {i + 1, 0},
		    .has_id = true,
		    .channel = STR("room"),
		    .ts_ms = i + 1,
		    .data = str_c(texts[i]),
		    .event = str_c(types[i])};
	}
}

static struct str
add(uint64_t serial, enum frame_style style, struct str filter,
    struct frame_slice *slice)
{
	struct frame_look look = {style, filter, NULL};

	*slice = frame_batch_add(&batch, serial, &look, msgs, MESSAGES);
	return slice->nmarks > 0 ? frame_batch_bytes(&batch, slice) : STR("");
}

static const struct str all = {NULL, 0};

#define A STR("id: 1-0\nevent: a\ndata: m0\n\n")
#define B STR("id: 2-0\nevent: b\ndata: m1\n\n")
#define AA                                    \
	STR("id: 1-0\nevent: a\ndata: m0\n\n" \
	    "id: 4-0\nevent: a\ndata: m3\n\n")

/* ---- Batches ---- */

static void
test_filter(void)
{
	struct frame_slice s;

	frame_batch_init(&batch);
	is_str(add(1, FRAME_SSE, STR("a\0"), &s), AA, "those of a type");
	is_int((long long)s.nmarks, 2, "have a mark each");
	is_str(add(1, FRAME_SSE, STR("b\0"), &s), B, "those of another");
	is_str(add(1, FRAME_SSE, STR("message\0"), &s),
	    STR("id: 3-0\ndata: m2\n\nid: 6-0\ndata: m5\n\n"),
	    "those without a type");
	is_str(add(1, FRAME_SSE, STR("x\0"), &s), STR(""), "none");
	is_int((long long)s.nmarks, 0, "has no marks");
	is_str(add(1, FRAME_NDJSON, STR("b\0"), &s),
	    STR("{\"channel\":\"room\",\"id\":\"2-0\",\"ts\":2,\"event\":"
		"\"b\",\"data\":\"m1\"}\n"),
	    "as an envelope");
	batch.type = STR("b");
	frame_batch_clear(&batch, 0);
	is_str(add(2, FRAME_SSE, STR("b\0"), &s),
	    STR("id: 2-0\nevent: b\ndata: m1\n\n"
		"id: 3-0\nevent: b\ndata: m2\n\n"
		"id: 6-0\nevent: b\ndata: m5\n\n"),
	    "with a type for those without one");
	is_str(add(2, FRAME_SSE, STR("message\0"), &s), STR(""),
	    "which is then theirs");
	frame_batch_free(&batch);
}

static void
add_cursor(const void *arg, struct buf *b, struct id id)
{
	buf_addf(b, "%s%u", (const char *)arg, (unsigned)id.ms);
}

static void
test_cursors(void)
{
	struct frame_cursors mine = {add_cursor, "x"},
			     yours = {add_cursor, "y"};
	struct frame_look look = {FRAME_SSE, all, &mine};
	struct frame_slice s;

	frame_batch_init(&batch);
	s = frame_batch_add(&batch, 1, &look, msgs, 1);
	is_str(frame_batch_bytes(&batch, &s),
	    STR("id: x1\nevent: a\ndata: m0\n\n"), "a cursor of its own");
	look.cursors = &yours;
	ok(!frame_batch_has(&batch, 1, &look, msgs, 1), "is not for others");
	s = frame_batch_add(&batch, 1, &look, msgs, 1);
	is_str(frame_batch_bytes(&batch, &s),
	    STR("id: y1\nevent: a\ndata: m0\n\n"), "who have theirs");
	look.style = FRAME_NDJSON;
	s = frame_batch_add(&batch, 1, &look, msgs, 1);
	is_str(frame_batch_bytes(&batch, &s),
	    STR("{\"channel\":\"room\",\"id\":\"1-0\",\"ts\":1,\"event\":\"a\","
		"\"data\":\"m0\",\"cursor\":\"y1\"}\n"),
	    "beside the id of an envelope");
	look = (struct frame_look){FRAME_ENVELOPES, all, NULL};
	s = frame_batch_add(&batch, 1, &look, msgs, 1);
	is_str(frame_batch_bytes(&batch, &s),
	    STR("id: 1-0\nevent: a\ndata: {\"channel\":\"room\","
		"\"id\":\"1-0\",\"ts\":1,\"event\":\"a\",\"data\":\"m0\"}\n\n"),
	    "an envelope as an event");
	frame_batch_free(&batch);
}

/* What is there is not formatted once more, whatever came in between. */
static void
test_sharing(void)
{
	static const struct frame_look looks[] = {
	    {FRAME_SSE, {NULL, 0}, NULL},
	    {FRAME_NDJSON, {NULL, 0}, NULL},
	    {FRAME_SSE, {"a", 2}, NULL},
	    {FRAME_NDJSON, {"a", 2}, NULL},
	    {FRAME_SSE, {"a\0b", 4}, NULL},
	    {FRAME_SSE, {"b", 2}, NULL},
	    /* All that there are. */
	    {FRAME_SSE, {"a\0b\0c\0message", 14}, NULL},
	};
	enum { LOOKS = sizeof looks / sizeof *looks };
	struct frame_slice first[LOOKS], again;
	struct str one, other;
	size_t bytes;

	frame_batch_init(&batch);
	for (size_t i = 0; i < LOOKS; i++)
		add(1, looks[i].style, looks[i].filter, &first[i]);
	bytes = batch.bytes.n;
	for (size_t i = 0; i < LOOKS; i++) {
		add(1, looks[i].style, looks[i].filter, &again);
		ok(memcmp(&again, &first[i], sizeof again) == 0,
		    "look %zu is there", i);
	}
	is_int((long long)batch.bytes.n, (long long)bytes, "nothing is added");
	ok(memcmp(&first[0], &first[LOOKS - 1], sizeof *first) == 0,
	    "who filters nothing out shares with who has no filter");
	one = add(2, FRAME_SSE, all, &again);
	other = frame_batch_bytes(&batch, &first[0]);
	ok(again.from != first[0].from, "another batch is another");
	is_str(one, other, "even of the same bytes");
	frame_batch_free(&batch);
}

/* More filters than are remembered: all right, but formatted again. */
static void
test_many(void)
{
	char set[4] = "a";
	struct frame_slice s;
	int bad = 0;

	frame_batch_init(&batch);
	for (int turn = 0; turn < 3; turn++) {
		for (char c = 'd'; c <= 'z'; c++) {
			set[2] = c;
			bad |=
			    !str_eq(add(1, FRAME_SSE, str_n(set, 4), &s), AA);
		}
	}
	ok(!bad, "many filters get what is theirs");
	s = frame_batch_add(&batch, 1,
	    &(struct frame_look){FRAME_SSE, {"a", 2}, NULL}, msgs, 1);
	is_str(frame_batch_bytes(&batch, &s), A,
	    "fewer messages are another batch");
	frame_batch_free(&batch);
}

/* A short write ends in a frame of those that are wanted. */
static void
test_marks(void)
{
	struct frame_slice s;
	struct frame_mark last;
	int bad = 0;

	frame_batch_init(&batch);
	add(1, FRAME_NDJSON, all, &s);
	add(1, FRAME_SSE, STR("a\0"), &s);
	for (size_t n = 0; n <= AA.n; n++) {
		size_t begun = frame_batch_begun(&batch, &s, n, &last);
		bool second = n > A.n;
		bad |= begun != (second ? 2 : 1) ||
		    last.id.ms != (second ? 4 : 1) ||
		    last.end != s.from + (second ? AA.n : A.n);
	}
	ok(!bad, "marks are those of the frames");
	frame_batch_free(&batch);
}

/* ---- Our own ---- */

static void
is_frame(struct buf *b, struct str sse, const char *name)
{
	is_str(buf_str(b), sse, name);
	buf_clear(b);
}

static void
test_own(void)
{
	struct gap gap = {.reason = GAP_TRIMMED,
	    .after = {1, 0},
	    .first = {7, 0},
	    .resume = {6, 9},
	    .certain = true,
	    .has_lost = true,
	    .lost = 3};
	struct buf b;

	buf_init(&b, 1000);
	frame_cursor(&b, FRAME_SSE, STR("chat-open"), STR("a\"b"), STR("1-0"),
	    STR("1-0"));
	is_frame(&b,
	    STR("id: 1-0\nevent: chat-open\n"
		"data: {\"channels\":[\"a\\\"b\"],\"cursor\":\"1-0\"}\n\n"),
	    "a cursor");
	frame_cursor(&b, FRAME_NDJSON, STR("chat-live"), STR("a"), STR("1-0"),
	    STR("1-0"));
	is_frame(&b,
	    STR("{\"channel\":\"a\",\"id\":\"1-0\",\"event\":\"chat-live\","
		"\"data\":\"{\\\"channels\\\":[\\\"a\\\"],"
		"\\\"cursor\\\":\\\"1-0\\\"}\"}\n"),
	    "as an envelope");
	frame_cursor(&b, FRAME_SSE, STR("chat-open"), STR("a\0b"), STR("c4x"),
	    STR("c4x"));
	is_frame(&b,
	    STR("id: c4x\nevent: chat-open\n"
		"data: {\"channels\":[\"a\",\"b\"],\"cursor\":\"c4x\"}\n\n"),
	    "of several channels");
	frame_cursor(&b, FRAME_NDJSON, STR("chat-open"), STR("a\0b"),
	    STR("c4x"), STR("c4x"));
	is_frame(&b,
	    STR("{\"id\":\"c4x\",\"event\":\"chat-open\","
		"\"data\":\"{\\\"channels\\\":[\\\"a\\\",\\\"b\\\"],"
		"\\\"cursor\\\":\\\"c4x\\\"}\"}\n"),
	    "which is of no single one");
	frame_cursor(
	    &b, FRAME_SSE, STR("chat-open"), STR("a"), STR("db:1"), STR("1-0"));
	is_frame(&b,
	    STR("id: db:1\nevent: chat-open\n"
		"data: {\"channels\":[\"a\"],\"cursor\":\"1-0\"}\n\n"),
	    "which the client does not have yet");
	frame_cursor(&b, FRAME_NDJSON, STR("chat-open"), STR("a"), str_c(NULL),
	    STR("1-0"));
	is_frame(&b,
	    STR("{\"channel\":\"a\",\"event\":\"chat-open\","
		"\"data\":\"{\\\"channels\\\":[\\\"a\\\"],"
		"\\\"cursor\\\":\\\"1-0\\\"}\"}\n"),
	    "nor any other");
	frame_gap(&b, FRAME_SSE, STR("a"), STR("6-9"), &gap);
	is_frame(&b,
	    STR("id: 6-9\nevent: chat-gap\n"
		"data: {\"channel\":\"a\",\"reason\":\"trimmed\",\"after\":"
		"\"1-0\",\"first\":\"7-0\",\"lost\":3,\"certain\":true}\n\n"),
	    "a gap");
	frame_gap(&b, FRAME_SSE, STR("a"), str_c(NULL),
	    &(struct gap){GAP_HISTORY, .after = {1, 0}});
	is_frame(&b,
	    STR("event: chat-gap\ndata: {\"channel\":\"a\","
		"\"reason\":\"history\",\"certain\":false}\n\n"),
	    "a gap elsewhere");
	frame_beat(&b, FRAME_SSE, STR("tick"), STR("a"), STR("1-0"), 1234);
	is_frame(&b,
	    STR("id: 1-0\nevent: tick\n"
		"data: {\"cursor\":\"1-0\",\"time\":1234}\n\n"),
	    "a heartbeat");
	frame_beat(&b, FRAME_NDJSON, STR("tick"), STR("a"), all, 0);
	is_frame(&b,
	    STR("{\"channel\":\"a\",\"event\":\"tick\","
		"\"data\":\"{\\\"cursor\\\":null,\\\"time\\\":0}\"}\n"),
	    "one without a cursor, as an envelope");
	frame_retry(&b, FRAME_NDJSON, 5);
	frame_idle(&b, FRAME_NDJSON, STR(" text"));
	is_frame(&b, STR("\n"), "silence as an envelope");
	frame_retry(&b, FRAME_SSE, 5);
	frame_idle(&b, FRAME_SSE, STR(" text"));
	is_frame(&b, STR("retry: 5\n: text\n"), "silence");
	buf_free(&b);
}

int
main(void)
{
	fill();
	test_filter();
	test_cursors();
	test_sharing();
	test_many();
	test_marks();
	test_own();
	return done();
}
