#ifndef BENCH_PUB_H
#define BENCH_PUB_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A publisher of messages numbered from 0, which go to the channels in turn.
 * A payload is `SEQUENCE TIME xxx...`: its number within the channel, from 0,
 * and when it was made (ns, CLOCK_MONOTONIC).
 */
enum pub_kind {
	PUB_XADD, /* to Redis, as a stream's entry */
	PUB_POST, /* to an HTTP server, as a request's body */
	PUB_PIPE, /* into a FIFO, as a line */
};

struct pub_conf {
	enum pub_kind kind;
	const char *where;  /* Redis' unix socket, or the FIFO */
	int port;           /* of the HTTP server, on 127.0.0.1 */
	const char *target; /* key or path; `%` is the channel's number */
	const char *field;  /* of a stream's entry */
	size_t channels, size;
	uint64_t maxlen; /* of a stream, nearly; 0: without end */
	/*
	 * Entry N of a channel has the id BASE-(N + 1): publishing it twice,
	 * after a connection was lost, stores it once.
	 */
	uint64_t base;
};

struct pub {
	const struct pub_conf *conf;
	int fd;         /* -1: not connected */
	uint64_t sent;  /* messages made */
	uint64_t acked; /* messages answered for */
	uint64_t lost;  /* connections */
	struct buf out, in;
	char *payload;
};

void pub_init(struct pub *p, const struct pub_conf *conf);
void pub_free(struct pub *p);

/* Connect; what was not answered for is made anew. 0, or -1 and errno. */
int pub_open(struct pub *p);

/* Make the next message; pub_serve sends it. */
void pub_message(struct pub *p);

/*
 * Send and read what can be without waiting. 0, or -1 when the connection was
 * lost. A refusal ends the program.
 */
int pub_serve(struct pub *p);

/* Is there anything to be sent? */
bool pub_waiting(const struct pub *p);

/* How many of the messages made went to this channel. */
uint64_t pub_count(const struct pub *p, size_t channel);

#endif
