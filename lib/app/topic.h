#ifndef APP_TOPIC_H
#define APP_TOPIC_H

#include "core/sub.h"
#include "io/reply.h"
#include "wire/msg.h"

/*
 * A topic is one stream that is read for any number of members (app/feed.h),
 * which are handed what the live read brings and are told when to look again at
 * what they could do. Any of these calls may make any member leave.
 */

struct member;

struct member_events {
	/* The live read brought these, in order; the topic's head is moved. */
	void (*entries)(struct member *, const struct msg *m, size_t n);
	/* The head has become known, or it is the member's turn (app/hub.h). */
	void (*look)(struct member *);
	/* The live read was interrupted: the cursor must be looked at again. */
	void (*unsure)(struct member *);
	/* This stream cannot be read; the member should leave. */
	void (*trouble)(struct member *, enum redis_trouble, const char *why);
};

struct hub_ask;
struct live;

struct member {
	const struct member_events *events;
	struct topic *topic;
	struct member *next, *prev;
	struct hub_ask *ask; /* what it waits for (app/hub.h) */
	bool live;           /* it wants the live read */
};

struct topic {
	struct topics *list;
	struct topic *next, *prev;
	struct topic *next_in_row;
	struct topic *next_due;               /* app/live.h */
	struct member *members, *last_member; /* as they came */
	struct topic_walk *walks;
	struct sub_head head;
	size_t nmembers;
	size_t nlive; /* members that want the live read */
	unsigned holds;
	bool reading; /* part of the read that is under way */
	bool asked;   /* its head is being asked for */
	bool lost;    /* the head was known before the live read broke */
	bool due;     /* to be read */
	bool again;   /* to be read once its head has been told */
	bool careful; /* being read together with how the stream is */
	/* How it was when that was last known (XINFO STREAM). */
	uint64_t length, since; /* entries; those that have come since */
	struct id counted;      /* the entry whose number is `added`; or 0-0 */
	uint64_t added;
	struct id max_deleted;
	struct str key, channel; /* key = prefix + channel */
	char text[];
};

/* The topics of a hub. */
struct topics {
	struct topic *first;
	struct topic **rows; /* by channel */
	size_t nrows, n;
	size_t nlive;      /* those with members that want the live read */
	struct str prefix; /* borrowed */
	struct live *live; /* what reads them */
};

/* All topics must be gone. Harmless when zeroed. */
void topics_free(struct topics *ts);

/* The topic of that channel, or of that key; or NULL. */
struct topic *topics_find(const struct topics *ts, struct str channel);
struct topic *topics_find_key(const struct topics *ts, struct str key);

/* A new one, held. NULL: out of memory. */
struct topic *topics_make(struct topics *ts, struct str channel);

/*
 * Call fn for each. Topics may be made and dropped meanwhile.
 */
void topics_each(struct topics *ts,
    void (*fn)(struct topic *t, const void *arg), const void *arg);

/*
 * A topic without members is dropped when it is released for the last time,
 * unless a reply to come refers to it.
 */
void topic_hold(struct topic *t);
void topic_release(struct topic *t);

/* Call fn for each member. */
void topic_each_member(struct topic *t,
    void (*fn)(struct member *m, const void *arg), const void *arg);

void topic_enter(struct topic *t, struct member *m, bool live);

/* m has entered. Its topic may be gone afterwards. */
void topic_leave(struct member *m);

#endif
