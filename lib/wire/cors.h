#ifndef WIRE_CORS_H
#define WIRE_CORS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Which pages of other origins may read an answer: the CORS protocol (Fetch
 * 3.2), with origins as in RFC 6454 6.2. The server refuses nothing for it: the
 * browser does.
 */

struct cors {
	/* Those that may, borrowed: cors_is_origin, or `*`, which is all. */
	const char *const *origins;
	size_t n;
};

/*
 * Is s `scheme://host[:port]`, such as a browser sends? `null` is not: it is
 * what every page sends that hides where it comes from.
 */
bool cors_is_origin(struct str s);

/* Was this origin named (and not only meant by `*`)? */
bool cors_names(const struct cors *c, struct str origin);

bool cors_allows(const struct cors *c, struct str origin);

/*
 * Append the lines for the head of each answer to a request of that origin, or
 * of none if it is absent. An origin that was named may send cookies.
 */
void cors_add(struct buf *b, const struct cors *c, struct str origin);

/* What a page may send, for the answer to a preflight. */
extern const char cors_methods[], cors_headers[], cors_max_age[];

#endif
