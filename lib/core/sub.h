#ifndef CORE_SUB_H
#define CORE_SUB_H

#include "wire/id.h"

#include <stdbool.h>

/*
 * One subscriber of one stream: catching up from its own cursor by pages, or
 * live on what the shared read brings. First connect, resume, Redis restart,
 * slow client: all are the one transition between the two. Pure: no clock, no
 * descriptors; the caller asks what to do and tells what happened.
 *
 * The gate: an entry is delivered iff its id is greater than `last`, which
 * then becomes the id. So nothing is delivered twice or out of order.
 *
 * A page is read from `last` on. A page that is shorter than asked proves that
 * all entries up to the head at the time of asking were seen or are deleted:
 * last moves to at least that head. If the head has not moved on since, the
 * subscriber is live; it needs no page at all when it stands at the head.
 * (Going live after any short page loses what was added between the page and
 * now; not moving last to the head never goes live once the newest entry was
 * deleted.)
 *
 * Pages verify each other: one that begins with the cursor's own entry proves
 * that nothing was trimmed past it. If that entry is absent it was deleted or
 * there is a gap, and gap_check decides.
 *
 * The protocol. After every event ask sub_want; send what it names and call
 * sub_asked. At most one request is under way. Each is answered by one of
 *
 *   sub_lost     there is no reply, or `stale` is set when it comes: what has
 *                happened since made it useless; the same is asked again
 *   sub_suspect  SUB_VERIFY: the page does not begin with the cursor's entry;
 *                the page is dropped
 *   sub_page     after each entry of the page went through sub_pass, or the
 *                sink became full (sub_full) and the rest was dropped
 *
 * SUB_CHECK: tell a gap, if there is one, and then sub_resume_at. A resume
 * before the cursor answers the request: the page does not reach back so far.
 * Otherwise, with or without a gap, the page is taken as any other.
 *
 * Entries of the live read are offered, through sub_pass, to those with `live`
 * set, after the head has been moved to the newest of them. The head is what
 * the live read continues from. It is unknown until the connection of that read
 * has said what is the newest id of the stream (last-generated-id), and again
 * when that connection is lost or the stream was rewound.
 */

/* What is known of the stream's newest id. */
struct sub_head {
	bool known;
	struct id id;
};

/* n is the caller's choice. An until of ID_MAX is `+`. */
enum sub_want {
	SUB_NOTHING, /* live, paused, waiting for a reply or for the head */
	SUB_PAGE,    /* XRANGE key (last until COUNT n */
	SUB_VERIFY,  /* XRANGE key last until COUNT n+1 */
	SUB_CHECK,   /* facts for gap_check, and SUB_PAGE, in one MULTI */
	SUB_END,     /* all entries up to `until` have been delivered */
};

/* For the caller to read: last, until, live, stale. */
struct sub {
	struct id last;        /* cursor: the last entry delivered or passed */
	struct id from;        /* entries up to here are passed over */
	struct id until;       /* last entry wanted; ID_MAX = go on live */
	struct sub_head asked; /* the head when the page was asked for */
	bool live;
	bool inflight; /* a page is being read */
	bool stale;    /* the page being read no longer counts */
	bool paused;   /* the sink is full */
	bool waiting;  /* for the head, all else having been read */
	bool cursor;   /* last was reached: a gap after it would matter */
	bool suspect;  /* the cursor's entry is gone: look closer */
	bool ended;
};

/*
 * Start after `after`. cursor: it is a place that was reached before, so that
 * what has gone missing since is to be reported. Otherwise it is only where to
 * begin, and what was trimmed before the first page is not missing. A
 * subscriber with an until (inclusive) needs no head and is never live.
 */
void sub_init(struct sub *s, struct id after, bool cursor, struct id until);

/*
 * What to do next. The answer does not change until something is told. One that
 * has waited for the head may become live here.
 */
enum sub_want sub_want(struct sub *s, struct sub_head head);

/* What sub_want named was asked for, with this head at the time. */
void sub_asked(struct sub *s, struct sub_head head);

/* May an entry pass, and is it in range? If so it is now the last. */
bool sub_pass(struct sub *s, struct id id);

/*
 * The same of all entries from first to last at once, whose ids ascend. False
 * when not all of them may for sure; nothing has changed then.
 */
bool sub_pass_all(struct sub *s, struct id first, struct id last);

/*
 * The page has been dealt with. full: it held as many entries as were asked
 * for, the cursor's own (SUB_VERIFY) not counted on either side; so there may
 * be more. head: as it is now.
 */
void sub_page(struct sub *s, bool full, struct sub_head head);

/* SUB_VERIFY came back without the cursor's entry. */
void sub_suspect(struct sub *s);

/* A gap was found and told: go on after resume (may be before last). */
void sub_resume_at(struct sub *s, struct id resume);

/*
 * SUB_CHECK came back with this last-generated-id (0-0 if the key is missing).
 * Is it behind the head that was known when asking? Then the stream was rewound
 * or made anew, and the head is to be forgotten, after the reply was dealt
 * with. (The head of now proves nothing: it may have moved on while the reply
 * was under way. Nor is what the reply says a new head: more may have come, and
 * gone, since.)
 */
bool sub_rewound(const struct sub *s, struct id newest);

/* The reply is lost: ask again. */
void sub_lost(struct sub *s);

/*
 * The live read was interrupted and runs again, or the head was set back: what
 * it would have brought may be gone, so the cursor is looked at again by a page
 * that is asked for from now on. (Telling it before the read runs again is not
 * enough: the subscriber could be live once more by then.)
 */
void sub_unsure(struct sub *s);

/*
 * The sink is full: entries are no longer taken, until sub_drained. Those that
 * have passed count as delivered up to `taken`, which is one of them; what has
 * passed after it does not, nor does the rest of a page being read.
 */
void sub_full(struct sub *s, struct id taken);
void sub_drained(struct sub *s);

#endif
