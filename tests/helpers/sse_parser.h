#ifndef SSE_PARSER_H
#define SSE_PARSER_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/*
 * What a browser makes of an event stream (WHATWG HTML 9.2.6): the judge of
 * the frames that are sent.
 */
struct sse_parser {
	/* type is "message" unless the event has one. */
	void (*dispatch)(
	    void *arg, struct str type, struct str data, struct str last_id);
	void *arg;
	bool began;    /* the first line, which may have a BOM, is over */
	bool after_cr; /* an LF now belongs to the line before */
	struct buf line, data, type, id;
	struct buf last_id;
	uint64_t retry_ms; /* 0: not told */
};

void sse_parser_init(struct sse_parser *sp,
    void (*dispatch)(
	void *arg, struct str type, struct str data, struct str last_id),
    void *arg);
void sse_parser_free(struct sse_parser *sp);

/* The next bytes of the stream, cut anywhere. */
void sse_parser_feed(struct sse_parser *sp, struct str s);

/*
 * An event as bytes that tell any two of them apart, to be compared with what
 * was to be expected.
 */
void sse_parser_note(
    struct buf *notes, struct str type, struct str data, struct str last_id);

/*
 * Does sse_event write a frame of which, between two others and fed in two
 * pieces cut at cut, exactly id, type and data come back? Line ends become LF,
 * ill-formed UTF-8 U+FFFD; id and type lose CR, LF and NUL and leave things as
 * they are when nothing remains.
 */
bool sse_parser_agrees(
    struct str id, struct str type, struct str data, size_t cut);

#endif
