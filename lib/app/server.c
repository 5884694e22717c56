#include "app/server.h"

#include "base/log.h"
#include "base/num.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	/* Descriptors for Redis, the log, the loop, and sockets that listen. */
	SPARE_FILES = 32,
	/* Clients that are being told that there are too many. */
	CROWD = 64,
	/* When to come back: after that, after a stop, after a lifetime. */
	RETRY_CROWD_MS = 30000,
	RETRY_STOP_MS = 2000,
	RETRY_LIFE_MS = 2000,
};

/* For who takes nothing to take it after all, when we stop. */
#define GRACE_S 3.

struct server_client {
	struct session session;
	struct server *server;
	struct server_client *next, *prev;
	struct peer *peer;     /* NULL: not counted */
	struct ev_timer *life; /* NULL: it has no end */
	int fd;
};

/* 0 <= x < 1 */
static double
draw(struct server *s)
{
	uint32_t half = 1U << 30;

	return backoff_jitter(s->conf->session->stream.random, half, 100) /
	    (2. * half + 1.);
}

static unsigned
retry_ms(struct server *s, unsigned about)
{
	return backoff_jitter(s->conf->session->stream.random, about, 50);
}

/* ---- Coming and going ---- */

static void
update(struct server *s)
{
	listen_hold(&s->listen, s->nclients >= s->max_conns + s->max_crowd);
	notify_clients(&s->notify, s->nclients);
}

static void
enter(struct server *s, struct server_client *c)
{
	c->server = s;
	c->next = s->clients;
	if (c->next != NULL)
		c->next->prev = c;
	s->clients = c;
	s->nclients++;
}

static void
leave(struct server_client *c)
{
	struct server *s = c->server;

	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->clients = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	s->nclients--;
	peers_leave(&s->peers, c->peer);
	if (c->life != NULL)
		ev_timer_stop(s->loop, c->life);
	free(c->life);
	session_free(&c->session);
	close(c->fd);
	free(c);
}

static void
on_session_end(void *arg)
{
	struct server_client *c = arg;
	struct server *s = c->server;

	leave(c);
	update(s);
	if (s->stopping && s->nclients == 0)
		s->on_end(s->arg);
}

static void
on_life_over(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct server_client *c = w->data;
	struct server *s = c->server;

	(void)loop;
	(void)revents;
	if (s->stopping)
		session_end(
		    &c->session, retry_ms(s, RETRY_STOP_MS), "terminated");
	else
		session_end(
		    &c->session, retry_ms(s, RETRY_LIFE_MS), "lifetime");
}

/* Without memory for it, the client stays until the server has drained. */
static void
set_life(struct server_client *c, double seconds)
{
	struct ev_loop *loop = c->server->loop;

	if (c->life == NULL)
		c->life = calloc(1, sizeof(*c->life));
	if (c->life == NULL)
		return;
	ev_timer_stop(loop, c->life);
	ev_timer_init(c->life, on_life_over, seconds, 0.);
	c->life->data = c;
	ev_timer_start(loop, c->life);
}

/* Clients of a unix socket have no address to be told apart by. */
static void
count_peer(struct server_client *c)
{
	struct server *s = c->server;
	struct str address = c->session.peer;

	if (s->conf->max_conns_per_peer > 0 && !str_eq(address, STR("-")))
		c->peer = peers_enter(&s->peers, address);
}

/*
 * Who is one too many is told so, for which a request has to come first. Whom
 * that does not keep from coming is not heard any more.
 */
static void
admit(struct server_client *c)
{
	struct server *s = c->server;
	uint64_t max = s->conf->max_conns_per_peer;
	uint64_t n = c->peer != NULL ? peers_count(c->peer) : 0;

	if (n > 2 * max) {
		s->conf->session->stats->declined++;
		client_drop(&c->session.client, "too-many");
	} else if (n > max || s->nclients > s->max_conns) {
		session_decline(&c->session, retry_ms(s, RETRY_CROWD_MS));
	}
}

static void
on_peer(void *arg)
{
	struct server_client *c = arg;

	peers_leave(&c->server->peers, c->peer);
	c->peer = NULL;
	count_peer(c);
	admit(c);
}

