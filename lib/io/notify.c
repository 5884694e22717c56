#include "io/notify.h"

#include "base/num.h"
#include "io/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATUS_S 1.

static void
on_status(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	const struct notify *n = w->data;
	char text[64];

	(void)loop;
	(void)revents;
	snprintf(text, sizeof(text), "STATUS=%zu client%s", n->clients,
	    n->clients == 1 ? "" : "s");
	sock_notify(text);
}

static void
on_alive(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	(void)loop;
	(void)w;
	(void)revents;
	sock_notify("WATCHDOG=1");
}

/* How often to be alive, s; 0: nobody asks (sd_watchdog_enabled(3)). */
static double
watchdog_interval(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t us, to = (uint64_t)getpid();

	if (num_u64(str_c(getenv("WATCHDOG_USEC")), &us) != 0 ||
	    (pid != NULL && num_u64(str_c(pid), &to) != 0) ||
	    to != (uint64_t)getpid())
		return 0.;
	return (double)us / 1e6 / 2.;
}

void
notify_init(struct notify *n, struct ev_loop *loop)
{
	memset(n, 0, sizeof(*n));
	n->loop = loop;
	ev_init(&n->status, on_status);
	ev_init(&n->alive, on_alive);
	n->status.data = n;
}

void
notify_ready(struct notify *n)
{
	sock_notify("READY=1\nSTATUS=0 clients");
	n->alive.repeat = watchdog_interval();
	ev_timer_again(n->loop, &n->alive);
}

void
notify_clients(struct notify *n, size_t clients)
{
	n->clients = clients;
	if (ev_is_active(&n->status))
		return;
	ev_timer_set(&n->status, STATUS_S, 0.);
	ev_timer_start(n->loop, &n->status);
}

/* The time is for Type=notify-reload. */
void
notify_reloading(struct notify *n)
{
	struct timespec now;
	char text[64];

	(void)n;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	sock_notify(text);
}

void
notify_reloaded(struct notify *n)
{
	(void)n;
	sock_notify("READY=1");
}

void
notify_stopping(struct notify *n)
{
	(void)n;
	sock_notify("STOPPING=1");
}

void
notify_free(struct notify *n)
{
	if (n->loop == NULL)
		return;
	ev_timer_stop(n->loop, &n->status);
	ev_timer_stop(n->loop, &n->alive);
}
