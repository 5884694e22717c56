#ifndef APP_PUBLISH_QUEUE_H
#define APP_PUBLISH_QUEUE_H

#include "io/redis.h"
#include "wire/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- What becomes of a message ---- */

enum publish_end {
	PUBLISH_STORED,
	PUBLISH_MISSING, /* no_create, and there is no such stream */
	PUBLISH_REFUSED, /* by Redis, for good: see trouble */
	/* Redis as a whole: away or not ready for too long, or DENIED. */
	PUBLISH_FAILED,
	/*
	 * As FAILED, but it had been sent and no reply came: it may have been
	 * stored all the same.
	 */
	PUBLISH_UNSURE,
};

struct publish_result {
	enum publish_end end;
	enum redis_trouble trouble; /* REDIS_FINE when stored */
	const char *why;            /* a line for people; NULL when stored */
	bool before; /* stored, but before, as another with its once key */
};

/*
 * What became of a message; called once for each, in the order in which they
 * were added, never from within publish_add. m is borrowed: it is what was
 * added, with its mid, and if stored its id and ts_ms. (has_id is false when
 * it was read back as stored, but has been trimmed meanwhile.)
 */
typedef void publish_fn(
    void *arg, const struct msg *m, const struct publish_result *res);

/*
 * ---- Inside of app/publish: the messages taken and not yet reported, in
 * order, the streams that they go to, and what is known about each. Nothing is
 * sent or read here. ----
 */

struct publish;

enum publish_state {
	PUBLISH_UNSENT,  /* certainly not stored */
	PUBLISH_SENT,    /* the reply is to come */
	PUBLISH_LOST,    /* the connection was lost before the reply */
	PUBLISH_SETTLED, /* stored or given up; to be reported in its turn */
	PUBLISH_STATES,
};

/* Kept while it is referred to; some are kept for longer. */
struct publish_stream {
	struct publish_queue *queue;
	struct publish *owner;
	struct str key, channel; /* owned; channel is the end of key */
	size_t refs;
	/*
	 * Every message confirmed has an id up to the floor, every message
	 * SENT or LOST will turn out to have one above it.
	 */
	struct id floor;
	bool known;     /* the floor */
	bool asked;     /* for it */
	bool blind;     /* reading is not permitted */
	bool reading;   /* it is being read back, by pages of */
	uint64_t count; /* entries */
	bool untrimmed; /* in the publisher's list: */
	struct publish_stream *next_untrimmed;
};

struct publish_msg {
	struct publish_msg *next;
	struct publish_stream *stream;
	enum publish_state state;
	publish_fn *fn;
	void *arg;
	struct publish_result result;
	char *why;       /* owned: of the result */
	struct str once; /* owned: the key that remembers it; absent: none */
	size_t bytes;    /* of names and values */
	struct msg m;    /* owned: behind the fields */
	struct msg_field fields[];
};

struct publish_queue {
	struct publish_msg *head, **tail;
	size_t n[PUBLISH_STATES]; /* by state */
	size_t bytes;             /* in all */
	void *streams;            /* a tree */
	size_t nstreams;
	struct publish *owner;
	char run[9];     /* random, of this run's mids */
	uint64_t serial; /* of the last mid made */
};

void publish_queue_init(struct publish_queue *q, struct publish *owner);
void publish_queue_free(struct publish_queue *q);

/*
 * Copy m to the end of the queue, UNSENT. Its key is prefix and the channel,
 * field is that of the payload. NULL when out of memory.
 */
struct publish_msg *publish_queue_add(struct publish_queue *q,
    struct str prefix, struct str field, const struct msg *m);

/* Messages that are not SETTLED, and all. */
size_t publish_queue_open(const struct publish_queue *q);
size_t publish_queue_len(const struct publish_queue *q);

void publish_queue_set(
    struct publish_queue *q, struct publish_msg *pm, enum publish_state state);

/* It was stored under that id; NULL: under one that cannot be known. */
void publish_queue_stored(
    struct publish_queue *q, struct publish_msg *pm, const struct id *id);

/* It was given up; why is copied. */
void publish_queue_given_up(struct publish_queue *q, struct publish_msg *pm,
    enum publish_end end, enum redis_trouble trouble, struct str why);

/*
 * An entry of the stream, above its floor, read back in order. If it is one of
 * the messages LOST, then that one was stored, and those before it, too: they
 * were sent before it on one connection, and if they have not been seen they
 * were trimmed meanwhile.
 */
void publish_queue_found(struct publish_queue *q, struct publish_stream *s,
    struct str mid, struct id id);

/* Take the first message off if it is SETTLED; else NULL. */
struct publish_msg *publish_queue_shift(struct publish_queue *q);

void publish_msg_free(struct publish_msg *pm);

void publish_stream_hold(struct publish_stream *s);
void publish_stream_release(struct publish_stream *s);

#endif
