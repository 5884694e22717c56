#include "app/health.h"

#include <string.h>

/* Who asks is a machine with a time limit of its own. */
#define PATIENCE_S 2.

static void
answer(struct health *h, bool ready)
{
	ev_timer_stop(h->hub->loop, &h->late);
	if (!ready) {
		client_refuse_now(h->client, "Redis does not answer");
		return;
	}
	client_answer(h->client,
	    &(struct client_answer){.status = 200,
		.body = STR("ready\n"),
		.fields = (struct client_field[]){
		    {"Cache-Control", STR("no-store")}, {NULL, {NULL, 0}}}});
}

static void
on_pong(void *arg, bool answers)
{
	answer(arg, answers);
}

static void
on_late(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct health *h = w->data;

	(void)loop;
	(void)revents;
	hub_unping(&h->ping);
	answer(h, false);
}

void
health_start(struct health *h, struct client *c, struct hub *hub)
{
	memset(h, 0, sizeof(*h));
	h->client = c;
	h->hub = hub;
	h->ping.fn = on_pong;
	h->ping.arg = h;
	ev_timer_init(&h->late, on_late, PATIENCE_S, 0.);
	h->late.data = h;
	ev_timer_start(hub->loop, &h->late);
	/* It may call at once. */
	hub_ping(hub, &h->ping);
}

void
health_stop(struct health *h)
{
	if (h->hub == NULL)
		return;
	ev_timer_stop(h->hub->loop, &h->late);
	hub_unping(&h->ping);
}
