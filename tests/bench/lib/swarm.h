#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include "base/buf.h"
#include "hist.h"
#include "known.h"
#include "pub.h"
#include "wire/chunked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Many SSE clients of one server, which check that every message of their
 * channel comes once and in order. Client I listens to channel I modulo the
 * number of channels. The last `stuck` ones never read; the last `herd` ones
 * can be sent away to come back all at once.
 */
struct swarm_conf {
	int port;         /* of 127.0.0.1 */
	const char *path; /* `%` is the channel's number */
	size_t clients, channels, stuck, herd;
	uint64_t base; /* message N of a channel has the id BASE-(N + 1) */
};

struct swarm_client {
	int fd; /* -1: closed */
	enum {
		SWARM_CLOSED,
		SWARM_CONNECTING,
		SWARM_HEAD, /* of the answer */
		SWARM_BODY,
	} state;
	bool in_chunks, joined, stuck, herd;
	uint64_t next;    /* the number of the message that should come */
	uint64_t goal;    /* of the herd: it has caught up before this one */
	uint64_t seen;    /* messages before its cursor; 0: it has none */
	uint64_t started; /* when it connected */
	struct chunked chunked;
	struct buf text; /* not understood yet */
};

struct swarm {
	const struct swarm_conf *conf;
	struct swarm_client *clients;
	int live, herd;   /* epoll: the herd, once it has gone; all others */
	size_t begun;     /* clients that have been connected */
	size_t opening;   /* connecting, or without an answer */
	size_t streaming; /* the answer's head was good */
	size_t joined;    /* have had a message */
	size_t herd_left; /* of the herd: have not caught up */
	uint64_t delivered, missing, doubled;
	uint64_t closed;        /* by the server */
	struct hist first_byte; /* from connecting */
	struct hist *latency;   /* from publishing, but of the herd */
	struct known known;     /* of the only channel */
};

void swarm_init(struct swarm *s, const struct swarm_conf *conf);
void swarm_free(struct swarm *s);

/* Connect a few more, so many at a time; false when all have been. */
bool swarm_open(struct swarm *s);

/* Read what at most `most` clients of one of the two sets have got. */
void swarm_serve(struct swarm *s, int set, int most);

/*
 * Close the herd and let it come back at once, with a cursor `back` messages
 * behind those of p; it has caught up with what p has sent by now when
 * herd_left is 0.
 */
void swarm_herd(struct swarm *s, const struct pub *p, uint64_t back);

/* Messages of p that the clients which read have not got yet. */
uint64_t swarm_behind(const struct swarm *s, const struct pub *p);

#endif
