#ifndef APP_SERVER_H
#define APP_SERVER_H

#include "app/peers.h"
#include "app/session.h"
#include "core/backoff.h"
#include "io/listen.h"
#include "io/notify.h"

/*
 * A session for each client that comes to a socket, as many as there may be,
 * and their end: each in its time, and all of them when the server stops.
 */

struct server_conf {
	const struct session_env *session;
	/*
	 * A stream of one client more than that, in all or from one address
	 * (0: no limit), is not begun: the client is told to come back later.
	 */
	uint64_t max_conns, max_conns_per_peer;
	/* A stream ends after 80 to 100 % of it; NUM_INF: it does not. */
	int64_t max_lifetime_ms;
	/* The time over which streams are ended; NUM_INF: they are not. */
	int64_t drain_ms;
};

struct server {
	struct ev_loop *loop;
	const struct server_conf *conf;
	void (*on_end)(void *arg);
	void *arg;
	struct listen listen;
	struct notify notify;
	struct peers peers;
	struct server_client *clients;
	size_t nclients;
	/* As the number of open files allows. */
	uint64_t max_conns, max_crowd;
	struct ev_timer drained;
	bool stopping;
};

/*
 * on_end: after server_stop, when the last client has gone; the server may be
 * freed then, but not from there. conf is borrowed.
 */
void server_init(struct server *s, struct ev_loop *loop,
    const struct server_conf *conf, void (*on_end)(void *arg), void *arg);

/* Once sockets were given to `listen`. */
void server_start(struct server *s);

/* conf has changed: it holds for who comes from now on. */
void server_reload(struct server *s);

/*
 * Accept no more than those who wait at our own sockets, and end the streams
 * behind an event, one by one over drain_ms. What is being stored or asked is
 * still answered.
 */
void server_stop(struct server *s);

/* Redis is away, or will not serve us at all (hub_events). */
void server_outage(struct server *s);
void server_refused(struct server *s);

/* Add what the clients that are connected have done so far. */
void server_tally(const struct server *s, struct stats *t);

/* Clients that are left are dropped. Harmless when zeroed. */
void server_free(struct server *s);

#endif
