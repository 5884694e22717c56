#ifndef FAKE_REDIS_H
#define FAKE_REDIS_H

#include "base/str.h"
#include "fake_stream.h"

#include <ev.h>
#include <stdbool.h>

/*
 * A Redis for fuzzing, in the process and on the loop of what is tested: one
 * stream, and a script of what is said instead of the next replies. Bytes that
 * are no command are not forgiven: abort(3).
 */

enum { FAKE_SCRIPT = 64 };

struct fake_redis {
	struct ev_loop *loop;
	char path[64]; /* of its socket */
	struct ev_io listen;
	struct fake_client *clients;
	struct fake_stream stream;
	/* Borrowed. Each replaces the reply to one command. */
	struct str script[FAKE_SCRIPT];
	size_t nscript, at;
	long long last_client;
};

/* Listen on a socket of its own, which is removed when the process exits. */
void fake_start(struct fake_redis *f, struct ev_loop *loop);

/* As it was at the start, without a client. */
void fake_reset(struct fake_redis *f);

/* Store an entry, and tell who waits for it. Strings are borrowed. */
void fake_add(struct fake_redis *f, struct str type, struct str data);

/*
 * For the next command: `>` and a reply in RESP, `-` and an error, `~` for no
 * reply at all, `!` for the end of the connection.
 */
void fake_say(struct fake_redis *f, struct str record);

/* End all connections; no script any more. */
void fake_cut(struct fake_redis *f);

#endif
