#ifndef APP_PERMIT_H
#define APP_PERMIT_H

#include "app/access.h"
#include "core/ratelimit.h"
#include "io/command.h"

/* One request that a command is asked about, and how long its leave holds. */

struct permit_conf {
	struct command_pool *pool;
	const char *command;    /* borrowed; NULL: none is asked */
	struct ratelimit *told; /* of troubles, in the log */
};

enum permit_answer {
	PERMIT_GRANTED,
	PERMIT_REFUSED,
	PERMIT_UNSURE, /* the command did not say */
};

struct permit_events {
	void (*answered)(void *arg, enum permit_answer answer);
	/* What was granted has come to its end. */
	void (*expired)(void *arg);
};

struct permit {
	const struct permit_conf *conf;
	const struct permit_events *events;
	void *arg;
	struct command command;
	struct buf printed;
	struct ev_periodic expiry;
	bool expires;
};

/* What is asked about, all borrowed for the call. */
struct permit_request {
	const struct access *access;
	const struct http_request *req;
	struct str channels; /* with a NUL between any two; may be empty */
	struct str peer;     /* absent: none */
};

/*
 * Ask, in turn. 0, or -1: it cannot be asked, and no event follows. conf and
 * events are borrowed.
 */
int permit_start(struct permit *p, const struct permit_conf *conf,
    const struct permit_request *about, const struct permit_events *events,
    void *arg);

/* Once it has granted: does this come to an end? */
bool permit_expires(const struct permit *p);

/* Kill the command if it runs; nothing expires any more. */
void permit_stop(struct permit *p);

#endif
