/*
 * herd PORT PATH CLIENTS CUT DIR: so many SSE clients on 127.0.0.1:PORT, each
 * of which is cut off after a random number of bytes (CUT on average; 0:
 * never) and comes back with Last-Event-ID, until it has seen the payload
 * `END`. The ids of the messages that client I saw are in DIR/I, one a line;
 * chat-gap events as `gap`. A summary on standard output.
 */
/* random(3), fcntl(2) flags */
#define _DEFAULT_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096, ID = 160, DEADLINE_S = 240, CONNECTING = 64 };

struct client {
	int fd;
	bool body, end, finished;
	long left; /* bytes until it is cut */
	unsigned connects;
	char line[LINE], id[ID], new_id[ID], type[64];
	size_t n;
	bool data;
	FILE *out;
};

static const char *path;
static int port;
static long cut;
static unsigned long long bytes, connects;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static long
draw(void)
{
	return cut == 0 ? -1 : 1 + random() % (2 * cut);
}

static void
hang_up(struct client *c)
{
	/* Half of them without a proper end. */
	if (c->fd >= 0 && random() % 2 == 0) {
		struct linger reset = {1, 0};
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void
call(struct client *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((unsigned short)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char request[LINE];
	int n;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (const struct sockaddr *)&a, sizeof(a)) != 0)
		die("connect");
	n = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n", path,
	    *c->id != '\0' ? "Last-Event-ID: " : "", c->id,
	    *c->id != '\0' ? "\r\n" : "");
	if (write(c->fd, request, (size_t)n) != n)
		die("request");
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->body = c->data = c->end = false;
	c->n = 0;
	*c->type = '\0';
	strcpy(c->new_id, c->id);
	c->left = draw();
	c->connects++;
	connects++;
}

static void
dispatch(struct client *c)
{
	strcpy(c->id, c->new_id);
	if (c->data && strcmp(c->type, "chat-gap") == 0)
		fprintf(c->out, "gap\n");
	else if (c->data && strncmp(c->type, "chat-", 5) != 0) {
		fprintf(c->out, "%s\n", c->id);
		c->finished |= c->end;
	}
	*c->type = '\0';
	c->data = c->end = false;
}

static void
line(struct client *c)
{
	char *s = c->line;

	s[c->n] = '\0';
	if (!c->body) {
		if (c->n > 0 && s[c->n - 1] == '\r')
			s[--c->n] = '\0';
		c->body = c->n == 0;
	} else if (c->n == 0) {
		dispatch(c);
	} else if (strncmp(s, "id: ", 4) == 0) {
		snprintf(c->new_id, sizeof(c->new_id), "%s", s + 4);
	} else if (strncmp(s, "event: ", 7) == 0) {
		snprintf(c->type, sizeof(c->type), "%s", s + 7);
	} else if (strncmp(s, "data: ", 6) == 0) {
		c->data = true;
		c->end |= strcmp(s + 6, "END") == 0;
	}
	c->n = 0;
}

static void
take(struct client *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !c->finished; i++) {
		if (p[i] == '\n')
			line(c);
		else if (c->n < LINE - 1)
			c->line[c->n++] = p[i];
	}
}

/* Is the client done with this connection? */
static bool
serve(struct client *c)
{
	char p[65536];
	size_t most = sizeof(p);
	ssize_t n;

	if (c->left >= 0 && (size_t)c->left < most)
		most = (size_t)c->left;
	n = most == 0 ? 0 : recv(c->fd, p, most, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		return true;
	bytes += (unsigned long long)n;
	take(c, p, (size_t)n);
	if (c->left >= 0)
		c->left -= n;
	return c->finished || c->left == 0;
}

int
main(int argc, char **argv)
{
	time_t began = time(NULL);
	struct client *c;
	struct pollfd *p;
	size_t n, done = 0;
	char name[LINE];

	if (argc != 6) {
		fputs("usage: herd PORT PATH CLIENTS CUT DIR\n", stderr);
		return 64;
	}
	port = atoi(argv[1]);
	path = argv[2];
	n = (size_t)atoi(argv[3]);
	cut = atol(argv[4]);
	c = calloc(n, sizeof(*c));
	p = calloc(n, sizeof(*p));
	if (c == NULL || p == NULL)
		die("memory");
	srandom((unsigned)began);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%zu", argv[5], i);
		c[i].fd = -1;
		c[i].out = fopen(name, "w");
		if (c[i].out == NULL)
			die(name);
	}
	while (done < n) {
		size_t starting = 0;
		if (time(NULL) - began > DEADLINE_S) {
			fprintf(stderr, "herd: %zu of %zu done\n", done, n);
			return 1;
		}
		for (size_t i = 0; i < n; i++) {
			if (c[i].fd < 0 && !c[i].finished &&
			    starting++ < CONNECTING)
				call(&c[i]);
			p[i] = (struct pollfd){c[i].fd, POLLIN, 0};
		}
		if (poll(p, n, 1000) < 0 && errno != EINTR)
			die("poll");
		for (size_t i = 0; i < n; i++) {
			if (p[i].fd < 0 || p[i].revents == 0 || !serve(&c[i]))
				continue;
			hang_up(&c[i]);
			done += c[i].finished;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (fclose(c[i].out) != 0)
			die("write");
	printf(
	    "%zu clients, %llu connections, %llu bytes\n", n, connects, bytes);
	free(c);
	free(p);
	return 0;
}
