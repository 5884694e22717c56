#ifndef APP_TOPIC_H
#define APP_TOPIC_H

#include "base/buf.h"
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
	/* The head has become known, or `cmd` has become ready. */
	void (*look)(struct member *);
	/* The live read was interrupted: the cursor must be looked at again. */
	void (*unsure)(struct member *);
	/* This stream cannot be read; the member should leave. */
	void (*trouble)(struct member *, enum redis_trouble, const char *why);
};

struct hub_ask;

struct member {
	const struct member_events *events;
	struct topic *topic;
	struct member *next, *prev;
	struct hub_ask *ask; /* the command whose reply it waits for */
	bool live;           /* it wants the live read */
};

struct topic {
	struct hub *hub;
	struct topics *list;
	struct topic *next, *prev;
	struct member *members;
	struct topic_walk *walks;
	struct sub_head head;
	size_t nlive; /* members that want the live read */
	bool reading; /* part of the read that is now blocked */
	bool asked;   /* its head is being asked for */
	bool lost;    /* the head was known before the live read broke */
	unsigned holds;
	char head_text[ID_TEXT];
	size_t head_len;
	struct buf channel, key;
};

/* The topics of a hub, in the order of their making. */
struct topics {
	struct topic *first, *last;
	struct str prefix; /* key = prefix + channel; borrowed */
};

/* The topic of that channel, or NULL. */
struct topic *topics_find(const struct topics *ts, struct str channel);

/* A new one, held. NULL: out of memory. */
struct topic *topics_make(struct topics *ts, struct hub *h, struct str channel);

/*
 * Call fn for each. Topics may be made and dropped meanwhile.
 */
void topics_each(struct topics *ts,
    void (*fn)(struct topic *t, const void *arg), const void *arg);

/*
 * A topic without members is dropped when it is released for the last time,
 * unless the blocked read or a reply to come refers to it.
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
