#ifndef ANSWER_CHECK_H
#define ANSWER_CHECK_H

#include "base/str.h"

#include <stdbool.h>

/* The judge of all that a server of channels may answer: abort(3) if wrong. */

struct answer_traits {
	bool head_only; /* to HEAD */
	bool merged;    /* of several channels: cursors are no ids */
	bool whole;     /* the server has come to its end by itself */
};

/*
 * Is out the answer to one request, or, unless it is whole, the beginning of
 * one? Then the status is returned, or 0 if there is none so far.
 */
int answer_check(struct str out, const struct answer_traits *traits);

#endif
