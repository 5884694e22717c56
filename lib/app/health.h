#ifndef APP_HEALTH_H
#define APP_HEALTH_H

#include "app/client.h"
#include "io/redis.h"

/* Are we ready to serve: does Redis let us in and answer? */

struct health;

/*
 * Ask over a connection of its own, and answer 200 or 503. redis and c are
 * borrowed. NULL out of memory, which has been answered.
 */
struct health *health_start(struct client *c, const struct redis_conf *redis);

/* NULL is harmless. */
void health_free(struct health *h);

#endif
