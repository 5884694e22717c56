#include "pub.h"

#include "clock.h"
#include "target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OUT_MAX = 64 << 20, IN_MAX = 1 << 20, READ_BYTES = 65536 };
enum { ID_BYTES = 48 };

void
pub_init(struct pub *p, const struct pub_conf *conf)
{
	*p = (struct pub){.conf = conf, .fd = -1};
	buf_init(&p->out, OUT_MAX);
	buf_init(&p->in, IN_MAX);
	p->payload = malloc(conf->size + 1);
	if (p->payload == NULL)
		abort();
}

void
pub_free(struct pub *p)
{
	if (p->fd >= 0)
		close(p->fd);
	buf_free(&p->out);
	buf_free(&p->in);
	free(p->payload);
}

static int
open_tcp(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
open_unix(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

int
pub_open(struct pub *p)
{
	const struct pub_conf *c = p->conf;

	if (c->kind == PUB_PIPE)
		p->fd = open(c->where, O_WRONLY | O_CLOEXEC);
	else if (c->kind == PUB_POST)
		p->fd = open_tcp(c->port);
	else
		p->fd = open_unix(c->where);
	if (p->fd < 0)
		return -1;
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	buf_clear(&p->out);
	buf_clear(&p->in);
	p->sent = p->acked;
	return 0;
}

uint64_t
pub_count(const struct pub *p, size_t channel)
{
	size_t n = p->conf->channels;

	return p->sent / n + (channel < p->sent % n);
}

static void
make_payload(struct pub *p, uint64_t sequence)
{
	size_t size = p->conf->size;
	int n = snprintf(p->payload, size + 1, "%llu %llu ",
	    (unsigned long long)sequence, (unsigned long long)clock_ns());

	if (n >= 0 && (size_t)n < size)
		memset(p->payload + n, 'x', size - (size_t)n);
}

/* One word of a command: RESP's bulk string. */
static void
add_word(struct buf *b, const char *word, size_t n)
{
	buf_addf(b, "$%zu\r\n", n);
	buf_add(b, word, n);
	buf_addz(b, "\r\n");
}

static void
add_maxlen(struct buf *b, uint64_t maxlen)
{
	char n[ID_BYTES];

	add_word(b, "MAXLEN", 6);
	add_word(b, "~", 1);
	snprintf(n, sizeof(n), "%llu", (unsigned long long)maxlen);
	add_word(b, n, strlen(n));
}

static void
add_xadd(struct pub *p, const char *key, size_t nkey, uint64_t sequence)
{
	const struct pub_conf *c = p->conf;
	struct buf *b = &p->out;
	char id[ID_BYTES];

	snprintf(id, sizeof(id), "%llu-%llu", (unsigned long long)c->base,
	    (unsigned long long)sequence + 1);
	buf_addf(b, "*%d\r\n", c->maxlen != 0 ? 8 : 5);
	add_word(b, "XADD", 4);
	add_word(b, key, nkey);
	if (c->maxlen != 0)
		add_maxlen(b, c->maxlen);
	add_word(b, id, strlen(id));
	add_word(b, c->field, strlen(c->field));
	add_word(b, p->payload, c->size);
}

static void
add_post(struct pub *p, const char *path)
{
	buf_addf(&p->out,
	    "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    path, p->conf->size);
	buf_add(&p->out, p->payload, p->conf->size);
}

void
pub_message(struct pub *p)
{
	size_t channel = p->sent % p->conf->channels, n;
	uint64_t sequence = p->sent / p->conf->channels;
	char where[TARGET_BYTES];

	n = target_format(where, p->conf->target, channel);
	make_payload(p, sequence);
	if (p->conf->kind == PUB_XADD) {
		add_xadd(p, where, n, sequence);
	} else if (p->conf->kind == PUB_POST) {
		add_post(p, where);
	} else {
		buf_add(&p->out, p->payload, p->conf->size);
		buf_addc(&p->out, '\n');
		p->acked++;
	}
	p->sent++;
}

bool
pub_waiting(const struct pub *p)
{
	return p->out.n > 0;
}

static int
drop(struct pub *p)
{
	close(p->fd);
	p->fd = -1;
	p->lost++;
	return -1;
}

static int
flush(struct pub *p)
{
	ssize_t n;

	while (p->out.n > 0) {
		n = write(p->fd, p->out.p, p->out.n);
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		buf_drop(&p->out, (size_t)n);
	}
	return 0;
}

static void
refused(const char *answer, size_t n)
{
	fprintf(stderr, "load: publishing: %.*s\n", (int)n, answer);
	exit(2);
}

/* Bytes of the first answer to XADD: `$N id` or `-ERR ...`; 0 if not there. */
static long
take_reply(const struct pub *p, const char *s, size_t n)
{
	const char *end = memchr(s, '\n', n);
	size_t line = end != NULL ? (size_t)(end - s) + 1 : 0, bulk;

	if (line == 0)
		return 0;
	if (strncmp(s, "-LOADING", 8) == 0)
		return -1;
	if (*s == '-') {
		/* A message that had been stored before the line was lost. */
		if (p->lost == 0 || strstr(s, "equal or smaller") == NULL)
			refused(s, line);
		return (long)line;
	}
	bulk = strtoul(s + 1, NULL, 10) + 2;
	return n >= line + bulk ? (long)(line + bulk) : 0;
}

static size_t
content_length(const char *head)
{
	static const char name[] = "\ncontent-length:";

	for (const char *s = head; (s = strchr(s, '\n')) != NULL; s++) {
		if (strncasecmp(s, name, sizeof(name) - 1) == 0)
			return strtoul(s + sizeof(name) - 1, NULL, 10);
	}
	return 0;
}

/* The same for an answer to POST. */
static long
take_answer(char *s, size_t n)
{
	char *end = strstr(s, "\r\n\r\n");
	size_t all;

	if (end == NULL)
		return 0;
	end[2] = '\0';
	all = (size_t)(end - s) + 4 + content_length(s);
	end[2] = '\r';
	if (s[9] != '2')
		refused(s, n);
	return n >= all ? (long)all : 0;
}

static int
take(struct pub *p)
{
	size_t done = 0;
	long n;

	/* The answers are text: end it, so that it can be searched. */
	if (buf_room(&p->in, 1) == NULL)
		return -1;
	p->in.p[p->in.n] = '\0';
	for (;; done += (size_t)n) {
		char *s = p->in.p + done;
		size_t left = p->in.n - done;

		n = p->conf->kind == PUB_XADD ? take_reply(p, s, left)
					      : take_answer(s, left);
		if (n <= 0)
			break;
		p->acked++;
	}
	buf_drop(&p->in, done);
	return n < 0 ? -1 : 0;
}

static int
receive(struct pub *p)
{
	char *room = buf_room(&p->in, READ_BYTES);
	ssize_t n;

	if (room == NULL)
		return -1;
	n = read(p->fd, room, READ_BYTES);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	buf_used(&p->in, (size_t)n);
	return take(p);
}

int
pub_serve(struct pub *p)
{
	if (flush(p) != 0)
		return drop(p);
	if (p->conf->kind != PUB_PIPE && receive(p) != 0)
		return drop(p);
	return 0;
}
