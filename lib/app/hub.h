#ifndef APP_HUB_H
#define APP_HUB_H

#include "app/entry.h"
#include "app/topic.h"
#include "io/redis.h"

/*
 * All that a process reads from Redis, over two connections at any number of
 * readers: `live` sits in one XREAD BLOCK over all topics, `cmd` carries the
 * pages of those that catch up and is open only while it is needed.
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
	struct str prefix; /* key = prefix + channel */
	struct str field;  /* of the payload */
	uint64_t batch;    /* most entries a page */
};

struct hub {
	struct ev_loop *loop;
	const struct hub_conf *conf;
	const struct hub_events *events;
	void *arg;
	struct redis live, cmd;
	struct topics topics;
	struct entries entries; /* of the reply being handed out */
	struct ev_timer idle;   /* closes cmd */
	struct buf args;        /* struct str, of XREAD */
	unsigned asking;        /* replies for heads that XREAD waits for */
	uint64_t live_count;    /* COUNT of XREAD */
	int64_t block_ms;
	bool blocked;    /* XREAD has been sent */
	bool stale;      /* a topic waits for the blocked read to end */
	bool no_unblock; /* CLIENT UNBLOCK is refused */
	enum hub_state state;
};

void hub_init(struct hub *h, struct ev_loop *loop, const struct hub_conf *conf,
    const struct hub_events *events, void *arg);

/* All members must have left. */
void hub_free(struct hub *h);

/* Does Redis answer, as far as is known? */
bool hub_is_up(const struct hub *h);

/*
 * Enter the topic of that channel, which is made if need be; it is dropped
 * with its last member. live: take part in the live read. 0, or -1 out of
 * memory.
 */
int hub_join(struct hub *h, struct member *m, struct str channel, bool live);

/* Harmless for one that has not joined. May be called from any event. */
void hub_leave(struct member *m);

/*
 * Send a command over `cmd`, opening it if need be, for a member that waits
 * for no other. fn is called with the reply, or with NULL when it was lost or
 * said that Redis is not ready; not at all once the member has left. 0, or -1
 * when `cmd` is not ready yet: `look` follows when it is.
 */
int hub_ask(struct member *m,
    void (*fn)(struct member *m, const struct redis_reply *r), size_t argc,
    const struct str *argv);

/* The same without interest in the reply. */
int hub_send(struct hub *h, size_t argc, const struct str *argv);

/* A member's XINFO tells the newest id; of use when it is not known yet. */
void hub_learn_head(struct topic *t, struct id last);

/*
 * The stream was rewound or made anew: last is the newest id now, and less than
 * the head. All members are told to look at their cursors.
 */
void hub_rewind(struct topic *t, struct id last);

/* How many entries to ask for as long as nothing is known of their size. */
uint64_t hub_first_count(const struct hub *h);

/* An estimate of how many entries make a page of about PAGE_BYTES. */
uint64_t hub_page_count(
    const struct hub *h, const struct entries *e, uint64_t before);

#endif
