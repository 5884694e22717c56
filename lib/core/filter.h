#ifndef CORE_FILTER_H
#define CORE_FILTER_H

#include "base/buf.h"

#include <stdbool.h>

/*
 * A set of types of messages, as bytes: each type with a NUL behind it, in
 * ascending order, no two alike. So equal sets are equal bytes.
 */
enum { FILTER_TYPES_MAX = 64 };

/*
 * Put type into the set. 0, or -1: it is not one (empty, ill-formed UTF-8, CR,
 * LF or NUL in it), or there are too many, or set has failed.
 */
int filter_add(struct buf *set, struct str type);

bool filter_has(struct str set, struct str type);

#endif
