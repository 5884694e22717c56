#ifndef APP_STATS_H
#define APP_STATS_H

#include "base/hist.h"
#include "core/gap.h"
#include "io/process.h"
#include "wire/metrics.h"
#include "wire/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a process has done, as plain numbers: those who do it borrow the one
 * struct there is, and add to it. Zeroed is where it begins.
 */

enum { STATS_STATUSES = 22, STATS_REASONS = 15 };

enum stats_post {
	STATS_STORED,
	STATS_REPEATED, /* stored before, by their ids */
	STATS_REFUSED,
	STATS_ABANDONED, /* the client did not wait for the answer */
	STATS_POSTS,
};

enum stats_source { STATS_LIVE, STATS_HISTORY, STATS_SOURCES };

struct stats {
	/* Of connections and requests */
	uint64_t accepted;
	uint64_t ended[STATS_REASONS];
	uint64_t answers[STATS_STATUSES];
	uint64_t declined; /* too many */
	uint64_t sent_bytes;
	uint64_t posts[STATS_POSTS];
	/* Of streams */
	uint64_t streams, deliveries;
	uint64_t gaps[GAP_REASONS];
	/* Of Redis */
	uint64_t received[STATS_SOURCES]; /* messages */
	uint64_t catchups, catching_up;
	uint64_t reconnects;
	struct hist latency;
	/* As they are at the moment, in a copy that is to be shown. */
	struct stats_now {
		uint64_t connections, clients, topics, members, redis_up;
		uint64_t started_ms; /* Unix time */
		struct process process;
	} now;
};

/* A connection has ended, for a reason as in struct client; NULL: answered. */
void stats_end(struct stats *s, const char *reason);

/* A request was answered. */
void stats_answer(struct stats *s, int status);

/*
 * n messages of the live read have been written to all that are live; now_s is
 * Unix time.
 */
void stats_live(struct stats *s, const struct msg *m, size_t n, double now_s);

/* All of the above, to be shown under a name; the list ends with a NULL name.
 */
struct stats_row {
	const char *name;
	enum metrics_type type;
	size_t at; /* offset of the uint64_t or struct hist */
	bool ms;   /* shown in seconds */
	/* There are n of them, told apart by a label; or it is NULL. */
	const char *label;
	const char *(*value)(size_t i); /* static */
	size_t n;
	const char *help;
};

extern const struct stats_row stats_rows[];

#endif
