#ifndef IO_REPLY_H
#define IO_REPLY_H

#include "base/str.h"

#include <stddef.h>

/*
 * Replies of Redis: a borrowed tree, valid during the callback that gets it.
 */

struct redis_reply;

enum redis_type { REDIS_NIL, REDIS_INT, REDIS_TEXT, REDIS_ARRAY, REDIS_ERROR };

/* r may be NULL: NIL, 0, absent and empty come back. */
enum redis_type redis_type(const struct redis_reply *r);
long long redis_int(const struct redis_reply *r);
struct str redis_text(const struct redis_reply *r); /* TEXT or ERROR */
size_t redis_len(const struct redis_reply *r);      /* elements of an ARRAY */
const struct redis_reply *redis_at(const struct redis_reply *r, size_t i);

/* The value after name in a flat name-value ARRAY (XINFO), or NULL. */
const struct redis_reply *redis_get(
    const struct redis_reply *r, const char *name);

/* What an error reply means for whoever sent the command. */
enum redis_trouble {
	REDIS_FINE,      /* not an error */
	REDIS_LOST,      /* no reply: the connection is gone */
	REDIS_DOWN,      /* LOADING MASTERDOWN CLUSTERDOWN BUSY TRYAGAIN */
	REDIS_READONLY,  /* a replica */
	REDIS_FULL,      /* OOM, MISCONF, NOREPLICAS: writes are refused */
	REDIS_DENIED,    /* NOAUTH NOPERM WRONGPASS */
	REDIS_WRONGTYPE, /* the key holds something else */
	REDIS_REFUSED,   /* any other error */
};

enum redis_trouble redis_trouble(const struct redis_reply *r);

/* Room for a line about a reply. */
enum { REDIS_WHY = 256 };

/*
 * The text of an error reply, cut to fit; `connection lost` for NULL,
 * `unexpected reply` for anything else. Returns out.
 */
const char *redis_why(char out[REDIS_WHY], const struct redis_reply *r);

#endif
