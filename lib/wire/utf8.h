#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* Well-formed UTF-8 (RFC 3629: no overlong form, no surrogate)? */
bool utf8_valid(struct str s);

/* The same, and without control characters (C0, DEL, C1)? */
bool utf8_is_line(struct str s);

/*
 * The bytes (1 to 4) of the well-formed sequence that s begins with, or 0.
 */
size_t utf8_len(struct str s);

/*
 * Append s with U+FFFD for each maximal ill-formed part (WHATWG Encoding,
 * UTF-8 decode).
 */
void utf8_add_lossy(struct buf *b, struct str s);

#endif
