#ifndef IO_NOTIFY_H
#define IO_NOTIFY_H

#include <ev.h>
#include <stddef.h>

/*
 * What the service manager is told (sd_notify(3)): that we are ready, alive,
 * how many clients there are, and that we stop. Without one nothing is done.
 */
struct notify {
	struct ev_loop *loop;
	size_t clients;
	struct ev_timer status, alive;
};

void notify_init(struct notify *n, struct ev_loop *loop);

/* Ready; from now on also alive, twice in WATCHDOG_USEC. */
void notify_ready(struct notify *n);

/* There are so many clients now; it is told within a second. */
void notify_clients(struct notify *n, size_t clients);

/* Options are being read again; they have been. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n);

void notify_stopping(struct notify *n);

/* Harmless when zeroed. */
void notify_free(struct notify *n);

#endif
