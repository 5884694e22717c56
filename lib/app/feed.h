#ifndef APP_FEED_H
#define APP_FEED_H

#include "app/hub.h"
#include "core/gap.h"
#include "core/sub.h"

#include <stddef.h>

/*
 * One reader of one channel: core/sub driven over a hub. It finds the start
 * position, pages, goes live, notices gaps.
 */

enum feed_from {
	FEED_BEGINNING,
	FEED_END,   /* what comes from now on */
	FEED_LAST,  /* the last n entries */
	FEED_AFTER, /* a cursor: entries > id, gaps are told */
	FEED_SINCE, /* entries >= id, a position in time */
};

struct feed_start {
	enum feed_from from;
	uint64_t n;
	struct id id;
};

enum feed_end {
	FEED_LIVE, /* never: go on live */
	FEED_NOW,  /* the end as it is at the start */
	FEED_ID,   /* the entry `until` */
};

struct feed_events {
	/* The start is known: the first message will be > cursor. */
	void (*started)(void *arg, struct id cursor);
	/*
	 * n > 0 messages in order. 0: taken. 1: taken, but no more until
	 * feed_drained. 2: not taken; they come again after feed_drained. -1:
	 * not wanted any more; the feed stops (the reader calls feed_stop,
	 * here or later).
	 */
	int (*messages)(void *arg, const struct msg *m, size_t n);
	/* Something is missing. 0: go on. -1: as above. */
	int (*gap)(void *arg, const struct gap *g);
	/* Caught up for the first time (FEED_LIVE). */
	void (*live)(void *arg);
	/* The end was reached (others). */
	void (*ended)(void *arg);
	/* WRONGTYPE, NOPERM and the like; the feed has stopped. */
	void (*failed)(void *arg, enum redis_trouble trouble, const char *why);
};

struct feed {
	struct member member;
	struct hub *hub;
	struct sub sub;
	const struct feed_events *events;
	void *arg;
	struct feed_search *search; /* until the start position is known */
	uint32_t count;             /* entries a page */
	uint32_t asked;             /* entries asked for */
	unsigned char want;         /* enum sub_want: what was asked for */
	bool went_live, stopped;
	bool behind; /* as the stats count it */
};

/*
 * Begin to read. until is inclusive and bounds FEED_NOW, too (ID_MAX for
 * none). No event comes before this returns. 0, or -1 out of memory.
 */
int feed_start(struct feed *f, struct hub *h, struct str channel,
    struct feed_start start, enum feed_end end, struct id until,
    const struct feed_events *events, void *arg);

/* Stop; harmless when zeroed or stopped. May be called from any event. */
void feed_stop(struct feed *f);

/*
 * The sink has taken no more than the messages up to the entry `taken`, now or
 * some time after messages() gave 0: the rest will be handed over once more,
 * after feed_drained.
 */
void feed_full(struct feed *f, struct id taken);

/* The sink takes messages again, after messages() gave 1 or 2, or feed_full. */
void feed_drained(struct feed *f);

/* While it is full: go on from there, which is the place of an entry. */
void feed_seek(struct feed *f, struct id after);

/* The cursor: the last entry delivered or passed. */
struct id feed_cursor(const struct feed *f);

#endif
