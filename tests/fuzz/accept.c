#include "wire/accept.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* What stands in front as an element of its own changes nothing. */
static unsigned
weight_behind(const char *front, struct str field)
{
	struct buf b;
	unsigned weight;

	buf_init(&b, 100 + field.n);
	buf_addz(&b, front);
	buf_adds(&b, field);
	check(!b.failed);
	weight = accept_weight(buf_str(&b), STR("a/b"));
	buf_free(&b);
	return weight;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str field = size == 0 ? STR("") : str_n(data, size);
	unsigned weight = accept_weight(field, STR("a/b"));

	check(weight <= 1000);
	check(weight_behind("c/d;q=0.9;x=\"\\\",\", ", field) == weight);
	check(weight_behind("a/b;q=2,", field) == weight);
	check(weight_behind("a/b,", field) == 1000);
	return 0;
}
