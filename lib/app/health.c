#include "app/health.h"

#include <stdlib.h>

struct health {
	struct client *client;
	struct redis_conf conf;
	struct redis redis;
};

static void
on_pong(void *arg, const struct redis_reply *r)
{
	struct health *h = arg;

	if (redis_trouble(r) != REDIS_FINE) {
		client_refuse_now(h->client, "Redis is not ready");
		return;
	}
	client_answer(h->client,
	    &(struct client_answer){.status = 200,
		.body = STR("ready\n"),
		.fields = (struct client_field[]){
		    {"Cache-Control", STR("no-store")}, {NULL, {NULL, 0}}}});
}

static void
on_ready(void *arg)
{
	struct health *h = arg;

	redis_sendz(&h->redis, on_pong, h, "PING");
}

/* An answer that was given before is not changed by it. */
static void
on_lost(void *arg, const char *why)
{
	struct health *h = arg;

	(void)why;
	client_refuse_now(h->client, "Redis is not available");
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	(void)trouble;
	on_lost(arg, why);
}

struct health *
health_start(struct client *c, const struct redis_conf *redis)
{
	static const struct redis_events events = {
	    on_ready, on_lost, on_failed, NULL};
	struct health *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		client_refuse_now(c, "out of memory");
		return NULL;
	}
	h->client = c;
	h->conf = *redis;
	h->conf.retry_ms = 0;
	redis_init(&h->redis, c->conn.loop, &h->conf, &events, h, false);
	redis_open(&h->redis);
	return h;
}

void
health_free(struct health *h)
{
	if (h == NULL)
		return;
	redis_close(&h->redis);
	free(h);
}
