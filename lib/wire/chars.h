#ifndef WIRE_CHARS_H
#define WIRE_CHARS_H

#include "base/str.h"

#include <stdbool.h>

/* Classes of bytes in the grammars of HTTP and URIs. */

bool chars_is_digit(char c);
bool chars_is_alnum(char c);

/* VCHAR: printable ASCII but for the space (RFC 5234 B.1). */
bool chars_is_visible(char c);

/* tchar: a byte of a token, such as a method or field name (RFC 9110 5.6.2). */
bool chars_is_token(char c);

/* A byte of a field value: HTAB, SP, VCHAR or obs-text (RFC 9110 5.5). */
bool chars_is_text(char c);

/* Is c, not NUL, in the C string set? */
bool chars_has(const char *set, char c);

/* How many bytes of that class s begins with. */
size_t chars_span(struct str s, bool (*is_member)(char));

#endif
