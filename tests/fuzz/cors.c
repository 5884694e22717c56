#include "wire/cors.h"

#include "wire/chars.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static size_t
lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

/* No byte of an origin begins a line of its own, and only its own is named. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"https://a", "b://c:1"};
	struct str s = size == 0 ? STR("") : str_n(data, size);
	struct cors two = {names, 2};
	bool named = cors_names(&two, s);
	struct buf b;

	check(!cors_is_origin(s) ||
	    (chars_span(s, chars_is_visible) == s.n && s.n > 4));
	check(!named || s.n == strlen(names[0]) || s.n == strlen(names[1]));
	buf_init(&b, 4096);
	cors_add(&b, &two, s);
	check(!b.failed && lines(&b) == (named ? 4 : 1));
	buf_free(&b);
	return 0;
}
