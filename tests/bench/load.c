/*
 * Many SSE clients of one server on 127.0.0.1, and a publisher, in one process:
 * what does a delivery cost, how long does it take, does each message come
 * once? See README.md; the results are lines of `name value`. Exit status 1 if
 * a message was lost or doubled, or a client closed.
 */
/* ppoll(2) */
#define _GNU_SOURCE

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/hist.h"
#include "lib/proc.h"
#include "lib/pub.h"
#include "lib/swarm.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	LIVE_EVENTS = 256,
	HERD_EVENTS = 16, /* a few, so that the others are not kept waiting */
	ANSWERS_MAX = 1024,
	BATCH_MAX = 64, /* messages made at a time */
	OUT_BYTES = 1 << 20,
	QUIET_MS = 5000,
	TICK_MS = 20,
	GRACE_S = 20,
};

struct load {
	const struct conf *v;
	struct pub pub;
	struct swarm swarm;
	uint64_t deadline;
	/* Publishing, since `begin` (ns), from message `first` to `last`. */
	bool on;
	uint64_t begin, first, last, delivered_before, tried;
	struct hist live, during, late;
};

/* What is measured between two points of time. */
struct sample {
	uint64_t ns, delivered;
	struct proc server, redis, self;
};

static void
say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("load: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

/* --- The loop ------------------------------------------------------------ */

/* How many messages may be made by now? */
static uint64_t
due(const struct load *l, uint64_t now)
{
	const struct conf *v = l->v;
	uint64_t whole;

	if (v->rate > 0)
		return (uint64_t)((double)(now - l->begin) / CLOCK_S *
		    (double)v->rate);
	if (v->window == 0)
		return UINT64_MAX;
	whole = (l->swarm.delivered - l->delivered_before) * v->channels /
	    (v->clients - v->stuck);
	return whole + v->window;
}

static bool
may_publish(const struct load *l, uint64_t now)
{
	const struct pub *p = &l->pub;

	return l->on && p->fd >= 0 && p->sent < l->last &&
	    p->sent - l->first < due(l, now) &&
	    p->sent - p->acked < ANSWERS_MAX && p->out.n < OUT_BYTES;
}

/* When the next message is due, at a fixed rate; ns. */
static uint64_t
next_due(const struct load *l)
{
	return l->begin +
	    (uint64_t)((double)(l->pub.sent - l->first + 1) * CLOCK_S /
		(double)l->v->rate);
}

static void
publish(struct load *l)
{
	uint64_t now = clock_ns(), when;

	for (int i = 0; i < BATCH_MAX && may_publish(l, now); i++) {
		when = l->v->rate > 0 ? next_due(l) : now;
		hist_add(&l->late, now > when ? now - when : 0);
		pub_message(&l->pub);
	}
	if (l->pub.fd >= 0)
		(void)pub_serve(&l->pub);
	else if (now - l->tried > TICK_MS * CLOCK_MS) {
		l->tried = now;
		(void)pub_open(&l->pub);
	}
}

/* For how long there is nothing to publish; at most a tick. */
static struct timespec
idle(const struct load *l)
{
	uint64_t now = clock_ns(), when, ns = TICK_MS * CLOCK_MS;

	if (may_publish(l, now)) {
		ns = 0;
	} else if (l->on && l->pub.fd >= 0 && l->v->rate > 0) {
		when = next_due(l);
		if (when < now + ns)
			ns = when > now ? when - now : 0;
	}
	return (struct timespec){.tv_nsec = (long)ns};
}

static void
turn(struct load *l)
{
	struct timespec t;
	struct pollfd p[3] = {
	    {l->swarm.live, POLLIN, 0},
	    {l->swarm.herd, POLLIN, 0},
	    {l->pub.fd, POLLIN, 0},
	};

	publish(l);
	t = idle(l);
	if (pub_waiting(&l->pub))
		p[2].events |= POLLOUT;
	if (ppoll(p, 3, &t, NULL) <= 0)
		return;
	if (p[0].revents != 0)
		swarm_serve(&l->swarm, l->swarm.live, LIVE_EVENTS);
	if (p[1].revents != 0)
		swarm_serve(&l->swarm, l->swarm.herd, HERD_EVENTS);
}

static bool
over(const struct load *l)
{
	return clock_ns() > l->deadline;
}

static void
run_for(struct load *l, int64_t ms)
{
	uint64_t end = clock_ns() + (uint64_t)ms * CLOCK_MS;

	while (clock_ns() < end && !over(l))
		turn(l);
}

static void
start_publishing(struct load *l, uint64_t most)
{
	l->on = true;
	l->begin = clock_ns();
	l->first = l->pub.sent;
	l->last = most < UINT64_MAX ? l->first + most : most;
	l->delivered_before = l->swarm.delivered;
}

/* Stop publishing, until all have all, or nothing has come for some time. */
static void
drain(struct load *l)
{
	uint64_t seen = l->swarm.delivered, quiet = clock_ns();

	l->on = false;
	while (!over(l) &&
	    (l->pub.acked < l->pub.sent || swarm_behind(&l->swarm, &l->pub))) {
		run_for(l, TICK_MS);
		if (l->swarm.delivered != seen) {
			seen = l->swarm.delivered;
			quiet = clock_ns();
		}
		if (clock_ns() - quiet > (uint64_t)QUIET_MS * CLOCK_MS)
			break;
	}
}

/* --- Phases -------------------------------------------------------------- */

static void
prefill(struct load *l)
{
	start_publishing(l, l->v->prefill * l->v->channels);
	while (l->pub.acked < l->last && !over(l))
		turn(l);
	l->on = false;
}

static void
open_all(struct load *l)
{
	while (swarm_open(&l->swarm) && !over(l))
		turn(l);
	run_for(l, l->v->settle_ms);
	say("%zu of %zu clients connected", l->swarm.streaming,
	    (size_t)l->v->clients);
	if (l->swarm.streaming < l->v->clients)
		exit(2);
}

/* A message for each channel, until each client has had one. */
static void
join(struct load *l)
{
	for (int tries = 0; tries < 5; tries++) {
		if (l->swarm.joined == l->v->clients || over(l))
			break;
		start_publishing(l, l->v->channels);
		while (l->pub.acked < l->last && !over(l))
			turn(l);
		for (int i = 0; i < 100 && l->swarm.joined < l->v->clients; i++)
			run_for(l, TICK_MS);
	}
	drain(l);
	say("%zu have had a message", l->swarm.joined);
}

static void
warm(struct load *l)
{
	start_publishing(l, UINT64_MAX);
	run_for(l, l->v->warm_ms);
	drain(l);
	l->live = l->late = (struct hist){0};
}

/* Its time in seconds, from leaving until all have caught up. */
static double
herd(struct load *l)
{
	uint64_t begin = clock_ns();

	l->swarm.latency = &l->during;
	swarm_herd(&l->swarm, &l->pub, l->v->back);
	while (l->swarm.herd_left > 0 && !over(l))
		turn(l);
	l->swarm.latency = &l->live;
	return (double)(clock_ns() - begin) / CLOCK_S;
}

static void
take_sample(struct load *l, struct sample *s)
{
	proc_cpu(&s->self, getpid());
	proc_cpu(&s->redis, (pid_t)l->v->redis);
	proc_cpu(&s->server, (pid_t)l->v->server);
	s->delivered = l->swarm.delivered;
	s->ns = clock_ns();
}

/* --- Results ------------------------------------------------------------- */

static void
show(const char *name, double value)
{
	printf("%s %.4g\n", name, value);
}

static void
show_latency(const char *what, const struct hist *h)
{
	printf("%s_p50_ms %.4g\n", what, (double)hist_quantile(h, 0.5) / 1e6);
	printf("%s_p99_ms %.4g\n", what, (double)hist_quantile(h, 0.99) / 1e6);
	printf("%s_max_ms %.4g\n", what, (double)h->max / 1e6);
}

static void
show_costs(const struct sample *a, const struct sample *b)
{
	double n = (double)(b->delivered - a->delivered);
	double us = n > 0 ? 1e6 / n : 0;

	show("deliveries", n);
	show("deliveries_per_s", n * CLOCK_S / (double)(b->ns - a->ns));
	show("server_us", (b->server.cpu_s - a->server.cpu_s) * us);
	show("redis_us", (b->redis.cpu_s - a->redis.cpu_s) * us);
	show("load_us", (b->self.cpu_s - a->self.cpu_s) * us);
}

static void
show_memory(const struct load *l, const struct proc *before,
    const struct proc *idle_mem, const struct proc *after)
{
	show("private_kb",
	    (idle_mem->private_kb - before->private_kb) /
		(double)l->v->clients);
	show("rss_before_mb", idle_mem->rss_kb / 1024);
	show("rss_after_mb", after->rss_kb / 1024);
	show("rss_peak_mb", after->peak_kb / 1024);
}

/* Is all as it should be? */
static bool
show_faults(const struct load *l)
{
	const struct swarm *s = &l->swarm;
	uint64_t missing = s->missing + swarm_behind(s, &l->pub);

	show("not_joined", (double)(l->v->clients - s->joined));
	show("missing", (double)missing);
	show("doubled", (double)s->doubled);
	show("closed", (double)s->closed);
	show("publisher_lost", (double)l->pub.lost);
	return missing + s->doubled + s->closed == 0 &&
	    s->joined == l->v->clients && !over(l);
}

static int
measure(struct load *l)
{
	struct proc before = {0}, settled = {0}, after = {0};
	struct sample a = {0}, b = {0};
	double herd_s = 0;
	bool good;

	prefill(l);
	proc_memory(&before, (pid_t)l->v->server);
	open_all(l);
	proc_memory(&settled, (pid_t)l->v->server);
	join(l);
	warm(l);
	say("measuring");
	take_sample(l, &a);
	start_publishing(l, UINT64_MAX);
	run_for(l, l->v->run_ms / 3);
	if (l->v->herd > 0)
		herd_s = herd(l);
	run_for(l, l->v->run_ms - l->v->run_ms / 3);
	drain(l);
	take_sample(l, &b);
	proc_memory(&after, (pid_t)l->v->server);

	show("clients", (double)l->v->clients);
	show_latency("first_byte", &l->swarm.first_byte);
	show_costs(&a, &b);
	show_latency("latency", &l->live);
	show(
	    "publish_late_p99_ms", (double)hist_quantile(&l->late, 0.99) / 1e6);
	show_memory(l, &before, &settled, &after);
	if (l->v->herd > 0) {
		show("herd_s", herd_s);
		show_latency("during_herd", &l->during);
	}
	good = show_faults(l);
	return good ? 0 : 1;
}

/* --- Start --------------------------------------------------------------- */

static void
raise_limit(void)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

static struct pub_conf
pub_conf(const struct conf *v, uint64_t base)
{
	struct pub_conf c = {.kind = PUB_XADD,
	    .where = v->xadd,
	    .target = v->key,
	    .field = v->field,
	    .port = (int)v->port,
	    .channels = v->channels,
	    .size = v->size,
	    .maxlen = v->maxlen,
	    .base = base};

	if (v->post != NULL) {
		c.kind = PUB_POST;
		c.target = v->post;
	} else if (v->pipe != NULL) {
		c.kind = PUB_PIPE;
		c.where = v->pipe;
	}
	return c;
}

int
main(int argc, char **argv)
{
	struct conf v;
	uint64_t base = (uint64_t)time(NULL) * 1000;
	static struct load l;
	struct swarm_conf sc;
	struct pub_conf pc;
	int status;

	conf_read(&v, argc, argv);
	raise_limit();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	alarm((unsigned)(v.limit_ms / 1000) + GRACE_S);
	pc = pub_conf(&v, base);
	sc = (struct swarm_conf){.port = (int)v.port,
	    .path = v.path,
	    .clients = v.clients,
	    .channels = v.channels,
	    .stuck = v.stuck,
	    .herd = v.herd,
	    .base = base};
	l.v = &v;
	l.deadline = clock_ns() + (uint64_t)v.limit_ms * CLOCK_MS;
	pub_init(&l.pub, &pc);
	swarm_init(&l.swarm, &sc);
	l.swarm.latency = &l.live;
	if (pub_open(&l.pub) != 0) {
		perror("load: publisher");
		return 2;
	}
	status = measure(&l);
	swarm_free(&l.swarm);
	pub_free(&l.pub);
	return status;
}
