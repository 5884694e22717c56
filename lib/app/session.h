#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "app/access.h"
#include "app/client.h"
#include "app/health.h"
#include "app/permit.h"
#include "app/post.h"
#include "app/route.h"
#include "app/stream.h"

/*
 * One HTTP client from its first byte to its last: the head of the one request
 * that it may make, and what answers it. Any number may live on one loop.
 */

/* What the sessions of a process share; all is borrowed. */
struct session_env {
	struct ev_loop *loop;
	struct stats *stats;
	const struct access *access;
	struct permit_conf permit;
	struct route_conf routes;
	struct stream_conf stream;
	struct post_conf post;
	const char *page; /* path of the file for `/`, or NULL */
	/* Answers what is asked of the server as a whole (route_conf.stats). */
	void (*report)(void *arg, struct client *c, const struct route *r);
	void *report_arg;
	int64_t request_ms; /* for the whole of a request's head */
	int64_t stall_ms;   /* for a client that takes nothing */
	bool stopping;      /* the process is: it is not ready */
};

struct session_events {
	/*
	 * A proxy has said who the client is, before anything is answered
	 * (access.trust_forwarded). May be NULL; may drop the client.
	 */
	void (*peer)(void *arg);
	void (*ended)(void *arg);
};

enum session_phase {
	SESSION_HEAD,   /* reading it */
	SESSION_ASKING, /* a command whether it may be answered */
	SESSION_POST,
	SESSION_STREAM,
	SESSION_READY, /* asking Redis */
	SESSION_OTHER, /* answered, or about to be */
};

struct session {
	const struct session_env *env;
	const struct session_events *events;
	void *arg;
	struct client client;
	enum session_phase phase;
	bool no_more;          /* the client has said all, while asking */
	struct permit *permit; /* while asking, or until it expires; or NULL */
	unsigned declined_ms;  /* see session_decline; 0: it is not */
	unsigned ended_ms;
	const char *ended;   /* static: why, see session_end; NULL: it is not */
	double began;        /* Unix time, s */
	struct str peer;     /* owned; absent for none */
	struct str channels; /* likewise, with a NUL between any two */
	union {
		struct buf head; /* so far, or with what follows */
		struct stream stream;
		struct post *post; /* owned: streams need less */
		struct health health;
	} as;
};

/*
 * Serve the client that is read from rfd and written to wfd, which may be the
 * same and stay open. `ended` is the last event; session_free may be called
 * from it, and the descriptors be closed. env and events are borrowed.
 */
void session_start(struct session *s, const struct session_env *env, int rfd,
    int wfd, const struct session_events *events, void *arg);

/* Harmless when zeroed. */
void session_free(struct session *s);

/*
 * End soon, at the end of an event; what is being stored or asked is still
 * answered.
 */
void session_stop(struct session *s);

/*
 * There are too many: a stream that is asked for is not begun, and the client
 * is to come back in so long. To be called before anything has been read, or
 * from `peer`.
 */
void session_decline(struct session *s, unsigned retry_ms);

/*
 * As session_stop, but a stream's client is to come back in so long, and a
 * request that is on its way is waited for.
 */
void session_end(struct session *s, unsigned retry_ms, const char *reason);

/* Add what the session has done so far. */
void session_tally(const struct session *s, struct stats *t);

/* Redis is away, or will not serve us at all (hub_events). */
void session_outage(struct session *s);
void session_refused(struct session *s);

#endif
