#ifndef WIRE_AUTH_H
#define WIRE_AUTH_H

#include "base/buf.h"
#include "wire/http.h"

#include <stdbool.h>
#include <stdint.h>

/* The token of a request: RFC 6750 (Bearer), RFC 6265 (cookies). */

/* The longest that is taken; more is malformed. */
enum { AUTH_TOKEN_MAX = 4096 };

/* Where it stands. Of several the first of these counts. */
enum auth_source {
	AUTH_NONE,
	AUTH_BEARER, /* Authorization: Bearer TOKEN */
	AUTH_KEY,    /* X-API-Key: TOKEN */
	AUTH_COOKIE,
	AUTH_QUERY, /* access_token=TOKEN, apikey=TOKEN */
};

/*
 * May s be a token wherever one may stand? It is a token68 (RFC 9110 11.2):
 * letters, digits and -._~+/ and then any number of =.
 */
bool auth_is_token68(struct str s);

/*
 * Is this value of Authorization for the scheme Bearer? Then *token is the rest
 * of it, whatever that is.
 */
bool auth_bearer(struct str value, struct str *token);

/*
 * How many cookies of that name there are in this value of Cookie; *value is
 * the last one's, without quotes.
 */
size_t auth_cookie(struct str cookies, struct str name, struct str *value);

/*
 * Find the token; cookie is the name of the one that may hold it, or absent.
 * It is appended to the buffer, decoded: visible ASCII. Nothing is, wherever it
 * stands, if it is malformed, or not the only one there.
 */
enum auth_source auth_find(
    const struct http_request *r, struct str cookie, struct buf *token);

/*
 * What a command that grants may print: nothing, which is without an end, or
 * `expires=SECONDS` of Unix time on a line. 0, and *expires_s is INT64_MAX for
 * no end; -1 if it is anything else.
 */
int auth_expiry(struct str text, int64_t *expires_s);

#endif
