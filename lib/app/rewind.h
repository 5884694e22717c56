#ifndef APP_REWIND_H
#define APP_REWIND_H

#include "app/feed.h"

/*
 * One channel read backwards, newest entry first, over a hub; with the events
 * of a feed, of which started, gap and live never come.
 */
struct rewind {
	struct member member;
	struct hub *hub;
	const struct feed_events *events;
	void *arg;
	struct id newest, oldest; /* still to be read, inclusive */
	uint64_t left;            /* entries still wanted */
	uint64_t count, asked;    /* entries a page */
	bool paused, stopped;
};

/*
 * As feed_start: start bounds the reading at its old end, until at its new
 * one.
 */
int rewind_start(struct rewind *w, struct hub *h, struct str channel,
    struct feed_start start, struct id until, const struct feed_events *events,
    void *arg);
void rewind_stop(struct rewind *w);
void rewind_drained(struct rewind *w);

#endif
