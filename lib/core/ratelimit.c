#include "core/ratelimit.h"

#include <stddef.h>

/* An end that lies too far ahead is of before the clock was set back. */
static bool
holds(int64_t until_ms, int64_t now_ms)
{
	return until_ms > now_ms && until_ms <= now_ms + RATELIMIT_MS;
}

bool
ratelimit_pass(struct ratelimit *r, struct str text, int64_t now_ms)
{
	uint64_t hash = str_hash(text);
	size_t room = RATELIMIT_MAX;

	for (size_t i = 0; i < RATELIMIT_MAX; i++) {
		if (!holds(r->passed[i].until_ms, now_ms))
			room = i;
		else if (r->passed[i].hash == hash)
			return false;
	}
	if (room == RATELIMIT_MAX)
		return false;
	r->passed[room].hash = hash;
	r->passed[room].until_ms = now_ms + RATELIMIT_MS;
	return true;
}
