#include "wire/cursor.h"

#include "wire/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Of a key, of a 64-bit number and of the check. */
enum { KEY_MIN = 4, KEY_MAX = 9, NUMBER_MAX = 11, CHECK = 4 };

/* RFC 4648 section 5 */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The digits that a hash begins with, as a number. */
static uint64_t
leading(uint64_t hash, unsigned digits)
{
	return hash >> (64 - 6 * digits);
}

struct cursor_part
cursor_part_of(struct str channel)
{
	return (struct cursor_part){.key = str_hash(channel)};
}

static int
by_key(const void *a, const void *b)
{
	uint64_t x = (*(struct cursor_part *const *)a)->key;
	uint64_t y = (*(struct cursor_part *const *)b)->key;

	return (x > y) - (x < y);
}

void
cursor_sort(struct cursor_part **parts, size_t n)
{
	if (n > 1)
		qsort(parts, n, sizeof(struct cursor_part *), by_key);
}

/* ---- Writing ---- */

static void
add_digits(struct buf *b, uint64_t v, unsigned n)
{
	while (n-- > 0)
		buf_addc(b, alphabet[v >> 6 * n & 63]);
}

static void
add_number(struct buf *b, uint64_t v)
{
	unsigned n = 1;

	while (n < NUMBER_MAX && v >> 6 * n != 0)
		n++;
	add_digits(b, v, n);
}

static void
add_entry(struct buf *b, const struct cursor_part *p, unsigned width)
{
	add_digits(b, leading(p->key, width), width);
	add_number(b, p->id.ms);
	if (p->id.seq != 0) {
		buf_addc(b, '.');
		add_number(b, p->id.seq);
	}
	buf_addc(b, '~');
}

static void
add_check(struct buf *b, size_t start)
{
	struct str text = str_from(buf_str(b), start);

	add_digits(b, leading(str_hash(text), CHECK), CHECK);
}

/* Are the i-th and the one after it the same in so many digits? */
static bool
is_twin(struct cursor_part *const *parts, size_t n, size_t i, unsigned width)
{
	return i + 1 < n &&
	    leading(parts[i]->key, width) == leading(parts[i + 1]->key, width);
}

/* What is the same in its first digits stands together. */
static bool
is_alone(struct cursor_part *const *parts, size_t n, size_t i, unsigned width)
{
	return !is_twin(parts, n, i, width) &&
	    (i == 0 || !is_twin(parts, n, i - 1, width));
}

/* Digits that tell all keys apart, if so many do. */
static unsigned
key_width(struct cursor_part *const *parts, size_t n)
{
	unsigned width = KEY_MIN;

	for (size_t i = 0; i < n; i++)
		while (width < KEY_MAX && is_twin(parts, n, i, width))
			width++;
	return width;
}

bool
cursor_is_foreign(struct str s)
{
	return s.n > 0 && s.n <= CURSOR_FOREIGN_MAX && utf8_is_line(s) &&
	    str_trim(s).n == s.n;
}

void
cursor_format(struct buf *b, struct cursor_part *const *parts, size_t n)
{
	unsigned width = key_width(parts, n);
	size_t start = b->n;
	char id[ID_TEXT];

	if (n == 1 && parts[0]->known) {
		buf_add(b, id, id_format(id, parts[0]->id));
		return;
	}
	buf_addc(b, 'c');
	buf_addu(b, width);
	for (size_t i = 0; i < n; i++)
		if (parts[i]->known && is_alone(parts, n, i, width))
			add_entry(b, parts[i], width);
	add_check(b, start);
}

/* ---- Reading ---- */

static int
read_digits(struct str s, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = memchr(alphabet, s.p[i], 64);
		if (digit == NULL || *v >> 58 != 0)
			return -1;
		*v = *v << 6 | (uint64_t)(digit - alphabet);
	}
	return s.n > 0 ? 0 : -1;
}

static int
read_number(struct str s, uint64_t *v)
{
	if (s.n > 1 && s.p[0] == alphabet[0])
		return -1;
	return read_digits(s, v);
}

static int
read_id(struct str s, struct id *id)
{
	struct str seq, ms = str_cut(s, '.', &seq);

	id->seq = 0;
	if (read_number(ms, &id->ms) != 0)
		return -1;
	if (seq.p == NULL)
		return 0;
	return read_number(seq, &id->seq) == 0 && id->seq != 0 ? 0 : -1;
}

/* Entries, and the parts that they are for: both ascend. */
struct reading {
	struct str left;
	unsigned width;
	uint64_t least; /* that the next key may be */
	struct cursor_part *const *parts;
	size_t n;
};

static void
put(struct reading *r, uint64_t key, struct id id)
{
	while (r->n > 0 && leading(r->parts[0]->key, r->width) < key) {
		r->parts++;
		r->n--;
	}
	if (r->n == 0 || leading(r->parts[0]->key, r->width) != key ||
	    is_twin(r->parts, r->n, 0, r->width))
		return;
	r->parts[0]->id = id;
	r->parts[0]->known = true;
}

static int
read_entry(struct reading *r)
{
	struct str s = str_cut(r->left, '~', &r->left);
	struct id id;
	uint64_t key;

	if (r->left.p == NULL || s.n <= r->width ||
	    read_digits(str_n(s.p, r->width), &key) != 0 || key < r->least ||
	    read_id(str_from(s, r->width), &id) != 0)
		return -1;
	r->least = key + 1;
	put(r, key, id);
	return 0;
}

static int
read_entries(struct reading r)
{
	while (r.left.n > 0)
		if (read_entry(&r) != 0)
			return -1;
	return 0;
}

/*
 * cursor = id / several
 * several = "c" width *(entry "~") check
 * width = "4" / "5" / "6" / "7" / "8" / "9"  ; digits of a key
 * entry = key ms ["." seq]                   ; keys ascend, seq is not 0
 * key = 4*9digit                             ; of the hash of the name
 * ms = number
 * seq = number
 * number = digit / nonzero 1*10digit         ; less than 2^64
 * check = 4digit                             ; of the hash of all before it
 * digit = ALPHA / DIGIT / "-" / "_"          ; RFC 4648 section 5
 *
 * A hash is FNV-1a of 64 bits, of which come the highest first. Another form
 * will have another letter.
 */
int
cursor_parse(struct str s, struct cursor_part *const *parts, size_t n)
{
	struct reading r = {.parts = parts};
	uint64_t check;

	if (n == 1 && id_parse(s, &parts[0]->id) == 0) {
		parts[0]->known = true;
		return 0;
	}
	if (s.n < 2 + CHECK || s.p[0] != 'c' || s.p[1] < '0' + KEY_MIN ||
	    s.p[1] > '0' + KEY_MAX)
		return -1;
	r.width = (unsigned)(s.p[1] - '0');
	s.n -= CHECK;
	r.left = str_from(s, 2);
	if (read_digits(str_n(s.p + s.n, CHECK), &check) != 0 ||
	    check != leading(str_hash(s), CHECK) || read_entries(r) != 0)
		return -1;
	r.n = n;
	return read_entries(r);
}
