#ifndef APP_POSITION_H
#define APP_POSITION_H

#include "app/feed.h"
#include "base/opt.h"

/*
 * Where to begin and end: -o SPEC (beginning, end, -N, ID, s@TIME, e@TIME),
 * -n N|all, -a CURSOR, -S TIME, -U TIME.
 */
struct position {
	struct opt_list offsets;
	const char *lines, *after, *since, *until;
};

extern const struct opt position_opts[];

/*
 * What p says: *start is the default when called and left alone without an
 * option, *until is the last id wanted (ID_MAX for none; TIME itself is not
 * included). *cursor is the text of -a, borrowed from p, if that is the cursor
 * of several channels (wire/cursor.h), and else absent; what it does not hold
 * starts by default. 0, or -1 and a reason in err, which is a usage error.
 */
int position_read(const struct position *p, int64_t now_ms,
    struct feed_start *start, struct id *until, struct str *cursor,
    struct buf *err);

/* The start at a TIME (num_time) by itself. 0, or -1 if it is none. */
int position_since(struct str time, int64_t now_ms, struct feed_start *start);

void position_free(struct position *p);

#endif
