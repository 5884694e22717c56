#include "wire/chunked.h"

#include "base/str.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BODY_MAX = 1 << 20 };

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* The bytes of s taken in pieces of 1 to max bytes, or -1. */
static long
feed(struct str s, size_t max, struct buf *body, bool *done)
{
	struct chunked c = {0};
	long taken = 0;
	size_t i = 0;

	*done = false;
	while (s.n > 0 && !*done) {
		size_t size = 1 + i++ % max;
		size_t n = s.n < size ? s.n : size;
		long rc = chunked_take(&c, s.p, n, body, done);
		if (rc < 0)
			return -1;
		check((size_t)rc == n || (*done && (size_t)rc < n));
		taken += rc;
		s = str_from(s, n);
	}
	return taken;
}

/* The same comes out however the text is cut. */
static void
check_cuts(struct str s)
{
	struct buf whole, body;
	bool whole_done, done;
	struct chunked c = {0};
	long taken;

	buf_init(&whole, BODY_MAX);
	buf_init(&body, BODY_MAX);
	taken = chunked_take(&c, s.p, s.n, &whole, &whole_done);
	for (size_t max = 1; max < 8; max += 3) {
		buf_clear(&body);
		check(feed(s, max, &body, &done) == taken);
		check(taken < 0 || done == whole_done);
		check(str_eq(buf_str(&body), buf_str(&whole)));
	}
	buf_free(&whole);
	buf_free(&body);
}

/* What is written in chunks comes back. */
static void
check_written(struct str s)
{
	struct buf text, body;
	struct str rest = s;
	bool done;

	buf_init(&text, BODY_MAX * 8);
	buf_init(&body, BODY_MAX);
	for (size_t i = 1; rest.n > 0; i++) {
		size_t n = rest.n < i ? rest.n : i;
		buf_addf(&text, i % 2 == 0 ? "%zx\r\n" : "%02zX\r\n", n);
		buf_add(&text, rest.p, n);
		buf_addz(&text, "\r\n");
		rest = str_from(rest, n);
	}
	buf_addz(&text, "0\r\n\r\n");
	check(feed(buf_str(&text), 5, &body, &done) == (long)text.n && done);
	check(str_eq(buf_str(&body), s));
	buf_free(&text);
	buf_free(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = size == 0 ? STR("") : str_n(data, size);

	check_cuts(s);
	check_written(s);
	return 0;
}
