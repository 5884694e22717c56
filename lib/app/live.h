#ifndef APP_LIVE_H
#define APP_LIVE_H

#include "app/changes.h"
#include "app/entry.h"
#include "app/stats.h"
#include "app/topic.h"
#include "io/redis.h"

/*
 * The live read: what is added to the streams of all topics, handed to their
 * members as it comes.
 *
 * A few topics are read by one XREAD BLOCK over all of them, which costs Redis
 * and us as much, for every entry, as there are topics. Many are read by XREAD
 * of only those that have changed, as Redis says itself (app/changes.h): an
 * entry costs the same at any number of topics. Where that is not allowed, the
 * long read goes on, with pauses.
 */

struct live_events {
	/* Redis answers, or does not. */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
	/* No more tries are made (struct redis_events.failed). */
	void (*failed)(void *arg, enum redis_trouble trouble, const char *why);
	/*
	 * End the read of that client, from another connection: 0 when that is
	 * under way, -1 when it cannot be said yet (live_unblock, later).
	 */
	int (*unblock)(void *arg, long long client_id);
};

struct live {
	struct ev_loop *loop;
	const struct live_events *events;
	void *arg;
	struct topics *topics;   /* borrowed */
	struct entries *entries; /* borrowed; of the reply being handed out */
	struct str field;        /* of the payload; borrowed */
	uint64_t most;           /* entries a read, about */
	struct stats *stats;     /* borrowed */
	/* private */
	struct redis read;
	struct changes changes;
	struct ev_timer pause;
	struct topic *due, **due_end; /* those that changed */
	struct buf picked;            /* struct topic *, being read if any */
	struct buf args, ids;         /* of XREAD */
	unsigned asking;              /* heads that are being asked for */
	uint64_t count;               /* entries that make a read */
	uint64_t asked;               /* COUNT of XREAD */
	int64_t block_ms;             /* of the read that is under way */
	double not_before;            /* the next read, s */
	double looked;                /* when all heads were asked for, s */
	unsigned fruitless;           /* reads in a row */
	struct ev_timer unblock;      /* once more */
	bool stale;      /* a topic waits for the blocked read to end */
	bool unblocking; /* CLIENT UNBLOCK has been sent for this read */
	bool no_unblock; /* CLIENT UNBLOCK is refused */
	bool doubt;      /* the last read was refused */
};

/* l->loop to l->stats are set; redis is borrowed. */
void live_init(struct live *l, const struct redis_conf *redis);
void live_free(struct live *l);

/* A member of t, which wants the live read, has entered. */
void live_join(struct topic *t);

/* A command of another kind told the newest id; of use when not known yet. */
void live_learn(struct topic *t, struct id last);

/*
 * The stream was rewound or made anew: the read waits behind ids that will not
 * come again. It goes on from what is newest now, and all members are told to
 * look at their cursors.
 */
void live_rewind(struct topic *t);

/*
 * The number of that entry in the count of all that were ever added (see
 * gap_check), if it is the newest that the live read has brought and nothing
 * speaks against it; or 0.
 */
uint64_t live_ordinal(
    const struct topic *t, struct id id, const struct gap_facts *facts);

/* End the blocked read, if a topic waits for that. */
void live_unblock(struct live *l);

/* CLIENT UNBLOCK was lost, or found it not blocked: maybe not yet. */
void live_not_unblocked(struct live *l);

/* CLIENT UNBLOCK was refused: blocked reads are kept short. */
void live_cannot_unblock(struct live *l);

#endif
