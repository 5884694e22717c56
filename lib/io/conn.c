#include "io/conn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_MAX = 16384 };

/* The length of a turn of the loop after which who speaks has to wait. */
#define TURN_S 0.001

/* What is still to be written, once the descriptor takes more. */
struct conn_tail {
	struct ev_io io;
	struct buf out;
};

enum conn_kind
conn_kind(int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return CONN_NONE;
	if (S_ISSOCK(st.st_mode))
		return CONN_SOCKET;
	if (S_ISFIFO(st.st_mode) || isatty(fd))
		return CONN_PIPE;
	return CONN_FILE;
}

static bool
writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	return poll(&p, 1, 0) == 1;
}

/* As write(2), but fails with EAGAIN rather than wait. */
static ssize_t
write_some(const struct conn *c, const char *p, size_t n)
{
	switch ((enum conn_kind)c->wkind) {
	case CONN_SOCKET:
		return send(c->wfd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case CONN_PIPE:
		/* A pipe that is ready takes PIPE_BUF bytes without waiting. */
		if (!writable(c->wfd)) {
			errno = EAGAIN;
			return -1;
		}
		return write(c->wfd, p, n < PIPE_BUF ? n : PIPE_BUF);
	default:
		return write(c->wfd, p, n);
	}
}

/*
 * Write as much of s as the descriptor takes now. The number of bytes, or -1
 * with errno when it takes none any more.
 */
static ssize_t
write_all(struct conn *c, struct str s)
{
	size_t done = 0;

	while (done < s.n) {
		ssize_t n = write_some(c, s.p + done, s.n - done);
		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			return -1;
	}
	c->sent_bytes += done;
	return (ssize_t)done;
}

static void
free_tail(struct conn *c)
{
	if (c->tail == NULL)
		return;
	ev_io_stop(c->loop, &c->tail->io);
	buf_free(&c->tail->out);
	free(c->tail);
	c->tail = NULL;
}

static void
free_gone(struct conn *c)
{
	if (c->gone_io == NULL)
		return;
	ev_io_stop(c->loop, c->gone_io);
	free(c->gone_io);
	c->gone_io = NULL;
}

static void
stop(struct conn *c)
{
	c->dead = true;
	ev_io_stop(c->loop, &c->rio);
	free_tail(c);
	free_gone(c);
}

static void
gone(struct conn *c, int err)
{
	stop(c);
	c->events->gone(c->arg, err);
}

static void
on_writable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct conn *c = w->data;
	struct buf *out = &c->tail->out;
	ssize_t n = write_all(c, buf_str(out));

	(void)loop;
	(void)revents;
	if (n < 0) {
		gone(c, errno);
		return;
	}
	buf_drop(out, (size_t)n);
	if (out->n > 0)
		return;
	free_tail(c);
	if (c->events->drained != NULL)
		c->events->drained(c->arg);
}

/*
 * When thousands have something to say at once, a turn of the loop is not for
 * all of them: what else there is to do would wait. The kernel tells of them
 * again, and none is put off for ever.
 */
static bool
must_wait(struct conn *c)
{
	bool late = ev_time() - ev_now(c->loop) > TURN_S;

	c->put_off = late ? c->put_off + 1 : 0;
	return c->put_off != 0;
}

static void
on_readable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct conn *c = w->data;
	char p[READ_MAX];
	ssize_t n;

	(void)revents;
	if (must_wait(c))
		return;
	if (c->rkind == CONN_SOCKET)
		n = recv(c->rfd, p, sizeof(p), MSG_DONTWAIT);
	else
		n = read(c->rfd, p, sizeof(p));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		gone(c, errno);
		return;
	}
	if (n == 0) {
		c->eof = true;
		ev_io_stop(loop, w);
	}
	c->events->input(c->arg, p, (size_t)n);
}

/*
 * The write end of a pipe never becomes readable, so that an event on it is
 * the error of its lost reader; a socket has one more way to say so.
 */
static void
on_gone(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct conn *c = w->data;
	char b;

	(void)loop;
	(void)revents;
	if (c->wkind == CONN_SOCKET) {
		ssize_t n = recv(c->wfd, &b, 1, MSG_PEEK | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n > 0) {
			free_gone(c);
			return;
		}
	}
	gone(c, EPIPE);
}

void
conn_init(struct conn *c, struct ev_loop *loop, int rfd, int wfd,
    size_t max_out, const struct conn_events *events, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->events = events;
	c->arg = arg;
	c->rfd = rfd;
	c->wfd = wfd;
	c->max_out = max_out;
	c->rkind = conn_kind(rfd);
	c->wkind = rfd == wfd ? c->rkind : conn_kind(wfd);
	ev_io_init(&c->rio, on_readable, rfd, EV_READ);
	c->rio.data = c;
}

void
conn_free(struct conn *c)
{
	if (c->loop == NULL)
		return;
	stop(c);
}

void
conn_read(struct conn *c, bool on)
{
	if (on && !c->dead && !c->eof && c->rkind != CONN_NONE)
		ev_io_start(c->loop, &c->rio);
	else
		ev_io_stop(c->loop, &c->rio);
}

void
conn_watch_gone(struct conn *c)
{
	bool pipe = c->wkind == CONN_PIPE && !isatty(c->wfd);

	if (c->dead || c->gone_io != NULL || (!pipe && c->wkind != CONN_SOCKET))
		return;
	/* Without memory for it, the next write shows it. */
	c->gone_io = malloc(sizeof(*c->gone_io));
	if (c->gone_io == NULL)
		return;
	ev_io_init(c->gone_io, on_gone, c->wfd, EV_READ);
	c->gone_io->data = c;
	ev_io_start(c->loop, c->gone_io);
}

bool
conn_is_full(const struct conn *c)
{
	return c->tail != NULL;
}

bool
conn_may_send(const struct conn *c)
{
	return c->wkind == CONN_SOCKET && !c->dead && !conn_is_full(c);
}

ssize_t
conn_wrote(struct conn *c, ssize_t n)
{
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0) {
		stop(c);
		errno = (int)-n;
		return -1;
	}
	c->sent_bytes += (unsigned long long)n;
	return n;
}

ssize_t
conn_write_some(struct conn *c, struct str s)
{
	ssize_t n = 0;

	if (c->dead) {
		errno = EPIPE;
		return -1;
	}
	if (!conn_is_full(c) && (n = write_all(c, s)) < 0)
		stop(c);
	return n;
}

static struct conn_tail *
make_tail(struct conn *c)
{
	struct conn_tail *t = malloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	buf_init(&t->out, c->max_out);
	ev_io_init(&t->io, on_writable, c->wfd, EV_WRITE);
	t->io.data = c;
	ev_io_start(c->loop, &t->io);
	return t;
}

int
conn_keep(struct conn *c, struct str s)
{
	if (c->tail == NULL)
		c->tail = make_tail(c);
	if (c->tail != NULL && buf_adds(&c->tail->out, s) == 0)
		return 0;
	stop(c);
	errno = ENOBUFS;
	return -1;
}

int
conn_write(struct conn *c, struct str s)
{
	ssize_t n = conn_write_some(c, s);

	if (n < 0)
		return -1;
	if ((size_t)n == s.n)
		return 0;
	return conn_keep(c, str_from(s, (size_t)n)) == 0 ? 1 : -1;
}
