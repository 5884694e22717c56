#include "wire/id.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* There is one spelling of an id, the one that is written. */
static void
text(struct str s)
{
	struct id id, same;
	char out[ID_TEXT];

	if (id_parse(s, &id) == 0) {
		size_t n = id_format(out, id);
		check(n < sizeof out && out[n] == '\0');
		check(str_eq(str_n(out, n), s));
		check(id_parse_short(s, 7, &same) == 0 && id_eq(id, same));
	} else if (id_parse_short(s, 7, &id) == 0) {
		check(id.seq == 7 && str_find(s, '-') == s.n);
		size_t n = id_format(out, id);
		check(str_starts(str_n(out, n), s) && out[s.n] == '-');
	}
}

static void
value(struct id id)
{
	struct id back, next = id_next(id), prev = id_prev(id);
	char out[ID_TEXT];
	size_t n = id_format(out, id);

	check(id_parse(str_n(out, n), &back) == 0 && id_eq(id, back));
	check(id_eq(id, ID_MAX) ? id_eq(next, id) : id_cmp(id, next) < 0);
	check(id_eq(id, ID_MIN) ? id_eq(prev, id) : id_cmp(prev, id) < 0);
	check(id_eq(id, ID_MAX) || id_eq(id_prev(next), id));
	check(id_eq(id, ID_MIN) || id_eq(id_next(prev), id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct id id;

	text(str_n(data, size));
	if (size >= sizeof id) {
		memcpy(&id, data, sizeof id);
		value(id);
	}
	return 0;
}
