#ifndef WIRE_FORWARDED_H
#define WIRE_FORWARDED_H

#include "wire/http.h"

#include <stddef.h>

/* X-Forwarded-For: who asked the proxy that asks us. */

/* Room for an address, with its NUL. */
enum { FORWARDED_TEXT = 46 };

/*
 * The address that s is, in its usual spelling (RFC 5952) and without a port:
 * `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`, the first and the last of them
 * also with `:PORT`. An IPv4 address that is mapped into IPv6 is one of IPv4.
 * Its length, or 0 if s is none.
 */
size_t forwarded_address(char out[FORWARDED_TEXT], struct str s);

/*
 * The last address of the last such line: the one that the nearest proxy has
 * put there, while anybody may have sent those before. Its length, or 0 if
 * there is none.
 */
size_t forwarded_for(char out[FORWARDED_TEXT], const struct http_request *r);

#endif
