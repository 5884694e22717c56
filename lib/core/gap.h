#ifndef CORE_GAP_H
#define CORE_GAP_H

#include "wire/id.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Was anything lost between a cursor and what the stream still holds? Decided
 * from facts that were read in one MULTI with the page that follows them.
 */

/* XINFO STREAM, and XRANGE key cursor cursor. */
struct gap_facts {
	bool exists;        /* the key is there */
	bool cursor_exists; /* the cursor's entry is there */
	uint64_t length;    /* entries in the stream */
	struct id first;    /* of the first entry; when length > 0 */
	struct id last;     /* last-generated-id */
	/* Redis 7 and later: */
	bool has_added;
	uint64_t added;        /* entries-added */
	struct id max_deleted; /* max-deleted-entry-id, 0-0 for none */
};

enum gap_reason {
	GAP_NONE,
	GAP_TRIMMED,    /* entries behind the cursor have been removed */
	GAP_RESET,      /* the stream was deleted or made anew */
	GAP_REWOUND,    /* the cursor is beyond the stream's last id */
	GAP_DIVERGED,   /* the cursor was never part of this stream */
	GAP_BAD_CURSOR, /* not a cursor at all */
	GAP_HISTORY,    /* who keeps them elsewhere cannot tell them */
	GAP_REASONS,
};

struct gap {
	enum gap_reason reason;
	struct id after;  /* the cursor */
	struct id first;  /* the first entry still there; 0-0 if none */
	struct id resume; /* where to go on: entries > resume */
	bool certain;     /* the break is proven, rather than possible */
	bool has_lost;
	uint64_t lost; /* how many, when that can be known */
};

/*
 * `none`, `trimmed`, `reset`, `rewound`, `diverged`, `bad-cursor`, `history`.
 */
const char *gap_name(enum gap_reason reason);

/*
 * A cursor of 0-0, or one with the highest sequence number (the last instant
 * before a time), is a starting point: nothing can be missing after it.
 */
bool gap_is_start(struct id cursor);

/*
 * The verdict on cursor, which is taken to be the id of an entry if it is not a
 * start. Entries that XDEL removed are not missing.
 *
 * ordinal, when not 0, is the cursor's number in the count of all entries ever
 * added (entries-added when it was the newest); it makes the verdict on a
 * trimmed cursor exact unless entries after the cursor were deleted too, as do
 * ids of the form 0-N, which are dense. Otherwise a trimmed cursor is reported
 * with certain = false unless the facts alone decide.
 *
 * resume is such that asking again from there finds no gap, except that a
 * diverged cursor stays one. Only a cursor that is beyond the stream, or whose
 * stream is gone, is sent back by it: to the last id, or to 0-0.
 */
struct gap gap_check(
    const struct gap_facts *f, struct id cursor, uint64_t ordinal);

#endif
