#ifndef CORE_RATELIMIT_H
#define CORE_RATELIMIT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Messages for people that a thousand clients may cause at once: each is let
 * through once a minute, and so are no more than RATELIMIT_MAX in all.
 */
enum { RATELIMIT_MAX = 64, RATELIMIT_MS = 60000 };

/* Begins zeroed. */
struct ratelimit {
	struct {
		uint64_t hash;
		int64_t until_ms; /* 0: not used */
	} passed[RATELIMIT_MAX];
};

/* May this text be said? now_ms: Unix time; it may jump. */
bool ratelimit_pass(struct ratelimit *r, struct str text, int64_t now_ms);

#endif
