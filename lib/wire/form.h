#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include "base/buf.h"
#include "base/str.h"

/*
 * The body of a form (application/x-www-form-urlencoded, WHATWG URL 5.1): the
 * fields of a query, where '+' is a space. What a browser would repair is an
 * error.
 */

/*
 * Decode the next field, off which *rest is cut: name and value are replaced,
 * a value without '=' is empty. 1; 0 at the end; -1 for a bad escape, NUL or
 * ill-formed UTF-8, or what the buffers have no room for.
 */
int form_next(struct str *rest, struct buf *name, struct buf *value);

#endif
