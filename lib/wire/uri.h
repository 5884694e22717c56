#ifndef WIRE_URI_H
#define WIRE_URI_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* Parts of URIs (RFC 3986): authorities, percent-encoded text, queries. */

/*
 * Is s `host[:port]` (3.2) with a host that is not empty? Userinfo is not
 * taken, nor the comma, which would make two hosts of one field.
 */
bool uri_is_authority(struct str s);

/*
 * The length of the `http://authority` or `https://authority` (any case) that
 * s begins with, or 0.
 */
size_t uri_origin_len(struct str s);

/* Does every '%' in s begin an escape of two hex digits, other than %00? */
bool uri_escapes_ok(struct str s);

/*
 * Decode %XX once and append; plus says that '+' is a space (in a query). 0,
 * or -1 for a bad escape, NUL or ill-formed UTF-8 afterwards (b is then as
 * before), or when the buffer has failed.
 */
int uri_decode(struct buf *b, struct str s, bool plus);

/*
 * Walk a query or a form: *rest is cut after the next `name=value` part,
 * whose raw halves are given (value absent without '='). Empty parts are
 * passed over. false at the end.
 */
bool uri_param(struct str *rest, struct str *name, struct str *value);

#endif
