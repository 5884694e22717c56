#ifndef APP_HUB_H
#define APP_HUB_H

#include "app/entry.h"
#include "app/live.h"
#include "app/stats.h"
#include "app/topic.h"
#include "io/redis.h"

/*
 * All that a process reads from Redis, at any number of readers: what comes
 * live (app/live.h), and over one more connection, `cmd`, the pages of those
 * that catch up. That is open only while it is needed, and asked a few things
 * at a time: who wants to ask waits for its turn, so that a crowd that catches
 * up neither floods Redis nor delays what is live.
 */

struct hub_events {
	/* Redis answers (again), or does not. Only changes are told. */
	void (*up)(void *arg);
	void (*down)(void *arg, const char *why);
	/* No more tries are made (struct redis_events.failed). */
	void (*failed)(void *arg, enum redis_trouble trouble, const char *why);
};

enum hub_state { HUB_NEW, HUB_UP, HUB_DOWN };

struct hub_conf {
	const struct redis_conf *redis;
	struct str prefix;   /* key = prefix + channel */
	struct str field;    /* of the payload */
	uint64_t batch;      /* most entries a page */
	struct stats *stats; /* what is read is counted there */
};

struct hub_line {
	struct hub_ask *first, *last;
};

struct hub {
	struct ev_loop *loop;
	const struct hub_conf *conf;
	const struct hub_events *events;
	void *arg;
	struct live live;
	struct redis cmd;
	struct topics topics;
	struct entries entries; /* of the reply being handed out */
	enum hub_state state;
	/* private */
	struct ev_timer idle;      /* closes cmd */
	struct ev_timer soon;      /* for those who look at the next turn */
	struct hub_line new, wait; /* those; and those who wait for a turn */
	struct hub_ask *walk;      /* the next of them to be called */
	struct hub_ping *pings;    /* that wait for an answer */
	bool pinging;              /* PING has been sent */
	unsigned asking;           /* members */
	bool serving;
};

void hub_init(struct hub *h, struct ev_loop *loop, const struct hub_conf *conf,
    const struct hub_events *events, void *arg);

/* All members must have left. */
void hub_free(struct hub *h);

/* Does Redis answer, as far as is known? */
bool hub_is_up(const struct hub *h);

/*
 * Enter the topic of that channel, which is made if need be; it is dropped
 * with its last member. live: take part in the live read. `look` follows at
 * the next turn of the loop. 0, or -1 out of memory.
 */
int hub_join(struct hub *h, struct member *m, struct str channel, bool live);

/* Harmless for one that has not joined. May be called from any event. */
void hub_leave(struct member *m);

/*
 * May m, which waits for nothing, ask now? If not, `look` follows when it may.
 * Otherwise it asks at once, or not.
 */
bool hub_turn(struct hub *h, struct member *m);

/*
 * Send a command over `cmd`, for a member whose turn it is. fn is called with
 * the reply, or with NULL when it was lost or said that Redis is not ready; not
 * at all once the member has left. false: out of memory, which was told as
 * `trouble`.
 */
bool hub_ask(struct hub *h, struct member *m,
    void (*fn)(struct member *m, const struct redis_reply *r), size_t argc,
    const struct str *argv);

/* The same without interest in the reply, before another command. */
void hub_send(struct hub *h, size_t argc, const struct str *argv);

/*
 * Call fn for the next n of those that wait for their turn, which they keep.
 * Not from within.
 */
void hub_each_waiting(struct hub *h, size_t n,
    void (*fn)(struct member *m, const void *arg), const void *arg);

/*
 * Ask whether Redis answers, over `cmd`: one PING for all who ask meanwhile.
 * fn is called once, maybe at once; while a connection is being made anew it
 * does not answer. hub_unping: do not call it any more; harmless in any case.
 */
struct hub_ping {
	void (*fn)(void *arg, bool answers);
	void *arg;
	/* private; link is what points to this one */
	struct hub_ping *next, **link;
};

void hub_ping(struct hub *h, struct hub_ping *p);
void hub_unping(struct hub_ping *p);

#endif
