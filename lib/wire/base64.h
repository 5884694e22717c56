#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/buf.h"
#include "base/str.h"

/* Append s in base64 with padding (RFC 4648 4). */
void base64_encode(struct buf *b, struct str s);

/*
 * Append the bytes that the base64 text s stands for; padding is required and
 * unused bits must be zero. 0, or -1 when s is malformed (b is then as before).
 */
int base64_decode(struct buf *b, struct str s);

#endif
