/* IP_BIND_ADDRESS_NO_PORT, strcasestr(3) */
#define _GNU_SOURCE

#include "swarm.h"

#include "clock.h"
#include "target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	OPENING_MAX = 64,          /* clients that connect at a time */
	PORTS_PER_ADDRESS = 20000, /* of 28 232 ephemeral ones */
	EVENTS_MAX = 256,
	READ_BYTES = 65536,
	TEXT_MAX = 1 << 20,
	TEXT_KEPT = 1024,
	REQUEST_BYTES = 512,
	CURSOR_BYTES = 64,
};

static _Noreturn void
die(const char *what)
{
	perror(what);
	exit(2);
}

void
swarm_init(struct swarm *s, const struct swarm_conf *conf)
{
	*s = (struct swarm){.conf = conf,
	    .live = epoll_create1(EPOLL_CLOEXEC),
	    .herd = epoll_create1(EPOLL_CLOEXEC)};
	s->clients = calloc(conf->clients, sizeof(*s->clients));
	if (s->clients == NULL || s->live < 0 || s->herd < 0)
		die("swarm");
	for (size_t i = 0; i < conf->clients; i++) {
		struct swarm_client *c = &s->clients[i];
		c->fd = -1;
		c->stuck = i + conf->stuck >= conf->clients;
		c->herd = i + conf->herd >= conf->clients;
		buf_init(&c->text, TEXT_MAX);
	}
}

void
swarm_free(struct swarm *s)
{
	for (size_t i = 0; i < s->conf->clients; i++) {
		if (s->clients[i].fd >= 0)
			close(s->clients[i].fd);
		buf_free(&s->clients[i].text);
	}
	free(s->clients);
	close(s->live);
	close(s->herd);
}

static size_t
number(const struct swarm *s, const struct swarm_client *c)
{
	return (size_t)(c - s->clients);
}

static size_t
channel(const struct swarm *s, const struct swarm_client *c)
{
	return number(s, c) % s->conf->channels;
}

/* --- Connecting ---------------------------------------------------------- */

static int
set_of(const struct swarm *s, const struct swarm_client *c)
{
	return c->seen != 0 ? s->herd : s->live;
}

static void
watch(struct swarm *s, struct swarm_client *c, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};

	if (epoll_ctl(set_of(s, c), op, c->fd, &e) != 0)
		die("epoll");
}

