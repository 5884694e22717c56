#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/json_string.h"

#include <stdbool.h>

/*
 * A strict gate over a tokenizer: RFC 8259, UTF-8 without surrogates, bounded
 * depth. Nothing passes it that another conforming parser would refuse.
 */
enum { JSON_DEPTH_MAX = 64 };

/* The longest text that is taken, bytes. */
#define JSON_SIZE_MAX (256u << 20)

enum json_type {
	JSON_NULL,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* One value within the text; raw is borrowed from it. */
struct json {
	enum json_type type;
	struct str raw; /* as written; a string without its quotes */
};

/* Is s one JSON text, with nothing but white space around it? */
bool json_valid(struct str s);

/*
 * Take s apart one level deep: it must be a valid JSON text and an object.
 * member is called for each member in order, repeated names included; a
 * non-zero return ends the walk and is returned. -1 when s is not an object or
 * not valid, or memory is short (member has not been called then). key is raw
 * (json_unescape).
 */
int json_members(struct str s,
    int (*member)(void *arg, struct str key, struct json value), void *arg);

/* Append a valid JSON text without the white space between its tokens. */
void json_compact(struct buf *b, struct str s);

#endif
