#ifndef WIRE_URL_H
#define WIRE_URL_H

#include "base/buf.h"

/*
 * Where a Redis server is: `redis://[user[:pw]@]host[:port][/db]` or
 * `unix://[user[:pw]@]/path[?db=N]`, parts percent-encoded. An IPv6 address
 * stands in brackets.
 */
struct url {
	const char *path; /* of a unix socket, or NULL */
	const char *host; /* else */
	int port;
	int db;
	const char *user;     /* NULL: none */
	const char *password; /* NULL: none */
};

/*
 * Read text into u. The strings are kept in mem, an initialised buffer that
 * must outlive u and is used for nothing else. 0, or -1 and a reason in err
 * (which never holds the password).
 */
int url_parse(
    struct url *u, const char *text, struct buf *mem, struct buf *err);

/* Overwrite a password that stands in text with `x`. */
void url_blank(char *text);

#endif
