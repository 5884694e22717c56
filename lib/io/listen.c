/* accept4(2), SO_REUSEPORT */
#define _GNU_SOURCE

#include "io/listen.h"

#include "base/num.h"
#include "base/str.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	/* At a turn of the loop, which has other things to do. */
	ACCEPT_MAX = 64,
	HOST_TEXT = 256,
};

#define PAUSE_S 0.1

struct listen_socket {
	struct listen_socket *next;
	struct listen *listen;
	struct ev_io io;
	bool own; /* made here: nobody else accepts from it */
	bool old; /* some may have come before it was tuned */
	/* Of a unix socket made here, else empty */
	struct sockaddr_un path;
	dev_t dev;
	ino_t ino;
};

/* ---- Accepting ---- */

static void
watch(struct listen *l)
{
	bool on = !l->held && !ev_is_active(&l->pause);
	struct listen_socket *s;

	for (s = l->sockets; s != NULL; s = s->next)
		if (on)
			ev_io_start(l->loop, &s->io);
		else
			ev_io_stop(l->loop, &s->io);
}

static void
on_pause_over(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	watch(w->data);
}

/*
 * Whatever it is, it may last, and the socket would be ready again at once.
 */
static void
trouble(struct listen *l, int err)
{
	ev_timer_set(&l->pause, PAUSE_S, 0.);
	ev_timer_start(l->loop, &l->pause);
	watch(l);
	if (!l->troubled)
		l->events->trouble(l->arg, err);
	l->troubled = true;
}

/* No more than max, and as long as none of the events forbids it. */
static void
accept_clients(struct listen_socket *s, int max)
{
	struct listen *l = s->listen;
	int fd;

	for (int i = 0; i < max && ev_is_active(&s->io); i++) {
		fd =
		    accept4(s->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			l->troubled = false;
			if (s->old)
				sock_tune(fd, l->timeout_ms);
			l->events->accepted(l->arg, fd);
		} else if (errno == EAGAIN) {
			s->old = false;
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			trouble(l, errno);
		}
	}
}

static void
on_client(struct ev_loop *loop, struct ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	accept_clients(w->data, ACCEPT_MAX);
}

void
listen_tune(struct listen *l, int64_t timeout_ms)
{
	l->timeout_ms = timeout_ms;
	for (struct listen_socket *s = l->sockets; s != NULL; s = s->next) {
		sock_tune(s->io.fd, timeout_ms);
		s->old = true;
	}
}

void
listen_hold(struct listen *l, bool on)
{
	if (l->held == on)
		return;
	l->held = on;
	watch(l);
}

/* ---- Sockets ---- */

static int
fail(struct buf *err, const char *address, const char *why)
{
	buf_addf(err, "%s: %s", address, why);
	return -1;
}

static struct listen_socket *
add(struct listen *l, int fd, bool own)
{
	struct listen_socket *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->listen = l;
	s->own = own;
	s->old = true;
	ev_io_init(&s->io, on_client, fd, EV_READ);
	s->io.data = s;
	s->next = l->sockets;
	l->sockets = s;
	watch(l);
	return s;
}

int
listen_take(struct listen *l, int fd, struct buf *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (!sock_is_listening(fd)) {
		buf_addf(err, "descriptor %d: not a listening socket", fd);
		return -1;
	}
	/* Another process may take the client that this one was woken for. */
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || add(l, fd, false) == NULL) {
		buf_addf(err, "descriptor %d: %s", fd, strerror(errno));
		return -1;
	}
	return 0;
}

static void
set(int fd, int option)
{
	int one = 1;

	(void)setsockopt(fd, SOL_SOCKET, option, &one, sizeof(one));
}

