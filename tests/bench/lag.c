/*
 * lag LISTEN UPSTREAM [WORD REQUEST_MS REPLY_MS]...: pass on what comes to the
 * unix socket LISTEN to the one at UPSTREAM, and back. From the first request
 * with WORD in it on, a connection's requests and replies come so much later:
 * as over a network, where what is sent on one connection overtakes another.
 */
/* memmem(3) */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LINKS = 64, CHUNK = 65536, RULE = 3 };

struct chunk {
	struct chunk *next;
	int64_t due_ms;
	size_t n; /* 0: the end */
	char bytes[];
};

/* One direction of a connection. */
struct way {
	int from, to;
	int64_t delay_ms;
	bool ended;
	struct chunk *first, **last;
};

struct link {
	bool used;
	struct way request, reply;
};

static struct link links[LINKS];
static char **rules;
static int nrules;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un a = address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, LINKS) != 0)
		die(path);
	return fd;
}

static void
open_link(int fd, const char *upstream)
{
	struct sockaddr_un a = address(upstream);
	int up = socket(AF_UNIX, SOCK_STREAM, 0);
	struct link *l = links;

	while (l < links + LINKS && l->used)
		l++;
	if (l == links + LINKS || up < 0 ||
	    connect(up, (struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		close(up);
		return;
	}
	*l =
	    (struct link){true, {.from = fd, .to = up}, {.from = up, .to = fd}};
	l->request.last = &l->request.first;
	l->reply.last = &l->reply.first;
}

static void
apply_rules(struct link *l, const char *p, size_t n)
{
	for (char **r = rules; r + RULE <= rules + nrules; r += RULE) {
		if (memmem(p, n, r[0], strlen(r[0])) == NULL)
			continue;
		l->request.delay_ms = atoi(r[1]);
		l->reply.delay_ms = atoi(r[2]);
	}
}

static void
take(struct link *l, struct way *w)
{
	struct chunk *c = malloc(sizeof(*c) + CHUNK);
	ssize_t n;

	if (c == NULL)
		die("malloc");
	n = read(w->from, c->bytes, CHUNK);
	c->n = n > 0 ? (size_t)n : 0;
	w->ended = c->n == 0;
	if (w == &l->request)
		apply_rules(l, c->bytes, c->n);
	/* An end is told at once, behind what has come before. */
	c->due_ms = now_ms() + (c->n > 0 ? w->delay_ms : 0);
	c->next = NULL;
	*w->last = c;
	w->last = &c->next;
}

static bool
is_due(const struct way *w)
{
	return w->first != NULL && w->first->due_ms <= now_ms();
}

static void
pass_on(struct way *w)
{
	struct chunk *c = w->first;

	if (c->n == 0)
		shutdown(w->to, SHUT_WR);
	for (size_t done = 0; done < c->n;) {
		ssize_t n =
		    send(w->to, c->bytes + done, c->n - done, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	w->first = c->next;
	if (w->first == NULL)
		w->last = &w->first;
	free(c);
}

static void
close_if_over(struct link *l)
{
	if (!l->request.ended || !l->reply.ended || l->request.first != NULL ||
	    l->reply.first != NULL)
		return;
	close(l->request.from);
	close(l->reply.from);
	l->used = false;
}

static void
turn(int listener, const char *upstream)
{
	struct pollfd p[1 + 2 * LINKS] = {{.fd = listener, .events = POLLIN}};

	for (size_t i = 0; i < LINKS; i++) {
		struct link *l = &links[i];
		bool in = l->used && !l->request.ended;
		bool out = l->used && !l->reply.ended;
		p[1 + 2 * i] = (struct pollfd){
		    .fd = in ? l->request.from : -1, .events = POLLIN};
		p[2 + 2 * i] = (struct pollfd){
		    .fd = out ? l->reply.from : -1, .events = POLLIN};
	}
	poll(p, 1 + 2 * LINKS, 1);
	for (size_t i = 0; i < LINKS; i++) {
		struct link *l = &links[i];
		if (!l->used)
			continue;
		if (p[1 + 2 * i].revents != 0)
			take(l, &l->request);
		if (p[2 + 2 * i].revents != 0)
			take(l, &l->reply);
		while (is_due(&l->request))
			pass_on(&l->request);
		while (is_due(&l->reply))
			pass_on(&l->reply);
		close_if_over(l);
	}
	if (p[0].revents != 0)
		open_link(accept(listener, NULL, NULL), upstream);
}

int
main(int argc, char **argv)
{
	int fd;

	if (argc < 3 || (argc - 3) % RULE != 0) {
		fprintf(stderr,
		    "usage: lag LISTEN UPSTREAM [WORD REQUEST_MS "
		    "REPLY_MS]...\n");
		return 2;
	}
	rules = argv + 3;
	nrules = argc - 3;
	fd = listen_at(argv[1]);
	for (;;)
		turn(fd, argv[2]);
}
