#ifndef IO_CONN_H
#define IO_CONN_H

#include "base/buf.h"
#include "base/str.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * A pair of descriptors on the event loop, one to read and one to write, which
 * may be the same socket, two pipes, a terminal or files. Inherited
 * descriptors keep their flags: O_NONBLOCK would be set for the parent, too.
 * So sockets are used with MSG_DONTWAIT, pipes are written at most PIPE_BUF
 * bytes at a time once they are ready, and files always take everything.
 */
enum conn_kind { CONN_NONE, CONN_SOCKET, CONN_PIPE, CONN_FILE };

struct conn_events {
	/* n > 0 bytes came; 0: the other side will send no more. */
	void (*input)(void *arg, const char *p, size_t n);
	/* All that was kept has been written. */
	void (*drained)(void *arg);
	/*
	 * The other side is gone (err: errno of the write or read, or 0 for a
	 * closed pipe). Nothing more is read or written; called once.
	 */
	void (*gone)(void *arg, int err);
};

struct conn {
	struct ev_loop *loop;
	const struct conn_events *events;
	void *arg;
	int rfd, wfd;
	unsigned char rkind, wkind; /* enum conn_kind */
	bool dead, eof;
	unsigned char put_off; /* turns in a row, modulo 256 */
	struct ev_io rio;
	/* There are many, and few of them have these. */
	struct conn_tail *tail;
	struct ev_io *gone_io;
	size_t max_out;
	unsigned long long sent_bytes;
};

/* The kind of an open descriptor, CONN_NONE if it is not open. */
enum conn_kind conn_kind(int fd);

/*
 * rfd or wfd may be -1. max_out bounds the unsent tail. events and arg are
 * borrowed. Reading starts with conn_read.
 */
void conn_init(struct conn *c, struct ev_loop *loop, int rfd, int wfd,
    size_t max_out, const struct conn_events *events, void *arg);

/*
 * Stop watching and free; the descriptors stay open. Harmless when zeroed.
 * May be called from the events.
 */
void conn_free(struct conn *c);

/* Deliver input, or stop doing so (the kernel then holds the sender back). */
void conn_read(struct conn *c, bool on);

/*
 * Notice a reader that goes away although nothing is being written: a pipe or
 * socket closed at its other end calls `gone`.
 */
void conn_watch_gone(struct conn *c);

/*
 * Write s. 0: all of it is out. 1: a tail was kept and `drained` follows;
 * until then the caller should write no more, and may write at most max_out.
 * -1 with errno: the other side is gone (EPIPE, ECONNRESET), the disk is full
 * (ENOSPC), or the tail would pass max_out (ENOBUFS); the connection is dead
 * then, and `gone` does not follow. Never calls an event itself.
 */
int conn_write(struct conn *c, struct str s);

/*
 * Write as much of s as can be written now, and keep nothing: the number of
 * bytes, 0 also while a tail is kept; or -1 as above.
 */
ssize_t conn_write_some(struct conn *c, struct str s);

/*
 * Keep s, which may be empty: `drained` follows when it has been written
 * and the descriptor takes more. 0, or -1 as above.
 */
int conn_keep(struct conn *c, struct str s);

/* Does `drained` follow? */
bool conn_is_full(const struct conn *c);

/*
 * For who writes in our place: may a socket be written to, and what has come
 * of that: the number of bytes or -errno. The result is as above.
 */
bool conn_may_send(const struct conn *c);
ssize_t conn_wrote(struct conn *c, ssize_t n);

#endif
