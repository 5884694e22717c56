#ifndef APP_HEALTH_H
#define APP_HEALTH_H

#include "app/client.h"
#include "app/hub.h"

/* Are we ready to serve: does Redis let us in and answer? */

struct health {
	struct client *client;
	struct hub *hub;
	struct hub_ping ping;
	struct ev_timer late;
};

/*
 * Ask the Redis of that hub, and answer 200 or, if it does not answer in time,
 * 503. All is borrowed.
 */
void health_start(struct health *h, struct client *c, struct hub *hub);

/* Harmless when zeroed. */
void health_stop(struct health *h);

#endif
