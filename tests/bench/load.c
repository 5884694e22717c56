/*
 * Many SSE clients of one server on 127.0.0.1, and a publisher, in one process:
 * what does a delivery cost, how long does it take, does each message come
 * once? See README.md; the results are lines of `name value`. Exit status 1
 * when a message was lost or doubled or a client closed, 2 for other trouble.
 */
/* setrlimit(2), PR_SET_TIMERSLACK */
#define _DEFAULT_SOURCE

#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/drive.h"
#include "lib/hist.h"
#include "lib/proc.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TRIES = 5, JOIN_MS = 2000, GRACE_S = 20 };

/* What had been used at a point of time. */
struct sample {
	uint64_t ns, delivered;
	struct proc server, redis, self;
};

struct load {
	const struct conf *conf;
	struct drive drive;
	struct proc empty, idle, end; /* the server's memory */
	uint64_t opened_ns;
	struct sample before, opened, from, to;
	/* Latency until the herd leaves, until it has caught up, and then. */
	struct hist live, during, after;
	double herd_s;
};

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

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

static void
take_sample(struct load *l, struct sample *s)
{
	proc_cpu(&s->self, getpid());
	proc_cpu(&s->redis, (pid_t)l->conf->redis);
	proc_cpu(&s->server, (pid_t)l->conf->server);
	s->delivered = l->drive.swarm.delivered;
	s->ns = clock_ns();
}

/* --- Phases -------------------------------------------------------------- */

static void
open_all(struct load *l)
{
	struct drive *d = &l->drive;

	proc_memory(&l->empty, (pid_t)l->conf->server);
	take_sample(l, &l->before);
	while (swarm_open(&d->swarm) && !drive_over(d))
		drive_turn(d);
	l->opened_ns = clock_ns() - l->before.ns;
	drive_for(d, l->conf->settle_ms);
	take_sample(l, &l->opened);
	proc_memory(&l->idle, (pid_t)l->conf->server);
	say("%zu clients have connected", d->swarm.streaming);
	if (d->swarm.streaming < l->conf->clients)
		exit(2);
}

/* A message for each channel, until each client has had one. */
static void
join(struct load *l)
{
	struct drive *d = &l->drive;

	for (int i = 0; i < TRIES && d->swarm.joined < l->conf->clients; i++) {
		uint64_t end = clock_ns() + (uint64_t)JOIN_MS * CLOCK_MS;
		drive_publish_now(d, l->conf->channels);
		while (d->swarm.joined < l->conf->clients && clock_ns() < end)
			drive_turn(d);
	}
	drive_drain(d);
	say("%zu have had a message", d->swarm.joined);
}

static void
warm(struct load *l)
{
	drive_publish(&l->drive);
	drive_for(&l->drive, l->conf->warm_ms);
	drive_drain(&l->drive);
	l->live = l->drive.late = (struct hist){0};
}

static void
herd(struct load *l)
{
	struct swarm *s = &l->drive.swarm;
	uint64_t begin = clock_ns();

	s->latency = &l->during;
	swarm_herd(s, &l->drive.pub, l->conf->back);
	while (s->herd_left > 0 && !drive_over(&l->drive))
		drive_turn(&l->drive);
	s->latency = &l->after;
	l->herd_s = (double)(clock_ns() - begin) / CLOCK_S;
}

static void
measure(struct load *l)
{
	struct drive *d = &l->drive;

	say("measuring");
	take_sample(l, &l->from);
	drive_publish(d);
	drive_for(d, l->conf->run_ms / 3);
	if (l->conf->herd > 0)
		herd(l);
	drive_for(d, l->conf->run_ms - l->conf->run_ms / 3);
	drive_drain(d);
	take_sample(l, &l->to);
	proc_memory(&l->end, (pid_t)l->conf->server);
}

/* --- Results ------------------------------------------------------------- */

static void
show(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
}

static void
show_times(const char *what, const struct hist *h)
{
	printf("%s_p50_ms %.4g\n", what, (double)hist_quantile(h, 0.5) / 1e6);
	printf("%s_p99_ms %.4g\n", what, (double)hist_quantile(h, 0.99) / 1e6);
	printf("%s_max_ms %.4g\n", what, (double)h->max / 1e6);
}

/* The time of one of n things, which took so many seconds. */
static double
each_us(double seconds, double n)
{
	return n > 0 ? seconds * 1e6 / n : 0;
}

static void
show_opening(const struct load *l)
{
	double n = (double)l->conf->clients;

	show("clients", n);
	show("open_s", (double)l->opened_ns / CLOCK_S);
	show("open_server_us",
	    each_us(l->opened.server.cpu_s - l->before.server.cpu_s, n));
	show("open_redis_us",
	    each_us(l->opened.redis.cpu_s - l->before.redis.cpu_s, n));
	show_times("first_byte", &l->drive.swarm.first_byte);
	show("private_kb", (l->idle.private_kb - l->empty.private_kb) / n);
}

static void
show_delivery(const struct load *l)
{
	const struct sample *a = &l->from, *b = &l->to;
	double n = (double)(b->delivered - a->delivered);

	show("deliveries", n);
	show("deliveries_per_s", n * CLOCK_S / (double)(b->ns - a->ns));
	show("server_us", each_us(b->server.cpu_s - a->server.cpu_s, n));
	show("redis_us", each_us(b->redis.cpu_s - a->redis.cpu_s, n));
	show("load_us", each_us(b->self.cpu_s - a->self.cpu_s, n));
	show_times("latency", &l->live);
	show("late_p99_ms", (double)hist_quantile(&l->drive.late, 0.99) / 1e6);
	show("rss_before_mb", l->idle.rss_kb / 1024);
	show("rss_after_mb", l->end.rss_kb / 1024);
	show("rss_peak_mb", l->end.peak_kb / 1024);
	if (l->conf->herd > 0) {
		show("herd_s", l->herd_s);
		show_times("during_herd", &l->during);
	}
}

/* Was all as it should be? */
static bool
show_faults(const struct load *l)
{
	const struct drive *d = &l->drive;
	const struct swarm *s = &d->swarm;
	uint64_t missing = s->missing + swarm_behind(s, &d->pub);

	show("not_joined", (double)(l->conf->clients - s->joined));
	show("missing", (double)missing);
	show("doubled", (double)s->doubled);
	show("closed", (double)s->closed);
	return missing + s->doubled + s->closed == 0 &&
	    s->joined == l->conf->clients && !drive_over(d);
}

/* --- Start --------------------------------------------------------------- */

static void
prepare(const struct conf *c)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	/* Should the loop hang, in spite of its deadline. */
	alarm((unsigned)(c->limit_ms / 1000) + GRACE_S);
}

int
main(int argc, char **argv)
{
	static struct load l;
	struct conf c;
	bool good;

	conf_read(&c, argc, argv);
	prepare(&c);
	l.conf = &c;
	if (drive_init(&l.drive, &c) != 0) {
		perror("load: publisher");
		return 2;
	}
	l.drive.swarm.latency = &l.live;
	drive_publish_now(&l.drive, c.prefill * c.channels);
	open_all(&l);
	join(&l);
	warm(&l);
	measure(&l);
	show_opening(&l);
	show_delivery(&l);
	good = show_faults(&l);
	drive_free(&l.drive);
	return good ? 0 : 1;
}
