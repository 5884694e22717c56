#ifndef WIRE_HTTP_ANSWER_H
#define WIRE_HTTP_ANSWER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Answers of HTTP/1.x (RFC 9112). */

/* The reason phrase of a status that this server sends, or "". */
const char *http_reason(int status);

/*
 * Append `HTTP/1.1 STATUS reason` and Date (now_s, Unix seconds); header
 * lines are added by the caller, and the blank line by http_end. The
 * connection always closes: `Connection: close` is among the lines. Control
 * characters in a value are dropped: nothing can end its line early.
 */
void http_begin(struct buf *b, int status, int64_t now_s);
void http_add(struct buf *b, const char *name, struct str value);
void http_end(struct buf *b);

#endif