/* Bound and listening; or -1 with errno. */
static int
make_socket(int family, const struct sockaddr *a, socklen_t n, bool shared)
{
	int saved;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		set(fd, SO_REUSEADDR);
	if (shared)
		set(fd, SO_REUSEPORT);
	if (bind(fd, a, n) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* ---- Unix sockets ---- */

/* A socket that nobody listens on any more. (A file refuses, too.) */
static bool
is_stale(const struct sockaddr_un *a)
{
	struct stat st;
	int fd;
	bool refused;

	if (lstat(a->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 &&
	    errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static int
make_unix(const struct sockaddr_un *a)
{
	const struct sockaddr *any = (const struct sockaddr *)a;
	int fd = make_socket(AF_UNIX, any, sizeof(*a), false);

	if (fd >= 0 || errno != EADDRINUSE)
		return fd;
	if (!is_stale(a) || unlink(a->sun_path) != 0) {
		errno = EADDRINUSE;
		return -1;
	}
	return make_socket(AF_UNIX, any, sizeof(*a), false);
}

static int
open_unix(struct listen *l, const char *path, struct buf *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct listen_socket *s;
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return fail(err, path, strerror(ENAMETOOLONG));
	strcpy(a.sun_path, path);
	fd = make_unix(&a);
	if (fd < 0)
		return fail(err, path, strerror(errno));
	if (stat(path, &st) != 0 || (s = add(l, fd, true)) == NULL) {
		close(fd);
		return fail(err, path, strerror(errno));
	}
	s->path = a;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;
}

/* Not if it is another's by now. */
static void
remove_path(const struct listen_socket *s)
{
	struct stat st;

	if (s->path.sun_path[0] != '\0' && stat(s->path.sun_path, &st) == 0 &&
	    st.st_dev == s->dev && st.st_ino == s->ino)
		(void)unlink(s->path.sun_path);
}

/* ---- TCP ---- */

/*
 * address = [ host ":" ] port
 * host    = name / IPv4 / "[" IPv6 "]"
 */
static int
split(const char *address, char host[HOST_TEXT], const char **port)
{
	const char *colon = strrchr(address, ':');
	struct str h = STR("127.0.0.1");
	uint64_t number;

	*port = colon != NULL ? colon + 1 : address;
	if (colon != NULL)
		h = str_n(address, (size_t)(colon - address));
	if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = str_n(h.p + 1, h.n - 2);
	else if (h.n == 0 || h.p[0] == '[' || memchr(h.p, ':', h.n) != NULL)
		return -1;
	if (h.n >= HOST_TEXT || num_u64(str_c(*port), &number) != 0 ||
	    number > UINT16_MAX)
		return -1;
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	return 0;
}

bool
listen_is_address(const char *address)
{
	char host[HOST_TEXT];
	const char *port;

	return *address == '/' || split(address, host, &port) == 0;
}

/* A host may have addresses of a kind that this machine does without. */
static int
open_all(struct listen *l, const struct addrinfo *a, bool shared)
{
	int opened = 0;

	for (; a != NULL; a = a->ai_next) {
		int fd = make_socket(
		    a->ai_family, a->ai_addr, a->ai_addrlen, shared);
		if (fd >= 0 && add(l, fd, true) != NULL)
			opened++;
		else if (fd >= 0 ||
		    (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT))
			return -1;
	}
	return opened > 0 ? 0 : -1;
}

int
listen_open(struct listen *l, const char *address, bool shared, struct buf *err)
{
	const struct addrinfo hints = {
	    .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[HOST_TEXT];
	const char *port;
	int status;

	if (*address == '/')
		return open_unix(l, address, err);
	if (split(address, host, &port) != 0)
		return fail(err, address, "not [HOST:]PORT or /PATH");
	status = getaddrinfo(host, port, &hints, &found);
	if (status != 0)
		return fail(err, address, gai_strerror(status));
	status = open_all(l, found, shared);
	if (status != 0)
		fail(err, address, strerror(errno));
	freeaddrinfo(found);
	return status;
}

/* ---- ---- */

int
listen_handed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n = 0, to = 0;

	if (num_u64(str_c(pid), &to) != 0 || to != (uint64_t)getpid() ||
	    num_u64(str_c(fds), &n) != 0 || n > UINT16_MAX)
		return 0;
	return (int)n;
}

void
listen_init(struct listen *l, struct ev_loop *loop,
    const struct listen_events *events, void *arg)
{
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->events = events;
	l->arg = arg;
	ev_init(&l->pause, on_pause_over);
	l->pause.data = l;
}

/*
 * The name goes first: who finds it finds a server, or nothing. No more than
 * SOMAXCONN can wait, so that a rush of clients does not keep us.
 */
void
listen_finish(struct listen *l)
{
	for (struct listen_socket *s = l->sockets; s != NULL; s = s->next) {
		remove_path(s);
		if (s->own)
			accept_clients(s, SOMAXCONN);
	}
	listen_close(l);
}

void
listen_close(struct listen *l)
{
	struct listen_socket *s;

	if (l->loop == NULL)
		return;
	ev_timer_stop(l->loop, &l->pause);
	while ((s = l->sockets) != NULL) {
		l->sockets = s->next;
		ev_io_stop(l->loop, &s->io);
		remove_path(s);
		close(s->io.fd);
		free(s);
	}
}
