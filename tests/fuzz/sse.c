#include "wire/sse.h"

#include "../helpers/sse_parser.c"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes: the lengths of id and type, and where the stream is cut. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s, id, type;

	if (size < 3)
		return 0;
	s = str_n(data + 3, size - 3);
	id = str_n(s.p, data[0] < s.n ? data[0] : s.n);
	s = str_from(s, id.n);
	type = str_n(s.p, data[1] < s.n ? data[1] : s.n);
	s = str_from(s, type.n);
	if (!sse_parser_agrees(id, type, s, data[2]))
		abort();
	return 0;
}
