#ifndef WIRE_RECORDS_H
#define WIRE_RECORDS_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes, as they come, cut into records: each ends with the delimiter, which
 * is no part of it; the last one may lack it. Everything else is kept, CR and
 * NUL too. With an empty delimiter all the bytes are one record, even none.
 */
struct records {
	struct str delimiter; /* borrowed */
	size_t max;           /* bytes of a record */
	uint64_t nr;          /* of the record given last, from 1 */
	/* private */
	struct buf held;
	size_t at;      /* where the next record begins */
	size_t scanned; /* the delimiter does not begin before here */
	bool ended, skipping, given;
};

enum records_next {
	RECORDS_MORE, /* add bytes, or say that they ended */
	RECORDS_ONE,
	RECORDS_LONG, /* the next one is too long; it is passed over */
	RECORDS_END,
};

void records_init(struct records *r, struct str delimiter, size_t max);
void records_free(struct records *r);

/* Take more bytes, copied. 0, or -1 out of memory. */
int records_add(struct records *r, const char *p, size_t n);

/* No more bytes will come. */
void records_end(struct records *r);

/*
 * The next record, which is valid until the next call of any of these. Records
 * should be taken until RECORDS_MORE before bytes are added: then no more than
 * a record and what was added last is held.
 */
enum records_next records_next(struct records *r, struct str *record);

/* Where what (not empty) first stands in s, at `from` or later; s.n if not. */
size_t records_find(struct str s, struct str what, size_t from);

#endif
