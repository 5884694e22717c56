/*
 * inetd ROUNDS PROGRAM ARG...: what one connection costs. In each round a
 * client connects on loopback, and PROGRAM is started on the accepted socket,
 * as a super-server does; the time from accept to the first byte of the answer
 * is measured. All stay open; at the end, when they are idle, their private
 * memory and their other sockets (which lead to Redis) are counted.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_S = 3, ROUNDS_MAX = 10000, PATH_BYTES = 320 };

static const char request[] =
    "GET /chat/room/events HTTP/1.1\r\nHost: bench\r\n\r\n";

struct round {
	pid_t pid;
	int client;
	double ms, private_kb, sockets;
};

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int
listen_anywhere(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(*a);

	*a = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (fd < 0 || bind(fd, (struct sockaddr *)a, n) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)a, &n) != 0)
		die("listen");
	return fd;
}

static pid_t
start(int fd, char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	dup2(fd, 0);
	dup2(fd, 1);
	execvp(*argv, argv);
	die(*argv);
	return -1;
}

static void
run(struct round *r, int listener, const struct sockaddr_in *a, char **argv)
{
	char byte;
	double begin;
	int fd;

	r->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->client < 0 ||
	    connect(r->client, (const struct sockaddr *)a, sizeof(*a)) != 0 ||
	    write(r->client, request, sizeof(request) - 1) < 0)
		die("connect");
	fd = accept(listener, NULL, NULL);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	begin = now_ms();
	if (fd < 0)
		die("accept");
	r->pid = start(fd, argv);
	close(fd);
	if (read(r->client, &byte, 1) != 1)
		die("no answer");
	r->ms = now_ms() - begin;
}

static double
private_kb(pid_t pid)
{
	char path[PATH_BYTES], line[256];
	double sum = 0, kb;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/smaps_rollup", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		die(path);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Clean: %lf", &kb) == 1 ||
		    sscanf(line, "Private_Dirty: %lf", &kb) == 1)
			sum += kb;
	fclose(f);
	return sum;
}

/* Sockets of a process on other descriptors than 0, 1 and 2. */
static double
sockets(pid_t pid)
{
	char path[PATH_BYTES], link[64];
	const struct dirent *e;
	double n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	if ((d = opendir(path)) == NULL)
		die(path);
	while ((e = readdir(d)) != NULL) {
		ssize_t len;
		snprintf(path, sizeof(path), "/proc/%ld/fd/%s", (long)pid,
		    e->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		n += atoi(e->d_name) > 2 && len > 7 &&
		    memcmp(link, "socket:", 7) == 0;
	}
	closedir(d);
	return n;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
print(const char *what, const char *unit, double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	printf("%-28s median %8.2f  p90 %8.2f  max %8.2f %s\n", what, v[n / 2],
	    v[n * 9 / 10], v[n - 1], unit);
}

int
main(int argc, char **argv)
{
	size_t n = argc > 2 ? (size_t)atoi(argv[1]) : 0;
	struct sockaddr_in a;
	struct round *r;
	double *v;
	int listener;

	if (n == 0 || n > ROUNDS_MAX) {
		fputs("usage: inetd ROUNDS PROGRAM ARG...\n", stderr);
		return 64;
	}
	r = calloc(n, sizeof(*r));
	v = calloc(n, sizeof(*v));
	if (r == NULL || v == NULL)
		die("memory");
	listener = listen_anywhere(&a);
	for (size_t i = 0; i < n; i++)
		run(&r[i], listener, &a, argv + 2);
	sleep(SETTLE_S);
	for (size_t i = 0; i < n; i++) {
		r[i].private_kb = private_kb(r[i].pid);
		r[i].sockets = sockets(r[i].pid);
	}
	for (size_t i = 0; i < n; i++) {
		close(r[i].client);
		waitpid(r[i].pid, NULL, 0);
	}
	for (size_t i = 0; i < n; i++)
		v[i] = r[i].ms;
	print("accept to first byte", "ms", v, n);
	for (size_t i = 0; i < n; i++)
		v[i] = r[i].private_kb;
	print("private memory when idle", "kB", v, n);
	for (size_t i = 0; i < n; i++)
		v[i] = r[i].sockets;
	print("Redis connections when idle", "", v, n);
	free(r);
	free(v);
	return 0;
}
