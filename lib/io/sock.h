#ifndef IO_SOCK_H
#define IO_SOCK_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* What a super-server hands over, and what it says about the other side. */

/* Is fd a socket that listens? */
bool sock_is_listening(int fd);

/* Do both descriptors name the same open socket (fstat)? */
bool sock_same(int a, int b);

/*
 * The other side of fd for logs and limits: getpeername, else REMOTE_ADDR,
 * else ${PROTO}REMOTEIP (UCSPI), else SOCAT_PEERADDR, NCAT_REMOTE_ADDR,
 * REMOTE_HOST, else `-`. Without the port. Appended to out.
 */
void sock_peer(int fd, struct buf *out);

/*
 * Settings of a TCP socket: no delay, keepalive, and TCP_USER_TIMEOUT so that a
 * vanished peer is noticed within timeout_ms (NUM_INF: as the system does).
 * What is accepted from a socket that listens inherits them on Linux. Harmless
 * on anything else.
 */
void sock_tune(int fd, int64_t timeout_ms);

/* Send no more (FIN), where fd is a socket. */
void sock_finish(int fd);

/*
 * Datagram to NOTIFY_SOCKET (sd_notify): `READY=1`, `STATUS=...`. Does nothing
 * without one.
 */
void sock_notify(const char *state);

#endif
