/*
 * cut PORT PATH: a browser on 127.0.0.1:PORT that reads the stream PATH up to a
 * message `END`, and again and again, cut off after 1, 2, 3 ... bytes of the
 * answer, when it comes back with Last-Event-ID. Prints how often it was cut.
 * 1 if it ever saw anything but what it sees uncut, each message once.
 */
#define _DEFAULT_SOURCE

#include "../helpers/sse_parser.c"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { READ = 4096, REQUEST = 4096, PATIENCE_S = 10 };

struct browser {
	struct sse_parser parser;
	struct buf seen; /* messages, as sse_parser_note has them */
	size_t head;     /* bytes of the end of the head that were seen */
	bool finished;
};

static struct sockaddr_in address = {.sin_family = AF_INET};
static const char *path;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- What it sees ---- */

static void
see(void *arg, struct str type, struct str data, struct str last_id)
{
	struct browser *b = arg;

	if (str_starts(type, STR("chat-")) && !str_eq(type, STR("chat-gap")))
		return;
	sse_parser_note(&b->seen, type, data, last_id);
	b->finished |= str_eq(data, STR("END"));
}

static void
browser_init(struct browser *b)
{
	memset(b, 0, sizeof(*b));
	sse_parser_init(&b->parser, see, b);
	buf_init(&b->seen, PARSER_MAX);
}

static void
browser_free(struct browser *b)
{
	sse_parser_free(&b->parser);
	buf_free(&b->seen);
}

/* A stream begins anew: what was incomplete is forgotten, but not the id. */
static void
begin(struct browser *b)
{
	struct sse_parser *sp = &b->parser;

	buf_clear(&sp->line);
	buf_clear(&sp->data);
	buf_clear(&sp->type);
	set(&sp->id, buf_str(&sp->last_id));
	sp->began = sp->after_cr = false;
	b->head = 0;
}

static void
feed(struct browser *b, const char *p, size_t n)
{
	static const char end[] = "\r\n\r\n";
	size_t i = 0;

	for (; i < n && b->head < sizeof(end) - 1; i++)
		b->head = p[i] == end[b->head] ? b->head + 1 : p[i] == '\r';
	sse_parser_feed(&b->parser, str_n(p + i, n - i));
}

/* ---- Connections ---- */

static int
call(const struct browser *b)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	struct str id = buf_str(&b->parser.last_id);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[REQUEST];
	int n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	n = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n%s%.*s%s\r\n", path,
	    id.n > 0 ? "Last-Event-ID: " : "", (int)id.n, id.p,
	    id.n > 0 ? "\r\n" : "");
	if (n >= REQUEST || write(fd, request, (size_t)n) != n)
		die("request");
	return fd;
}

/* Every other one without a proper end. */
static void
hang_up(int fd, size_t n)
{
	struct linger reset = {n % 2, 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

/* Read so many bytes, or up to the end of what there is. How many? */
static size_t
visit(struct browser *b, size_t most)
{
	int fd = call(b);
	size_t read = 0;
	char p[READ];

	begin(b);
	while (read < most && !b->finished) {
		size_t left = most - read;
		ssize_t n = recv(fd, p, left < READ ? left : READ, 0);
		if (n <= 0)
			die("the stream ends too soon");
		feed(b, p, (size_t)n);
		read += (size_t)n;
	}
	hang_up(fd, read);
	return read;
}

/* ---- ---- */

static bool
survives(size_t cut, const struct browser *uncut)
{
	struct browser b;
	bool same;

	browser_init(&b);
	visit(&b, cut);
	if (!b.finished)
		visit(&b, SIZE_MAX);
	same = str_eq(buf_str(&b.seen), buf_str(&uncut->seen));
	if (!same)
		printf("cut after %zu bytes it saw:\n%.*s", cut, (int)b.seen.n,
		    b.seen.p);
	browser_free(&b);
	return same;
}

int
main(int argc, char **argv)
{
	struct browser uncut;
	size_t length, i;
	int status = 0;

	if (argc != 3) {
		fputs("usage: cut PORT PATH\n", stderr);
		return 64;
	}
	address.sin_port = htons((unsigned short)atoi(argv[1]));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	path = argv[2];
	browser_init(&uncut);
	length = visit(&uncut, SIZE_MAX);
	for (i = 1; i <= length; i++)
		if (!survives(i, &uncut))
			status = 1;
	printf("cut %zu times\n", length);
	browser_free(&uncut);
	return status;
}
