#include "core/backoff.h"

/* splitmix64: every seed is a good one, 0 and consecutive numbers too. */
static uint64_t
draw(struct backoff *b)
{
	uint64_t z = b->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t
draw_between(struct backoff *b, uint64_t low, uint64_t high)
{
	return (uint32_t)(low + draw(b) % (high - low + 1));
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
backoff_init(
    struct backoff *b, uint32_t base_ms, uint32_t cap_ms, uint64_t seed)
{
	*b = (struct backoff){
	    .base_ms = base_ms, .cap_ms = cap_ms, .seed = seed};
}

void
backoff_reset(struct backoff *b)
{
	b->n = 0;
}

uint32_t
backoff_next(struct backoff *b)
{
	uint64_t high = least(b->cap_ms, (uint64_t)b->base_ms << b->n);

	if (b->n < 32)
		b->n++;
	return draw_between(b, least(b->base_ms / 2, high), high);
}

uint32_t
backoff_jitter(struct backoff *b, uint32_t v, unsigned percent)
{
	uint64_t spread = (uint64_t)v * least(percent, 100) / 100;

	return draw_between(b, v - spread, least(v + spread, UINT32_MAX));
}
