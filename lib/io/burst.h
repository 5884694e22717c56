#ifndef IO_BURST_H
#define IO_BURST_H

#include "io/conn.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Writes to many connections at once: with io_uring(7) in as few system calls
 * as there are rings full of them, where the kernel has and allows it; else,
 * and for a few, one by one. The ring is made when it is first of use.
 */

/* Sends a system call; a power of two. */
enum { BURST_MAX = 256 };

struct burst_write {
	struct conn *conn;
	struct str bytes;
	/* Out: bytes written, or -1 when the connection has died of `error`. */
	ssize_t done;
	int error;
};

struct burst {
	struct burst_ring *ring; /* NULL: none yet, or none to be had */
	bool no_ring;
};

/* Zeroed is where it begins. Harmless when zeroed. */
void burst_free(struct burst *b);

/*
 * As conn_write_some for each of n; no two are for the same connection.
 */
void burst_write(struct burst *b, struct burst_write *writes, size_t n);

#endif
