#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/str.h"
#include "wire/http_answer.h"

#include <stdbool.h>
#include <stdint.h>

/* Requests of HTTP/1.x (RFC 9112) as a server takes them, strict. */

enum {
	HTTP_LINE_MAX = 8192,  /* request line, else 414 */
	HTTP_HEAD_MAX = 16384, /* all of the head, else 431 */
	HTTP_FIELDS_MAX = 100, /* header lines, else 431 */
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
	HTTP_TRACE,
};

struct http_field {
	struct str name, value; /* value without surrounding white space */
};

struct http_request {
	enum http_method method;
	int minor;        /* 0 or 1; a higher minor version counts as 1 */
	struct str path;  /* raw, begins with '/'; "*" of OPTIONS * */
	struct str query; /* raw, after '?'; absent without one */
	bool has_body;    /* Content-Length > 0 or chunked */
	bool chunked;
	int64_t length; /* Content-Length, -1 when not given */
	bool expect;    /* Expect: 100-continue on HTTP/1.1 */
	struct http_field fields[HTTP_FIELDS_MAX]; /* in order */
	size_t nfields;
};

/*
 * Read a request head from the n bytes at p, which begin where the connection
 * began. > 0: bytes of the head, r is filled with views into p. 0: more bytes
 * are needed. < 0: -status with which to refuse it (-400, -414, -417, -431,
 * -501, -505); *why is then a short static text for the body of the answer.
 * The head is scanned anew at each call; the caller bounds the calls by time
 * and HTTP_HEAD_MAX bounds each.
 */
int http_request(
    struct http_request *r, const char *p, size_t n, const char **why);

const char *http_method_name(enum http_method method);

/* The first field of that name (any case), or absent. */
struct str http_field(const struct http_request *r, struct str name);

#endif
