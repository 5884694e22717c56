#ifndef APP_PUBLISH_H
#define APP_PUBLISH_H

#include "app/publish_queue.h"
#include "base/opt.h"
#include "io/redis.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Messages into streams, over one connection that is opened on demand:
 * pipelined XADD, each reply checked, in the order of publish_add. When the
 * connection is lost with messages unconfirmed, the streams are read back
 * from the last confirmed id: what is there (by its mid) counts as stored and
 * the rest is sent again, so that nothing is lost or doubled. While Redis
 * refuses writes (OOM, READONLY, BUSY and the like) they are tried again.
 * What becomes of a message is told through its publish_fn (publish_queue.h).
 */

/* How much of a stream is kept; 0 for no limit. */
struct publish_keep {
	uint64_t maxlen;
	int64_t maxage_ms; /* by this host's clock */
	int64_t ttl_ms;    /* of the whole stream after its last message */
	bool maxlen_about, maxage_about; /* `~`: trim cheaply */
	bool has_maxlen;                 /* maxlen may be 0 */
};

/* --maxlen [~]N, --maxage [~]DUR, --ttl DUR; their base is publish_keep. */
extern const struct opt publish_keep_opts[];

/* How long a once key is remembered: by default, and at most. */
#define PUBLISH_ONCE_MS ((int64_t)24 * 3600 * 1000)
#define PUBLISH_ONCE_MAX_MS ((int64_t)10 * 365 * 24 * 3600 * 1000)

/* Strings are borrowed. */
struct publish_conf {
	const struct redis_conf *redis;
	struct str prefix; /* key = prefix + channel */
	struct str field;  /* of the payload */
	struct publish_keep keep;
	size_t batch;       /* most messages unconfirmed; at least 1 */
	size_t batch_bytes; /* about as many bytes of them */
	/*
	 * How long a message may wait for others to leave with it, while
	 * earlier ones are unconfirmed; the first leaves at once.
	 */
	int64_t linger_ms;
	int64_t once_ms; /* how long a once key is remembered */
	bool no_create;  /* a missing stream is not made */
};

/* Each may be NULL. */
struct publish_events {
	/* There is room again, after publish_add gave 1. */
	void (*room)(void *arg);
	/* Every message has had its publish_fn, and nothing is under way. */
	void (*idle)(void *arg);
	/* The connection was lost, or a write is refused; tried again. */
	void (*trouble)(void *arg, const char *why);
};

struct publish {
	struct ev_loop *loop;
	const struct publish_conf *conf;
	const struct publish_events *events;
	void *arg;
	/* private */
	struct redis redis;
	struct publish_queue queue;
	struct publish_msg *unsent; /* none before it is */
	struct publish_stream *untrimmed;
	size_t trimming; /* replies to come */
	size_t reading;  /* streams being read back */
	bool recovering; /* after a loss; nothing is sent meanwhile */
	void (*read_back)(struct publish *p); /* is called after that */
	bool full, busy;                      /* room, idle are to be called */
	bool told;                            /* of this trouble */
	long long writer;                     /* client id of what is UNSURE */
	/* A write was refused: nothing is sent until all have been answered. */
	enum redis_trouble refused;
	ev_tstamp trouble_since; /* 0: none since the last one stored */
	struct backoff backoff;
	struct ev_timer flush, retry;
	struct buf args; /* struct str, of the command being made */
	char why[512];
};

/* conf, events and arg are borrowed. */
void publish_init(struct publish *p, struct ev_loop *loop,
    const struct publish_conf *conf, const struct publish_events *events,
    void *arg);

/*
 * Close the connection and free; messages still held get no publish_fn.
 * Harmless when zeroed. Not from a publish_fn or an event.
 */
void publish_free(struct publish *p);

/*
 * Store m: its channel (which must pass msg_channel_ok), data, event, mid,
 * key, and of its fields those with the role MSG_HEADER (fields may be NULL).
 * One without a mid gets one. All is copied. 0: taken. 1: taken, but add no
 * more until `room`. -1: out of memory, not taken.
 */
int publish_add(
    struct publish *p, const struct msg *m, publish_fn *fn, void *arg);

/*
 * The same, unless one with that once key was stored in its channel within
 * once_ms: then nothing is, and the result is that of the first one, whose id
 * is told (EVAL). Which of two comes first Redis decides.
 */
int publish_add_once(struct publish *p, const struct msg *m, struct str key,
    publish_fn *fn, void *arg);

/* Do not wait for others (linger_ms) with what was added so far. */
void publish_flush(struct publish *p);

/*
 * Call no publish_fn with this arg any more, as its owner goes away; the
 * messages go their way.
 */
void publish_forget(struct publish *p, const void *arg);

/* Messages that have not had their publish_fn. */
size_t publish_pending(const struct publish *p);

#endif
