#include "io/listen.h"

#include "tap.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Linux: not in POSIX, and <netinet/tcp.h> hides it there. */
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT 18
#endif

static void
addresses(void)
{
	static const char *const good[] = {"80", "0", "65535", "127.0.0.1:80",
	    "localhost:80", "[::1]:80", "[::]:80", "/run/x", "/"};
	static const char *const bad[] = {"", ":", ":80", "x", "x:", "x:y",
	    "65536", "-1", "+80", "80 ", " 80", "0x50", "::1:80", "[]:80",
	    "[::1]", "[::1]80", "[::1:80", "a:b:80", "run/x",
	    "18446744073709551696"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(listen_is_address(good[i]), "address: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!listen_is_address(bad[i]), "no address: %s", bad[i]);
}

static void
long_address(size_t n, bool want)
{
	char text[1024];

	memset(text, 'a', n);
	strcpy(text + n, ":80");
	ok(listen_is_address(text) == want, "a host of %zu bytes", n);
}

static int
handed(const char *pid, const char *fds)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	return listen_handed();
}

static void
handed_over(void)
{
	char self[32];

	snprintf(self, sizeof(self), "%ld", (long)getpid());
	is_int(listen_handed(), 0, "nothing is handed over");
	is_int(handed(self, "1"), 1, "one socket");
	is_int(handed(self, "3"), 3, "three");
	is_int(handed("1", "1"), 0, "to another process");
	is_int(handed(self, ""), 0, "no number");
	is_int(handed(self, "-1"), 0, "a negative number");
	is_int(handed(self, "4294967297"), 0, "too large a number");
	unsetenv("LISTEN_PID");
	is_int(listen_handed(), 0, "to nobody");
}

/* ---- Clients ---- */

static int
option(int fd, int level, int name)
{
	int v = -1;
	socklen_t n = sizeof(v);

	getsockopt(fd, level, name, &v, &n);
	return v;
}

static void
on_accepted(void *arg, int fd)
{
	int *naccepted = arg;

	++*naccepted;
	ok(option(fd, IPPROTO_TCP, TCP_NODELAY) > 0, "no delay");
	ok(option(fd, SOL_SOCKET, SO_KEEPALIVE) > 0, "kept alive");
	is_int(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 7000, "user timeout");
	close(fd);
}

static void
on_trouble(void *arg, int err)
{
	(void)arg;
	ok(false, "accept: %s", strerror(err));
}

static int
any_port(struct sockaddr_in *a)
{
	socklen_t n = sizeof(*a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*a = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (struct sockaddr *)a, sizeof(*a)) != 0 ||
	    listen(fd, 8) != 0 ||
	    getsockname(fd, (struct sockaddr *)a, &n) != 0)
		ok(false, "no socket: %s", strerror(errno));
	return fd;
}

static int
call(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ok(connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0, "connect");
	return fd;
}

/* Clients who came before the settings were made have them, too. */
static void
settings(void)
{
	static const struct listen_events events = {on_accepted, on_trouble};
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct sockaddr_in a;
	struct listen l;
	struct buf err;
	int naccepted = 0, fd = any_port(&a), early = call(&a), late;

	buf_init(&err, 1024);
	listen_init(&l, loop, &events, &naccepted);
	is_int(listen_take(&l, fd, &err), 0, "a socket is taken");
	listen_tune(&l, 7000);
	ev_run(loop, EVRUN_ONCE);
	is_int(naccepted, 1, "the client that was there");
	late = call(&a);
	ev_run(loop, EVRUN_ONCE);
	is_int(naccepted, 2, "one more");
	listen_close(&l);
	close(early);
	close(late);
	buf_free(&err);
	ev_loop_destroy(loop);
}

int
main(void)
{
	static struct listen zeroed;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	listen_close(&zeroed);
	addresses();
	long_address(255, true);
	long_address(256, false);
	handed_over();
	settings();
	return done();
}
