#include "app/changes.h"

#include "base/num.h"

#include <string.h>

static const char channel[] = "__redis__:invalidate";

static void
refuse(struct changes *c)
{
	c->refused = true;
	redis_close(&c->watch);
}

static void
on_tracking(void *arg, const struct redis_reply *r)
{
	struct changes *c = arg;

	/* For a connection that is no more: the next one asks anew. */
	if (--c->asked > 0 || c->subscribing || c->watch.state != REDIS_READY)
		return;
	if (redis_type(r) == REDIS_ERROR) {
		refuse(c);
	} else if (r != NULL) {
		c->on = true;
		c->events->on(c->arg);
	}
}

static void
start_tracking(struct changes *c)
{
	char id[NUM_TEXT];
	struct str argv[] = {STR("CLIENT"), STR("TRACKING"), STR("ON"),
	    STR("REDIRECT"),
	    str_n(id, num_format(id, (uint64_t)c->watch.client_id))};

	if (redis_send(c->reader, on_tracking, c, 0, 5, argv) != 0)
		return;
	c->asked++;
	c->events->asked(c->arg);
}

static void
on_ready(void *arg)
{
	struct changes *c = arg;

	c->subscribing = redis_subscribe(&c->watch, channel) == 0;
}

static void
on_lost(void *arg, const char *why)
{
	struct changes *c = arg;
	bool on = c->on;

	(void)why;
	c->on = c->subscribing = false;
	if (on)
		c->events->off(c->arg);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	(void)trouble;
	on_lost(arg, why);
}

/* [message, channel, [key...]]; all keys are meant by none at all. */
static void
on_push(void *arg, const struct redis_reply *r)
{
	struct changes *c = arg;
	const struct redis_reply *keys = redis_at(r, 2);

	if (redis_type(r) == REDIS_ERROR) {
		refuse(c);
		return;
	}
	if (str_eq(redis_text(redis_at(r, 0)), STR("subscribe"))) {
		if (c->subscribing)
			start_tracking(c);
		c->subscribing = false;
		return;
	}
	if (redis_type(keys) == REDIS_NIL)
		c->events->key(c->arg, str_c(NULL));
	for (size_t i = 0; i < redis_len(keys); i++)
		c->events->key(c->arg, redis_text(redis_at(keys, i)));
	c->events->told(c->arg);
}

void
changes_init(struct changes *c, struct ev_loop *loop,
    const struct redis_conf *conf, struct redis *reader,
    const struct changes_events *events, void *arg)
{
	static const struct redis_events watch_events = {
	    on_ready, on_lost, on_failed, on_push};

	memset(c, 0, sizeof(*c));
	c->events = events;
	c->arg = arg;
	c->reader = reader;
	redis_init(&c->watch, loop, conf, &watch_events, c, true);
}

void
changes_want(struct changes *c)
{
	if (!c->refused)
		redis_open(&c->watch);
}

/* Another connection may be allowed what this one was not. */
void
changes_close(struct changes *c)
{
	c->on = c->subscribing = c->refused = false;
	redis_close(&c->watch);
}
