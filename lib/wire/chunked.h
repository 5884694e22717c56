#ifndef WIRE_CHUNKED_H
#define WIRE_CHUNKED_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The body of a request in the chunked coding (RFC 9112 7.1). */

enum {
	CHUNKED_OVERHEAD_MAX = 4096, /* bytes of extensions and trailers */
	CHUNKED_DIGITS_MAX = 16,     /* of a chunk's size */
};

/* Zero the struct before the first call. */
struct chunked {
	int state;
	unsigned digits; /* of the size being read */
	uint64_t left;   /* bytes of the current chunk still to come */
	size_t overhead; /* bytes of extensions and trailers so far */
};

/*
 * Take up to n bytes at p; what is payload is appended to body, whose failure
 * means a body larger than its maximum. Returns the bytes taken (fewer than n
 * only when the body has ended), or -1 when malformed. *done says whether the
 * end of the last chunk's trailers was seen. Extensions and trailers are
 * ignored, within their bound.
 */
long chunked_take(
    struct chunked *c, const char *p, size_t n, struct buf *body, bool *done);

#endif