static void
on_accepted(void *arg, int fd)
{
	static const struct session_events events = {on_peer, on_session_end};
	struct server *s = arg;
	int64_t life_ms = s->conf->max_lifetime_ms;
	struct server_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return;
	}
	enter(s, c);
	c->fd = fd;
	session_start(&c->session, s->conf->session, fd, fd, &events, c);
	if (!s->conf->session->access->trust_forwarded)
		on_peer(c);
	if (life_ms != NUM_INF)
		set_life(c, (double)life_ms / 1000. * (1. - draw(s) / 5.));
	update(s);
}

static void
on_trouble(void *arg, int err)
{
	(void)arg;
	log_warn("accept: %s", strerror(err));
}

/* ---- Limits ---- */

/* How many files may be open, after asking for as many as are wanted. */
static uint64_t
allow_files(uint64_t wanted)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return wanted;
	if (rl.rlim_cur < wanted && rl.rlim_cur < rl.rlim_max) {
		rlim_t before = rl.rlim_cur;
		rl.rlim_cur = wanted < rl.rlim_max ? wanted : rl.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &rl) != 0)
			return before;
	}
	return rl.rlim_cur;
}

/* With fewer files than it takes, what is left is shared. */
static void
set_limits(struct server *s)
{
	uint64_t wanted = s->conf->max_conns, files;

	s->max_conns = wanted;
	s->max_crowd = CROWD;
	files = allow_files(wanted + CROWD + SPARE_FILES);
	if (files >= wanted + CROWD + SPARE_FILES)
		return;
	files = files > SPARE_FILES ? files - SPARE_FILES : 1;
	if (s->max_crowd > files / 4)
		s->max_crowd = files / 4;
	if (s->max_conns > files - s->max_crowd)
		s->max_conns = files - s->max_crowd;
	if (s->max_conns < wanted)
		log_warn("the limit of open files allows for %" PRIu64
			 " connections only",
		    s->max_conns);
}

/* ---- The end ---- */

static void
on_drained(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct server *s = w->data;

	(void)loop;
	(void)revents;
	for (struct server_client *c = s->clients; c != NULL; c = c->next)
		client_drop(&c->session.client, "terminated");
}

void
server_stop(struct server *s)
{
	double seconds = (double)s->conf->drain_ms / 1000.;
	double share, at = 0.;

	if (s->stopping)
		return;
	s->stopping = true;
	notify_stopping(&s->notify);
	listen_finish(&s->listen);
	if (s->nclients == 0)
		s->on_end(s->arg);
	if (s->nclients == 0 || s->conf->drain_ms == NUM_INF)
		return;
	share = seconds / (double)s->nclients;
	for (struct server_client *c = s->clients; c != NULL; c = c->next)
		set_life(c, at += share);
	ev_timer_set(&s->drained, seconds + GRACE_S, 0.);
	ev_timer_start(s->loop, &s->drained);
}

/* ---- ---- */

void
server_outage(struct server *s)
{
	for (struct server_client *c = s->clients; c != NULL; c = c->next)
		session_outage(&c->session);
}

void
server_refused(struct server *s)
{
	for (struct server_client *c = s->clients; c != NULL; c = c->next)
		session_refused(&c->session);
}

void
server_tally(const struct server *s, struct stats *t)
{
	for (const struct server_client *c = s->clients; c; c = c->next)
		session_tally(&c->session, t);
}

void
server_init(struct server *s, struct ev_loop *loop,
    const struct server_conf *conf, void (*on_end)(void *arg), void *arg)
{
	static const struct listen_events events = {on_accepted, on_trouble};

	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->conf = conf;
	s->on_end = on_end;
	s->arg = arg;
	listen_init(&s->listen, loop, &events, s);
	notify_init(&s->notify, loop);
	ev_init(&s->drained, on_drained);
	s->drained.data = s;
}

void
server_reload(struct server *s)
{
	set_limits(s);
	listen_tune(&s->listen, s->conf->session->stall_ms);
	update(s);
}

void
server_start(struct server *s)
{
	server_reload(s);
	notify_ready(&s->notify);
}

void
server_free(struct server *s)
{
	if (s->loop == NULL)
		return;
	listen_close(&s->listen);
	while (s->clients != NULL)
		leave(s->clients);
	peers_free(&s->peers);
	notify_free(&s->notify);
	ev_timer_stop(s->loop, &s->drained);
}
