#ifndef APP_HISTORY_H
#define APP_HISTORY_H

#include "base/opt.h"
#include "core/ratelimit.h"
#include "io/command.h"
#include "wire/msg.h"
#include "wire/records.h"

#include <stdbool.h>

/*
 * Messages that are kept elsewhere, such as in a database, for one client: a
 * command prints them as envelopes (wire/msg.h), one a line. Whatever goes
 * wrong with it is told in the log.
 */

struct history_options {
	const char *history_cmd, *snapshot_cmd; /* NULL: none */
	int64_t timeout_ms;
	uint64_t max_bytes;
};

extern const struct opt history_opts[];

/* The defaults. */
void history_options_init(struct history_options *o);

/* 0, or -1 and a reason in err, which is a usage error. */
int history_options_check(const struct history_options *o, struct buf *err);

/* Is there any such command? */
bool history_is_on(const struct history_options *o);

struct history_conf {
	struct command_pool *pool;
	const struct history_options *options;
	uint64_t max_size;      /* bytes of a line */
	struct ratelimit *told; /* of troubles, in the log */
};

struct history_events {
	/* A message, which is of the channel and has a time. */
	void (*message)(void *arg, const struct msg *m);
	/* What should stand here is missing. */
	void (*missing)(void *arg);
	/* That was all for now. */
	void (*batch)(void *arg);
	/* The last event. h may be freed. */
	void (*ended)(void *arg);
};

struct history {
	const struct history_conf *conf;
	const struct history_events *events;
	void *arg;
	const char *option; /* static: its name */
	struct str channel; /* borrowed */
	/* private */
	struct command command;
	struct records lines;
	struct msg_space space;
	uint64_t left; /* bytes that it may still print */
	bool stopped;
};

/* All is borrowed, but for the channel only for the call. */
struct history_request {
	bool snapshot; /* run that command */
	struct str channel;
	struct str last_event_id; /* of the client; may be empty */
	struct str cursor;        /* where Redis goes on, as far as is known */
};

/*
 * Run it, when it is its turn. 0, or -1: it cannot be run, and no event
 * follows. conf and events are borrowed.
 */
int history_start(struct history *h, const struct history_conf *conf,
    const struct history_request *r, const struct history_events *events,
    void *arg);

/* Is there no room for more than the batch that comes now? */
void history_hold(struct history *h, bool full);

/*
 * Kill it; no event follows. To be called from any event, and in the end.
 * Harmless when zeroed.
 */
void history_stop(struct history *h);

#endif
