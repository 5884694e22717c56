#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include "conf.h"
#include "hist.h"
#include "pub.h"
#include "swarm.h"

#include <stdbool.h>
#include <stdint.h>

/* The loop that drives a publisher and a swarm until a deadline. */
struct drive {
	const struct conf *conf;
	struct pub pub;
	struct swarm swarm;
	uint64_t deadline; /* ns, CLOCK_MONOTONIC */
	struct hist late;  /* messages made after they were due */
	/* private */
	struct pub_conf pub_conf;
	struct swarm_conf swarm_conf;
	enum drive_pace {
		DRIVE_OFF,
		DRIVE_FREE,  /* as fast as answers come */
		DRIVE_PACED, /* by the rate, or the window, of conf */
	} pace;
	uint64_t begin, first; /* publishing: since when, from which message */
	uint64_t delivered;    /* before that */
	uint64_t tried;        /* when to connect to what was lost */
};

/* conf is borrowed. 0, or -1 and errno: no way to publish. */
int drive_init(struct drive *d, const struct conf *conf);
void drive_free(struct drive *d);

/* Has the deadline passed? All that runs below ends then. */
bool drive_over(const struct drive *d);

/* Serve whoever is ready, once; wait for a tick at most. */
void drive_turn(struct drive *d);
void drive_for(struct drive *d, int64_t ms);

/* Begin to publish, by rate or window, until drive_drain. */
void drive_publish(struct drive *d);

/* Publish n messages as fast as can be; return when they are answered for. */
void drive_publish_now(struct drive *d, uint64_t n);

/*
 * Stop publishing; return when all clients have all, or when nothing has come
 * for some seconds.
 */
void drive_drain(struct drive *d);

#endif
