#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/buf.h"
#include "base/str.h"

/*
 * Frames of the event stream format (WHATWG HTML 9.2). All functions append
 * whole frames; a frame left out of its blank line is one that must not
 * dispatch anything.
 */

/*
 * One event: `id:` and `event:` unless absent or empty, a `data: ` line for
 * each line of data (CR, LF and CRLF all split; empty data is one `data: `; a
 * trailing newline survives), a blank line. data must not be absent. CR, LF
 * and NUL are dropped from id and type, which are left out if nothing else is
 * in them: an empty id would clear the client's cursor. Ill-formed UTF-8
 * becomes U+FFFD.
 */
void sse_event(struct buf *b, struct str id, struct str type, struct str data);

/*
 * `retry: N` without a blank line: it becomes part of the frame that follows.
 * (Clients exist that turn a block of only retry or id into an empty message.)
 */
void sse_retry(struct buf *b, unsigned ms);

/*
 * A comment line `:TEXT` without a blank line; text may be empty. CR, LF and
 * NUL are dropped from it.
 */
void sse_comment(struct buf *b, struct str text);

#endif
