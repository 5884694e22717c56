#ifndef WIRE_JSON_STRING_H
#define WIRE_JSON_STRING_H

#include "base/buf.h"
#include "base/str.h"

/*
 * The strings of JSON (RFC 8259 7), as UTF-8. An escape that stands for half
 * of a surrogate pair is malformed.
 */

/*
 * The bytes of the string that s, valid UTF-8, begins with, both quotes
 * included, or 0 when s does not begin with a well-formed one.
 */
size_t json_string_len(struct str s);

/*
 * Append what a raw string (without its quotes, of a valid text) stands for,
 * which is never longer; b must have room for raw.n bytes.
 */
void json_unescape(struct buf *b, struct str raw);

/*
 * Append s, valid UTF-8, as a JSON string with its quotes. Escaped are `"`,
 * `\`, controls (as \b \f \n \r \t or \u00XX), DEL, and U+2028 and U+2029.
 */
void json_quote(struct buf *b, struct str s);

#endif
