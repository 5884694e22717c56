#ifndef CORE_TOKENS_H
#define CORE_TOKENS_H

#include "base/buf.h"

#include <stddef.h>

/*
 * Who may do what: a text with a token in each line, what it allows, and for
 * which channels (str_glob). A token may stand in several lines.
 *
 *	# a comment
 *	TOKEN r|w|rw GLOB...
 */

enum { TOKENS_TOKEN_MAX = 256 };

enum tokens_right { TOKENS_READ = 1, TOKENS_WRITE = 2 };

struct tokens {
	struct token_line *lines; /* owned, as are their globs */
	size_t n;
};

/*
 * Read such a text, which is copied. 0, or -1 with `LINE: reason` in err, and
 * *t is empty: also if there is no token in it, because it may be cut off.
 */
int tokens_parse(struct tokens *t, struct str text, struct buf *err);

/* Zeroes what it frees. Harmless when zeroed. */
void tokens_free(struct tokens *t);

enum tokens_answer { TOKENS_UNKNOWN, TOKENS_DENIED, TOKENS_GRANTED };

/*
 * What a token is worth for that right to a channel, or to any at all if
 * channel is absent. The time that it takes to look for a token depends only on
 * the number of lines.
 */
enum tokens_answer tokens_check(const struct tokens *t, struct str token,
    enum tokens_right right, struct str channel);

#endif
