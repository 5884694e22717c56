/* ppoll(2) */
#define _GNU_SOURCE

#include "drive.h"

#include "clock.h"

#include <poll.h>
#include <time.h>

enum {
	LIVE_EVENTS = 256,
	HERD_EVENTS = 16,   /* a few, so that the others are not kept waiting */
	ANSWERS_MAX = 1024, /* that are awaited */
	BATCH_MAX = 64,     /* messages made at a time */
	OUT_BYTES = 1 << 20,
	TICK_MS = 20,
	QUIET_MS = 5000,
};

static const uint64_t tick_ns = (uint64_t)TICK_MS * CLOCK_MS;

static struct pub_conf
pub_conf(const struct conf *c, uint64_t base)
{
	struct pub_conf p = {.kind = PUB_XADD,
	    .where = c->xadd,
	    .port = (int)c->port,
	    .target = c->key,
	    .field = c->field,
	    .channels = c->channels,
	    .size = c->size,
	    .maxlen = c->maxlen,
	    .base = base};

	if (c->post != NULL) {
		p.kind = PUB_POST;
		p.target = c->post;
	} else if (c->pipe != NULL) {
		p.kind = PUB_PIPE;
		p.where = c->pipe;
	}
	return p;
}

int
drive_init(struct drive *d, const struct conf *c)
{
	uint64_t base = (uint64_t)time(NULL) * 1000;

	*d = (struct drive){.conf = c,
	    .deadline = clock_ns() + (uint64_t)c->limit_ms * CLOCK_MS,
	    .pub_conf = pub_conf(c, base),
	    .swarm_conf = {.port = (int)c->port,
		.path = c->path,
		.clients = c->clients,
		.channels = c->channels,
		.stuck = c->stuck,
		.herd = c->herd,
		.base = base}};
	pub_init(&d->pub, &d->pub_conf);
	swarm_init(&d->swarm, &d->swarm_conf);
	return pub_open(&d->pub);
}

void
drive_free(struct drive *d)
{
	swarm_free(&d->swarm);
	pub_free(&d->pub);
}

bool
drive_over(const struct drive *d)
{
	return clock_ns() > d->deadline;
}

/* --- Publishing ---------------------------------------------------------- */

static uint64_t
made(const struct drive *d)
{
	return d->pub.sent - d->first;
}

/* How many messages may have been made by now? */
static uint64_t
due(const struct drive *d, uint64_t now)
{
	const struct conf *c = d->conf;
	uint64_t whole;

	if (d->pace == DRIVE_OFF)
		return 0;
	if (d->pace == DRIVE_PACED && c->rate > 0)
		return (uint64_t)((double)(now - d->begin) / CLOCK_S *
		    (double)c->rate);
	if (d->pace == DRIVE_FREE || c->window == 0)
		return UINT64_MAX;
	whole = (d->swarm.delivered - d->delivered) * c->channels /
	    (c->clients - c->stuck);
	return whole + c->window;
}

/* When the next message is due; ns. */
static uint64_t
next_due(const struct drive *d, uint64_t now)
{
	if (d->pace != DRIVE_PACED || d->conf->rate == 0)
		return now;
	return d->begin +
	    (uint64_t)((double)(made(d) + 1) * CLOCK_S / (double)d->conf->rate);
}

static bool
may_publish(const struct drive *d, uint64_t now)
{
	const struct pub *p = &d->pub;

	return p->fd >= 0 && made(d) < due(d, now) &&
	    p->sent - p->acked < ANSWERS_MAX && p->out.n < OUT_BYTES;
}

static void
publish(struct drive *d)
{
	uint64_t now = clock_ns(), when;

	for (int i = 0; i < BATCH_MAX && may_publish(d, now); i++) {
		when = next_due(d, now);
		hist_add(&d->late, now > when ? now - when : 0);
		pub_message(&d->pub);
	}
	if (d->pub.fd >= 0) {
		(void)pub_serve(&d->pub);
	} else if (now - d->tried > tick_ns) {
		d->tried = now;
		(void)pub_open(&d->pub);
	}
}

static void
begin(struct drive *d, enum drive_pace pace)
{
	d->pace = pace;
	d->begin = clock_ns();
	d->first = d->pub.sent;
	d->delivered = d->swarm.delivered;
}

void
drive_publish(struct drive *d)
{
	begin(d, DRIVE_PACED);
}

void
drive_publish_now(struct drive *d, uint64_t n)
{
	begin(d, DRIVE_OFF);
	while (d->pub.acked < d->first + n && !drive_over(d)) {
		d->pace = made(d) < n ? DRIVE_FREE : DRIVE_OFF;
		drive_turn(d);
	}
	d->pace = DRIVE_OFF;
}

/* --- The loop ------------------------------------------------------------ */

/* For how long there is nothing to publish; at most a tick. */
static struct timespec
idle(const struct drive *d)
{
	uint64_t now = clock_ns(), when, ns = tick_ns;

	if (may_publish(d, now)) {
		ns = 0;
	} else if (d->pace == DRIVE_PACED && d->conf->rate > 0) {
		when = next_due(d, now);
		if (when > now && when - now < ns)
			ns = when - now;
	}
	return (struct timespec){.tv_nsec = (long)ns};
}

void
drive_turn(struct drive *d)
{
	struct timespec t;
	struct pollfd p[3] = {
	    {d->swarm.live, POLLIN, 0},
	    {d->swarm.herd, POLLIN, 0},
	    {d->pub.fd, POLLIN, 0},
	};

	publish(d);
	t = idle(d);
	p[2].fd = d->pub.fd;
	if (pub_waiting(&d->pub))
		p[2].events |= POLLOUT;
	if (ppoll(p, 3, &t, NULL) <= 0)
		return;
	if (p[0].revents != 0)
		swarm_serve(&d->swarm, d->swarm.live, LIVE_EVENTS);
	if (p[1].revents != 0)
		swarm_serve(&d->swarm, d->swarm.herd, HERD_EVENTS);
}

void
drive_for(struct drive *d, int64_t ms)
{
	uint64_t end = clock_ns() + (uint64_t)ms * CLOCK_MS;

	while (clock_ns() < end && !drive_over(d))
		drive_turn(d);
}

static bool
all_done(const struct drive *d)
{
	return d->pub.acked >= d->pub.sent &&
	    swarm_behind(&d->swarm, &d->pub) == 0;
}

void
drive_drain(struct drive *d)
{
	uint64_t seen = 0, quiet = clock_ns();

	d->pace = DRIVE_OFF;
	while (!drive_over(d) && !all_done(d)) {
		drive_for(d, TICK_MS);
		if (d->swarm.delivered != seen) {
			seen = d->swarm.delivered;
			quiet = clock_ns();
		}
		if (clock_ns() - quiet > (uint64_t)QUIET_MS * CLOCK_MS)
			break;
	}
}
