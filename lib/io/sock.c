#include "io/sock.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux: not in POSIX, and <netinet/tcp.h> hides it there. */
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE 4
#endif
#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT 18
#endif

enum { KEEPALIVE_S = 60 };

static int
option(int fd, int level, int name)
{
	int v = 0;
	socklen_t n = sizeof(v);

	return getsockopt(fd, level, name, &v, &n) == 0 ? v : -1;
}

static bool
is_socket(int fd)
{
	return option(fd, SOL_SOCKET, SO_TYPE) >= 0;
}

bool
sock_is_listening(int fd)
{
	return option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

bool
sock_same(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    S_ISSOCK(sa.st_mode) && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

static bool
peer_address(int fd, struct buf *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} a;
	socklen_t n = sizeof(a);
	char text[INET6_ADDRSTRLEN];
	const void *ip;

	if (getpeername(fd, &a.any, &n) != 0)
		return false;
	if (a.any.sa_family == AF_INET)
		ip = &a.v4.sin_addr;
	else if (a.any.sa_family == AF_INET6)
		ip = &a.v6.sin6_addr;
	else
		return false;
	if (inet_ntop(a.any.sa_family, ip, text, sizeof(text)) == NULL)
		return false;
	/* A client of an IPv4 address on a socket for both. */
	if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL)
		return buf_addz(out, text + 7) == 0;
	return buf_addz(out, text) == 0;
}

static bool
peer_variable(const char *name, struct buf *out)
{
	const char *v = getenv(name);

	return v != NULL && *v != '\0' && strlen(v) < 64 &&
	    buf_addz(out, v) == 0;
}

/* UCSPI: PROTO=TCP comes with TCPREMOTEIP. */
static bool
peer_ucspi(struct buf *out)
{
	const char *proto = getenv("PROTO");
	char name[32] = "";

	if (proto == NULL || strlen(proto) > 15)
		return false;
	strcat(name, proto);
	strcat(name, "REMOTEIP");
	return peer_variable(name, out);
}

void
sock_peer(int fd, struct buf *out)
{
	static const char *const names[] = {
	    "SOCAT_PEERADDR", "NCAT_REMOTE_ADDR", "TCPREMOTEIP", "REMOTE_HOST"};

	if (peer_address(fd, out) || peer_variable("REMOTE_ADDR", out) ||
	    peer_ucspi(out))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (peer_variable(names[i], out))
			return;
	buf_addc(out, '-');
}

static void
set(int fd, int level, int name, int v)
{
	(void)setsockopt(fd, level, name, &v, sizeof(v));
}

void
sock_tune(int fd, int64_t timeout_ms)
{
	int timeout = timeout_ms < INT32_MAX ? (int)timeout_ms : 0;

	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_S);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout);
}

void
sock_finish(int fd)
{
	if (is_socket(fd))
		(void)shutdown(fd, SHUT_WR);
}

void
sock_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path != NULL ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}
