#include "wire/records.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * The first byte is the size of the pieces, the second the length of the
 * delimiter, which follows. However the rest is split into pieces, records
 * joined by the delimiter are the input.
 */
static struct str
cut(struct buf *out, struct str input, struct str delimiter, size_t piece)
{
	struct records r;
	struct str rec;
	enum records_next next;

	buf_clear(out);
	records_init(&r, delimiter, input.n);
	while ((next = records_next(&r, &rec)) != RECORDS_END) {
		size_t n = input.n < piece ? input.n : piece;
		if (next == RECORDS_LONG)
			abort();
		if (next == RECORDS_ONE && r.nr > 1)
			buf_adds(out, delimiter);
		if (next == RECORDS_ONE)
			buf_adds(out, rec);
		else if (n == 0)
			records_end(&r);
		else
			records_add(&r, input.p, n);
		if (next == RECORDS_MORE)
			input = str_from(input, n);
	}
	records_free(&r);
	return buf_str(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n(data, size), delimiter, joined;
	struct buf out;
	size_t piece, n;

	if (s.n < 2 || (n = (size_t)(data[1] % 4)) > s.n - 2)
		return 0;
	piece = (size_t)data[0] + 1;
	delimiter = str_n(s.p + 2, n);
	s = str_from(s, 2 + n);
	buf_init(&out, s.n + n);
	joined = cut(&out, s, delimiter, piece);
	/* The delimiter at the very end is not told from none. */
	if (joined.n < s.n)
		buf_adds(&out, delimiter);
	if (!str_eq(buf_str(&out), s))
		abort();
	buf_free(&out);
	return 0;
}
