/*
 * bare PORT FIFO: what the kernel alone asks for. Whoever connects to
 * 127.0.0.1:PORT gets the head of a stream; each line that comes from the FIFO
 * goes to all as an SSE frame, by one write(2) each. No Redis, no cursors, no
 * care for slow clients: what a server costs beyond this is its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS_MAX = 65536, EVENTS = 64, FRAME_BYTES = 1 << 17 };

static const char head[] = "HTTP/1.1 200 OK\r\n"
			   "Content-Type: text/event-stream\r\n"
			   "Cache-Control: no-store\r\n"
			   "Connection: close\r\n\r\n";

struct bare {
	int epoll, listener, fifo;
	int clients[CLIENTS_MAX];
	size_t n;
	char frame[FRAME_BYTES], line[FRAME_BYTES];
	size_t held; /* bytes of a line that is not whole yet */
	unsigned long long count, cut; /* frames: all, not sent as a whole */
};

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static int
listen_on(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		die("listen");
	return fd;
}

static void
watch(const struct bare *b, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
		die("epoll");
}

static void
welcome(struct bare *b)
{
	int fd = accept(b->listener, NULL, NULL);

	if (fd < 0 || b->n == CLIENTS_MAX)
		die("accept");
	watch(b, fd);
	b->clients[b->n++] = fd;
}

/* Its request, or its end. */
static void
answer(struct bare *b, int fd)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0) {
		if (write(fd, head, sizeof(head) - 1) < 0)
			perror("head");
	} else {
		epoll_ctl(b->epoll, EPOLL_CTL_DEL, fd, NULL);
	}
}

static void
send_all(struct bare *b, const char *payload, size_t size)
{
	int n = snprintf(b->frame, FRAME_BYTES,
	    "id: 1763736000000-%llu\ndata: %.*s\n\n", ++b->count, (int)size,
	    payload);

	for (size_t i = 0; i < b->n; i++)
		b->cut += write(b->clients[i], b->frame, (size_t)n) != n;
}

static void
read_lines(struct bare *b)
{
	char *p = b->line, *end;
	ssize_t n = read(b->fifo, p + b->held, FRAME_BYTES - b->held);

	if (n <= 0)
		exit(0);
	b->held += (size_t)n;
	while ((end = memchr(p, '\n', b->held)) != NULL) {
		send_all(b, p, (size_t)(end - p));
		b->held -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	memmove(b->line, p, b->held);
}

static void
serve(struct bare *b)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(b->epoll, e, EVENTS, -1);

	for (int i = 0; i < n; i++) {
		int fd = e[i].data.fd;
		if (fd == b->listener)
			welcome(b);
		else if (fd == b->fifo)
			read_lines(b);
		else
			answer(b, fd);
	}
}

static void
raise_limit(void)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

int
main(int argc, char **argv)
{
	static struct bare b;

	if (argc != 3) {
		fputs("usage: bare PORT FIFO\n", stderr);
		return 64;
	}
	raise_limit();
	signal(SIGPIPE, SIG_IGN);
	b.epoll = epoll_create1(EPOLL_CLOEXEC);
	b.listener = listen_on(atoi(argv[1]));
	b.fifo = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (b.fifo < 0)
		die(argv[2]);
	watch(&b, b.listener);
	watch(&b, b.fifo);
	for (;;)
		serve(&b);
}