/* More clients than ports come from several addresses. */
static void
choose_address(const struct swarm *s, const struct swarm_client *c)
{
	uint32_t host = (uint32_t)(number(s, c) / PORTS_PER_ADDRESS);
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host)};
	int one = 1;

	if (host == 0)
		return;
	setsockopt(
	    c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	if (bind(c->fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die("bind");
}

static void
start(struct swarm *s, struct swarm_client *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)s->conf->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	choose_address(s, c);
	c->state = SWARM_CONNECTING;
	c->chunked = (struct chunked){0};
	c->in_chunks = false;
	buf_clear(&c->text);
	c->started = clock_ns();
	if (connect(c->fd, (const struct sockaddr *)&a, sizeof(a)) != 0 &&
	    errno != EINPROGRESS)
		die("connect");
	watch(s, c, EPOLL_CTL_ADD, EPOLLOUT);
	s->opening++;
}

bool
swarm_open(struct swarm *s)
{
	while (s->begun < s->conf->clients && s->opening < OPENING_MAX)
		start(s, &s->clients[s->begun++]);
	return s->opening > 0;
}

static void
stop(struct swarm *s, struct swarm_client *c)
{
	s->opening -= c->state == SWARM_CONNECTING || c->state == SWARM_HEAD;
	s->streaming -= c->state == SWARM_BODY;
	close(c->fd);
	c->fd = -1;
	c->state = SWARM_CLOSED;
}

static void
closed(struct swarm *s, struct swarm_client *c)
{
	stop(s, c);
	s->closed++;
}

static void
ask(struct swarm *s, struct swarm_client *c)
{
	char path[TARGET_BYTES], cursor[CURSOR_BYTES] = "";
	char request[REQUEST_BYTES];
	int n;

	target_format(path, s->conf->path, channel(s, c));
	if (c->seen != 0)
		snprintf(cursor, sizeof(cursor), "Last-Event-ID: %llu-%llu\r\n",
		    (unsigned long long)s->conf->base,
		    (unsigned long long)c->seen);
	n = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: bench\r\n"
	    "Accept: text/event-stream\r\n%s\r\n",
	    path, cursor);
	c->state = SWARM_HEAD;
	if (send(c->fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		closed(s, c);
	else
		watch(s, c, EPOLL_CTL_MOD, EPOLLIN);
}

/* --- Reading ------------------------------------------------------------- */

static void
message(struct swarm *s, struct swarm_client *c, uint64_t seq, uint64_t sent,
    uint64_t now)
{
	if (!c->joined) {
		c->joined = true;
		c->next = seq;
		s->joined++;
	}
	if (seq < c->next) {
		s->doubled++;
		return;
	}
	if (c->next < c->goal && seq + 1 >= c->goal)
		s->herd_left--;
	s->missing += seq - c->next;
	c->next = seq + 1;
	s->delivered++;
	if (!c->herd)
		hist_add(s->latency, now > sent ? now - sent : 0);
}

/* Digits and the space behind them. */
static bool
take_number(const char **p, const char *end, uint64_t *v)
{
	const char *s = *p;

	for (*v = 0; s < end && *s >= '0' && *s <= '9'; s++)
		*v = *v * 10 + (uint64_t)(*s - '0');
	if (s == *p || s == end || *s != ' ')
		return false;
	*p = s + 1;
	return true;
}

/* `data: SEQUENCE TIME ...`, maybe as a JSON string; all else is not ours. */
struct line {
	const char *p;
	uint64_t seq, sent;
};

static bool
read_line(struct line *l, const char *p, const char *end)
{
	l->p = p;
	if (end - p < 6 || memcmp(p, "data:", 5) != 0)
		return false;
	p += 5;
	p += *p == ' ';
	p += p < end && *p == '"';
	return take_number(&p, end, &l->seq) && take_number(&p, end, &l->sent);
}

/* Messages that another client has had, too: bytes. */
static size_t
known(struct swarm *s, struct swarm_client *c, const char *p, size_t n,
    uint64_t now)
{
	const struct known_message *m;
	size_t done = 0;

	while (
	    (m = known_find(&s->known, c->next, p + done, n - done)) != NULL) {
		message(s, c, m->seq, m->sent, now);
		done += m->n;
	}
	return done;
}

/* Remember a message, which is followed by that at `next`. */
static void
remember(struct swarm *s, const struct line *l, const char *next)
{
	if (l->p != NULL && s->conf->channels == 1)
		known_add(
		    &s->known, l->seq, l->sent, l->p, (size_t)(next - l->p));
}

/* Bytes of whole lines, which have been understood. */
static size_t
lines(struct swarm *s, struct swarm_client *c, const char *p, size_t n,
    uint64_t now)
{
	const char *begin = p, *end = p + n, *newline;
	struct line line, last = {0};
	size_t same;

	for (;; p = newline + 1) {
		same = known(s, c, p, (size_t)(end - p), now);
		p += same;
		newline = memchr(p, '\n', (size_t)(end - p));
		if (newline == NULL)
			return (size_t)(p - begin);
		if (same > 0)
			last.p = NULL;
		if (!read_line(&line, p, newline))
			continue;
		remember(s, &last, p);
		message(s, c, line.seq, line.sent, now);
		last = line;
	}
}

static void
body(struct swarm *s, struct swarm_client *c, const char *p, size_t n,
    uint64_t now)
{
	size_t done = 0;
	bool end;

	if (c->in_chunks) {
		if (chunked_take(&c->chunked, p, n, &c->text, &end) < 0)
			closed(s, c);
	} else {
		if (c->text.n == 0)
			done = lines(s, c, p, n, now);
		buf_add(&c->text, p + done, n - done);
	}
	if (c->text.n > 0)
		buf_drop(&c->text, lines(s, c, c->text.p, c->text.n, now));
	if (c->text.n == 0)
		buf_shrink(&c->text, TEXT_KEPT);
}

/* What follows the head is the body; false until all of the head is there. */
static bool
head(struct swarm *s, struct swarm_client *c)
{
	char *end;

	if (buf_room(&c->text, 1) == NULL)
		die("head");
	c->text.p[c->text.n] = '\0';
	if ((end = strstr(c->text.p, "\r\n\r\n")) == NULL)
		return false;
	end[2] = '\0';
	if (strncmp(c->text.p, "HTTP/1.1 200", 12) != 0) {
		if (s->closed == 0)
			fprintf(stderr, "load: %s\n", c->text.p);
		closed(s, c);
		return false;
	}
	c->in_chunks =
	    strcasestr(c->text.p, "\nTransfer-Encoding: chunked") != NULL;
	c->state = SWARM_BODY;
	s->opening--;
	s->streaming++;
	buf_drop(&c->text, (size_t)(end + 4 - c->text.p));
	return true;
}

static void
begin(struct swarm *s, struct swarm_client *c, const char *p, size_t n,
    uint64_t now)
{
	struct buf rest;

	if (c->text.n == 0 && c->seen == 0)
		hist_add(&s->first_byte, now - c->started);
	buf_add(&c->text, p, n);
	if (!head(s, c))
		return;
	rest = c->text;
	buf_init(&c->text, TEXT_MAX);
	body(s, c, rest.p, rest.n, now);
	buf_free(&rest);
}

static void
receive(struct swarm *s, struct swarm_client *c)
{
	char bytes[READ_BYTES];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	uint64_t now = clock_ns();

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		closed(s, c);
		return;
	}
	if (c->state == SWARM_BODY)
		body(s, c, bytes, (size_t)n, now);
	else
		begin(s, c, bytes, (size_t)n, now);
}

/* Ask, once connected; a stuck client says no more after that. */
static void
connected(struct swarm *s, struct swarm_client *c)
{
	int err = 0;
	socklen_t n = sizeof(err);

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n);
	if (err != 0) {
		errno = err;
		die("connect");
	}
	ask(s, c);
	if (c->stuck && c->fd >= 0) {
		watch(s, c, EPOLL_CTL_DEL, 0);
		s->opening--;
		c->state = SWARM_BODY;
		s->streaming++;
		s->joined++;
	}
}

