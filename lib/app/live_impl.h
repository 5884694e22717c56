#ifndef APP_LIVE_IMPL_H
#define APP_LIVE_IMPL_H

/* What the parts of app/live share, and nobody else. */

#include "app/live.h"

/* ---- live.c: reading ---- */

/* Send what is to be sent next, as far as can be. */
void live_step(struct live *l);

/* Of those that are read when they have changed: it has. */
void live_make_due(struct live *l, struct topic *t);

/* ---- live_head.c: where each topic is, and what comes behind ---- */

/* Ask for the newest id, unless that is under way. */
void live_ask_head(struct topic *t);

/* The read that goes on behind it broke. The second argument is not used. */
void live_lose_head(struct topic *t, const void *arg);

/*
 * A read has brought these entries: hand them to the members, or make sure
 * first that they follow the head. 0, or -1 when they are not entries.
 */
int live_take(struct topic *t, const struct redis_reply *list);

/* The error r is of this topic. */
void live_say_trouble(struct topic *t, const struct redis_reply *r);

#endif
