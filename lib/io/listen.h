#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include "base/buf.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Sockets that listen, on the event loop: made from addresses, or handed over.
 * When descriptors or memory run out, accepting pauses for a moment; who
 * connects meanwhile waits in the kernel.
 */

struct listen_events {
	/* A client; fd does not block, and is the callee's to close. */
	void (*accepted)(void *arg, int fd);
	/* None could be accepted (errno); told once until one can. */
	void (*trouble)(void *arg, int err);
};

struct listen {
	struct ev_loop *loop;
	const struct listen_events *events;
	void *arg;
	/* private */
	struct listen_socket *sockets;
	struct ev_timer pause;
	int64_t timeout_ms;
	bool held, troubled;
};

/*
 * How many descriptors the service manager has handed to this process, from
 * LISTEN_FIRST on (sd_listen_fds(3)).
 */
enum { LISTEN_FIRST = 3 };
int listen_handed(void);

/* events and arg are borrowed. */
void listen_init(struct listen *l, struct ev_loop *loop,
    const struct listen_events *events, void *arg);

/* Is it one of these? */
bool listen_is_address(const char *address);

/*
 * Listen on `PORT` (of 127.0.0.1), `HOST:PORT`, `[ADDRESS]:PORT`, all addresses
 * of the host, or on a unix socket at `/PATH`; one that is left of a server
 * that is gone is replaced. shared: others who say so, too, may listen on the
 * same port, and share its clients (SO_REUSEPORT). 0, or -1 with a reason in
 * err.
 */
int listen_open(
    struct listen *l, const char *address, bool shared, struct buf *err);

/*
 * Listen on a socket that does so already. It is set not to block, which its
 * other owners notice: none of them should be accepting. 0, or -1 with a
 * reason in err.
 */
int listen_take(struct listen *l, int fd, struct buf *err);

/*
 * The settings of clients from now on (sock_tune), for all sockets that were
 * opened or taken. To be called at least once.
 */
void listen_tune(struct listen *l, int64_t timeout_ms);

/* Accept nothing for now, or go on. May be called from the events. */
void listen_hold(struct listen *l, bool on);

/*
 * Accept who waits at the sockets made here, whom the kernel would send a
 * reset, and close them all. Who waits at one that was handed over is left to
 * whoever holds it, too.
 */
void listen_finish(struct listen *l);

/* Close them, and remove the unix sockets made here. Harmless when zeroed. */
void listen_close(struct listen *l);

#endif