void
swarm_serve(struct swarm *s, int set, int most)
{
	struct epoll_event e[EVENTS_MAX];
	int n = epoll_wait(set, e, most < EVENTS_MAX ? most : EVENTS_MAX, 0);

	for (int i = 0; i < n; i++) {
		struct swarm_client *c = e[i].data.ptr;
		if (c->state == SWARM_CONNECTING)
			connected(s, c);
		else
			receive(s, c);
	}
}

/* --- All of them --------------------------------------------------------- */

void
swarm_herd(struct swarm *s, const struct pub *p, uint64_t back)
{
	size_t first = s->conf->clients - s->conf->herd;

	for (size_t i = first; i < s->conf->clients; i++)
		stop(s, &s->clients[i]);
	for (size_t i = first; i < s->conf->clients; i++) {
		struct swarm_client *c = &s->clients[i];
		c->goal = pub_count(p, channel(s, c));
		c->next = c->seen = c->goal - back;
		start(s, c);
	}
	s->herd_left = s->conf->herd;
}

uint64_t
swarm_behind(const struct swarm *s, const struct pub *p)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->conf->clients; i++) {
		const struct swarm_client *c = &s->clients[i];
		uint64_t all = pub_count(p, channel(s, c));
		if (!c->stuck && c->next < all)
			n += all - c->next;
	}
	return n;
}
