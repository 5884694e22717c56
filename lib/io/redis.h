#ifndef IO_REDIS_H
#define IO_REDIS_H

#include "base/buf.h"
#include "base/str.h"
#include "core/backoff.h"
#include "io/reply.h"
#include "wire/url.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to Redis on the event loop: it connects, authenticates,
 * selects, watches for silence and reconnects with back-off, for ever or for
 * as long as the caller allows. Redis going away is a state, not an error.
 */

/* Where, as whom and how patiently. Strings are borrowed. */
struct redis_conf {
	struct url url;
	const char *name;   /* CLIENT SETNAME, or NULL */
	int64_t timeout_ms; /* connect, AUTH and every reply */
	int64_t retry_ms;   /* how long to keep connecting; NUM_INF */
};

enum redis_state {
	REDIS_CLOSED,  /* not wanted */
	REDIS_WAITING, /* for the next try */
	REDIS_TRYING,  /* connecting, authenticating */
	REDIS_READY,
};

/*
 * What happened to the connection as a whole. why is a line for people
 * (`connect unix:/run/redis.sock: No such file or directory`).
 */
struct redis_events {
	/* Commands may be sent (and may be sent from within). */
	void (*ready)(void *arg);
	/*
	 * It was lost, or a try failed; a next try follows by itself. All
	 * commands sent have had their callback with NULL before.
	 */
	void (*lost)(void *arg, const char *why);
	/*
	 * No next try follows: retry_ms have passed (trouble REDIS_LOST or
	 * REDIS_DOWN), or the password was refused (REDIS_DENIED) or the
	 * database (REDIS_REFUSED). The state is CLOSED.
	 */
	void (*failed)(void *arg, enum redis_trouble trouble, const char *why);
	/*
	 * After redis_subscribe: [kind, channel, value], with kind `subscribe`
	 * when it holds, and `message`; or an error, if it does not. The reply
	 * may have any other form. May be NULL for who does not subscribe.
	 */
	void (*pushed)(void *arg, const struct redis_reply *r);
};

typedef void redis_fn(void *arg, const struct redis_reply *r);

struct redis {
	struct ev_loop *loop;
	const struct redis_conf *conf;
	const struct redis_events *events;
	void *arg;
	enum redis_state state;
	long long client_id; /* of this connection; 0 unknown */
	/* private */
	struct redisAsyncContext *ac;
	struct ev_io rio, wio;
	struct ev_prepare turn; /* writes what was sent in this turn */
	struct ev_timer retry, watchdog;
	struct backoff backoff;
	ev_tstamp down_since;     /* begin of this outage; 0 when up */
	struct redis_call *calls; /* ring of the commands not answered yet */
	size_t head, ncalls, cap;
	unsigned greeting; /* replies to come before READY */
	struct buf cmd;
	const char *channel; /* subscribed to, or NULL */
	bool heard;          /* something came, since we last asked for it */
	bool wants_id;
	bool writing, blocks; /* what hiredis calls us for */
	char where[128];
	char why[REDIS_WHY + 128];
};

/*
 * conf, events and arg are borrowed. wants_id: ask for CLIENT ID, so that
 * client_id can be used to unblock this connection from another.
 */
void redis_init(struct redis *r, struct ev_loop *loop,
    const struct redis_conf *conf, const struct redis_events *events, void *arg,
    bool wants_id);

/* Connect and stay connected. Does nothing unless CLOSED. */
void redis_open(struct redis *r);

/*
 * Drop the connection; pending callbacks are called with NULL, `lost` is not.
 * May be called from any callback. After redis_close nothing is left to free.
 */
void redis_close(struct redis *r);

/*
 * Drop the connection and make a new one, as if it had been lost.
 */
void redis_restart(struct redis *r, const char *why);

/*
 * Send one command; fn gets its reply, or NULL when the connection was lost
 * first. block_ms: the time that the command itself may take on the server
 * (XREAD BLOCK); the watchdog waits that much longer, and it is written when
 * nothing else is left to do. The arguments are copied. 0, or -1 when not READY
 * (fn is then not called).
 */
int redis_send(struct redis *r, redis_fn *fn, void *arg, int64_t block_ms,
    size_t argc, const struct str *argv);

/* The same for words known at compile time: redis_sendz(r, fn, a, "EXEC"). */
int redis_sendz(struct redis *r, redis_fn *fn, void *arg, const char *word);

/*
 * SUBSCRIBE to a channel (static), for as long as this connection lasts; no
 * commands may be sent on it any more. 0, or -1 when not READY.
 */
int redis_subscribe(struct redis *r, const char *channel);

#endif
