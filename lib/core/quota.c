#include "core/quota.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Of each peer one time is kept: what he has used is how far it is ahead, as a
 * part of the rate's time (GCRA, ITU-T I.371).
 */
enum { US = 1000 };

struct moment {
	int64_t now_us, per_us;
};

/* A time that lies too far ahead is of before the clock was set back. */
static int64_t
used_us(const struct quota_peer *p, const struct moment *at)
{
	int64_t used = p->whole_us - at->now_us;

	return used > 0 && used <= at->per_us ? used : 0;
}

/*
 * The peer's place; or one that is not used; or, as it is, the one where the
 * least is used: the newcomer goes on from there.
 */
static struct quota_peer *
find(struct quota *q, uint64_t hash, const struct moment *at)
{
	struct quota_peer *set = q->peers[hash % QUOTA_SETS], *least = set;

	for (size_t i = 0; i < QUOTA_WAYS; i++)
		if (set[i].hash == hash)
			return &set[i];
	for (size_t i = 1; i < QUOTA_WAYS; i++)
		if (used_us(&set[i], at) < used_us(least, at))
			least = &set[i];
	return least;
}

static int64_t
ask(struct quota *q, const struct quota_rate *rate, struct str peer, uint64_t n,
    int64_t now_ms, bool take)
{
	const struct moment at = {now_ms * US, rate->per_ms * US};
	uint64_t hash = str_hash(peer);
	struct quota_peer *p;
	int64_t used;

	if (n > rate->n)
		return -1;
	p = find(q, hash, &at);
	used = used_us(p, &at) + (int64_t)(n * (uint64_t)at.per_us / rate->n);
	if (used > at.per_us)
		return (used - at.per_us + US - 1) / US;
	if (take)
		*p = (struct quota_peer){hash, at.now_us + used};
	return 0;
}

int64_t
quota_wait(struct quota *q, const struct quota_rate *rate, struct str peer,
    uint64_t n, int64_t now_ms)
{
	return ask(q, rate, peer, n, now_ms, false);
}

int64_t
quota_take(struct quota *q, const struct quota_rate *rate, struct str peer,
    uint64_t n, int64_t now_ms)
{
	return ask(q, rate, peer, n, now_ms, true);
}
