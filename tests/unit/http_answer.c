#include "wire/http_answer.h"

#include "tap.h"

enum { NOW = 1788256800 }; /* Tue, 01 Sep 2026 10:00:00 GMT */

#define DATE "Date: Tue, 01 Sep 2026 10:00:00 GMT\r\nConnection: close\r\n"

static void
test_head(void)
{
	struct buf b;

	buf_init(&b, 1000);
	http_begin(&b, 200, NOW);
	http_add(&b, "Content-Type", STR("text/event-stream"));
	http_add(&b, "X-Accel-Buffering", STR("no"));
	http_end(&b);
	is_str(buf_str(&b),
	    STR("HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/event-stream\r\n"
		"X-Accel-Buffering: no\r\n\r\n"),
	    "a head");
	buf_clear(&b);
	http_add(&b, "A", STR("b\r\nC: d\0\x7f\te\xc3\xa4"));
	is_str(buf_str(&b), STR("A: bC: d\te\xc3\xa4\r\n"),
	    "a value ends at the end of its line");
	buf_free(&b);
}

static void
test_reasons(void)
{
	static const int statuses[] = {100, 200, 202, 204, 400, 401, 403, 404,
	    405, 406, 408, 411, 413, 414, 415, 417, 421, 429, 431, 500, 501,
	    502, 503, 504, 505};

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		ok(http_reason(statuses[i])[0] != '\0', "%d", statuses[i]);
	is_str(str_c(http_reason(299)), STR(""), "none of ours");
}

int
main(void)
{
	test_head();
	test_reasons();
	return done();
}
