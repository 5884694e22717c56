#ifndef APP_CHANGES_H
#define APP_CHANGES_H

#include "io/redis.h"

/*
 * Being told by Redis which keys change that another connection, the reader,
 * has read (CLIENT TRACKING, redirected to a subscribed connection, which is
 * the way of RESP2). A key is told once, until the reader reads it again: so
 * nothing is missed between a read and the next.
 */

struct changes_events {
	/*
	 * From now on changes are told, or no longer. What changed before, or
	 * meanwhile, is not known.
	 */
	void (*on)(void *arg);
	void (*off)(void *arg);
	/* This key changed; absent: any may have (FLUSHALL). */
	void (*key)(void *arg, struct str key);
	/* These were all for now. */
	void (*told)(void *arg);
	/* The reader has a command to answer: if it is blocked, end that. */
	void (*asked)(void *arg);
};

struct changes {
	const struct changes_events *events;
	void *arg;
	struct redis *reader;
	/* private */
	struct redis watch;
	bool on;
	bool subscribing; /* and not yet answered */
	bool refused;
	unsigned asked; /* CLIENT TRACKING, not yet answered */
};

/* All is borrowed. reader need not be connected. */
void changes_init(struct changes *c, struct ev_loop *loop,
    const struct redis_conf *conf, struct redis *reader,
    const struct changes_events *events, void *arg);

/* Let it be told, unless Redis has refused to. Any number of times. */
void changes_want(struct changes *c);

/* The reader has lost its connection; also the end. `off` does not follow. */
void changes_close(struct changes *c);

#endif
