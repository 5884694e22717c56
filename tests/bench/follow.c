/*
 * follow PORT PATH CLIENTS DIR [BUFFER]: so many SSE clients on
 * 127.0.0.1:PORT, each of which reads until the server closes or the last
 * message is `END`. What client I got after the head is in DIR/I, as it came.
 * With BUFFER they are slow: their sockets hold about so many bytes, of which
 * they read an odd number each millisecond. A line for each that was closed, in
 * order: `MS I`, the milliseconds since the first of them.
 */
/* random(3) */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 65536, NAME = 4096, DEADLINE_S = 240 };

/* How a stream ends. */
static const char end_mark[] = "\ndata: END\n\n", head_mark[] = "\r\n\r\n";

enum { MARK = sizeof(end_mark) - 1 };

struct client {
	FILE *out;
	size_t head;     /* bytes of the mark that were seen */
	char last[MARK]; /* bytes that came */
};

static struct client *clients;
static struct pollfd *fds;
static size_t n_clients;
static int buffer;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Segments as over a network keep the server's buffer small, too. */
static void
make_slow(int fd)
{
	int segment = 1400;

	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
}

static int
call(int port, const char *path)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((unsigned short)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[NAME];
	int n;

	if (buffer > 0)
		make_slow(fd);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die("connect");
	n = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	if (n >= (int)sizeof(request) || write(fd, request, (size_t)n) != n)
		die("request");
	return fd;
}

/* Bytes of p that belong to the head. */
static size_t
skip_head(struct client *c, const char *p, size_t n)
{
	size_t i = 0;

	for (; i < n && c->head < sizeof(head_mark) - 1; i++)
		c->head =
		    p[i] == head_mark[c->head] ? c->head + 1 : p[i] == '\r';
	return i;
}

static bool
has_ended(struct client *c, const char *p, size_t n)
{
	if (n < MARK) {
		memmove(c->last, c->last + n, MARK - n);
		memcpy(c->last + MARK - n, p, n);
	} else {
		memcpy(c->last, p + n - MARK, MARK);
	}
	return memcmp(c->last, end_mark, MARK) == 0;
}

/* 1: there is more to come. 0: closed. -1: it has seen the end. */
static int
serve(struct client *c, int fd)
{
	char p[BYTES];
	size_t most =
	    buffer > 0 ? 1 + (size_t)random() % (size_t)buffer : BYTES;
	ssize_t n = recv(fd, p, most < BYTES ? most : BYTES, MSG_DONTWAIT);
	size_t head;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 1;
	if (n < 0)
		fputs("reset\n", c->out);
	if (n <= 0)
		return 0;
	head = skip_head(c, p, (size_t)n);
	fwrite(p + head, 1, (size_t)n - head, c->out);
	return has_ended(c, p + head, (size_t)n - head) ? -1 : 1;
}

static void
finish(size_t i)
{
	close(fds[i].fd);
	fds[i].fd = -1;
	if (fclose(clients[i].out) != 0)
		die("write");
}

static void
begin(size_t i, char **argv)
{
	char name[NAME];

	snprintf(name, sizeof(name), "%s/%zu", argv[4], i);
	clients[i].out = fopen(name, "w");
	if (clients[i].out == NULL)
		die(name);
	setbuf(clients[i].out, NULL);
	fds[i] = (struct pollfd){call(atoi(argv[1]), argv[2]), POLLIN, 0};
}

/* How many have ended? */
static size_t
turn(void)
{
	static long first;
	size_t ended = 0;

	if (buffer > 0)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	if (poll(fds, n_clients, 1000) < 0 && errno != EINTR)
		die("poll");
	for (size_t i = 0; i < n_clients; i++) {
		int more = 1;
		if (fds[i].fd >= 0 && fds[i].revents != 0)
			more = serve(&clients[i], fds[i].fd);
		if (more > 0)
			continue;
		finish(i);
		ended++;
		first = first == 0 ? now_ms() : first;
		if (more == 0)
			printf("%ld %zu\n", now_ms() - first, i);
	}
	return ended;
}

int
main(int argc, char **argv)
{
	long deadline = now_ms() + DEADLINE_S * 1000L;
	size_t left;

	if (argc != 5 && argc != 6) {
		fputs("usage: follow PORT PATH CLIENTS DIR [BUFFER]\n", stderr);
		return 64;
	}
	n_clients = left = (size_t)atoi(argv[3]);
	buffer = argc == 6 ? atoi(argv[5]) : 0;
	clients = calloc(n_clients, sizeof(*clients));
	fds = calloc(n_clients, sizeof(*fds));
	if (clients == NULL || fds == NULL)
		die("memory");
	for (size_t i = 0; i < n_clients; i++)
		begin(i, argv);
	while (left > 0 && now_ms() < deadline)
		left -= turn();
	free(clients);
	free(fds);
	return left == 0 ? 0 : 1;
}
