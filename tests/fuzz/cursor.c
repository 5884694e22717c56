#include "wire/cursor.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 64, TEXT_MAX = 4096, RECORD = 25 };

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct reader {
	struct cursor_part part[MANY], *sorted[MANY];
	size_t n;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static void
add(struct reader *r, uint64_t key)
{
	r->part[r->n] = (struct cursor_part){.key = key};
	r->sorted[r->n] = &r->part[r->n];
	r->n++;
}

/* Bytes as they are: a cursor of one channel, or of several, or none. */
static void
text(struct str s)
{
	struct reader r = {.n = 0};
	bool taken, several = cursor_parse(s, NULL, 0) == 0;

	add(&r, 1);
	taken = cursor_parse(s, r.sorted, 1) == 0;
	check(taken || !r.part[0].known);
	check(!several || taken);
	check(!taken || several == (s.p[0] == 'c'));
}

/* The keys of a cursor that was taken; false: too many. */
static bool
ask_for_all(struct reader *r, struct str s)
{
	unsigned width = (unsigned)(s.p[1] - '0');
	struct str left = str_from(s, 2);

	while (left.n > 4 && r->n < MANY) {
		struct str entry = str_cut(left, '~', &left);
		uint64_t key = 0;
		for (unsigned i = 0; i < width; i++) {
			const char *at = memchr(alphabet, entry.p[i], 64);
			key = key << 6 | (uint64_t)(at - alphabet);
		}
		add(r, key << (64 - 6 * width));
	}
	cursor_sort(r->sorted, r->n);
	return left.n == 4;
}

/* For who asks for just the channels in it, there is no other spelling. */
static void
spelling(struct buf *b, struct str s)
{
	struct reader r = {.n = 0};

	if (cursor_parse(s, NULL, 0) != 0 || !ask_for_all(&r, s) || r.n == 1)
		return;
	check(cursor_parse(s, r.sorted, r.n) == 0);
	for (size_t i = 0; i < r.n; i++)
		check(r.part[i].known);
	cursor_format(b, r.sorted, r.n);
	/* Its writer may have had reason for longer keys. */
	check(b->p[1] < s.p[1] || str_eq(buf_str(b), s));
}

/* With the check that it should have, so that the rest is looked at. */
static void
body(struct str s)
{
	struct buf whole, again;

	buf_init(&whole, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	buf_adds(&whole, s);
	for (unsigned i = 0; i < 4; i++)
		buf_addc(&whole, alphabet[str_hash(s) >> (58 - 6 * i) & 63]);
	if (!whole.failed)
		spelling(&again, buf_str(&whole));
	buf_free(&whole);
	buf_free(&again);
}

static void
read_records(struct reader *r, const uint8_t *data, size_t size)
{
	for (; size >= RECORD && r->n < MANY; data += RECORD, size -= RECORD) {
		struct cursor_part *p = &r->part[r->n];
		uint64_t key;
		memcpy(&key, data + 1, sizeof key);
		add(r, key);
		memcpy(&p->id, data + 9, sizeof p->id);
		p->known = data[0] & 1;
	}
	cursor_sort(r->sorted, r->n);
}

static bool
has_twin(const struct reader *r, size_t i)
{
	for (size_t k = 0; k < r->n; k++)
		if (k != i && (r->part[k].key ^ r->part[i].key) >> 10 == 0)
			return true;
	return false;
}

/* What is written is read, in another order of the channels. */
static void
value(const struct reader *r)
{
	struct reader back = {.n = 0};
	struct buf b;

	buf_init(&b, TEXT_MAX);
	cursor_format(&b, r->sorted, r->n);
	check(!b.failed);
	for (size_t i = r->n; i-- > 0;)
		add(&back, r->part[i].key);
	cursor_sort(back.sorted, back.n);
	check(cursor_parse(buf_str(&b), back.sorted, back.n) == 0);
	for (size_t i = 0; i < r->n; i++) {
		const struct cursor_part *was = &r->part[i];
		const struct cursor_part *is = &back.part[r->n - 1 - i];
		check(is->known == (was->known && !has_twin(r, i)));
		check(!is->known || id_eq(is->id, was->id));
	}
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = {.n = 0};

	text(str_n(data, size));
	body(str_n(data, size));
	read_records(&r, data, size);
	value(&r);
	return 0;
}
