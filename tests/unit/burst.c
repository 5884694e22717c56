/* setrlimit(2), setitimer(2), syscall(2) */
#define _GNU_SOURCE

#include "io/burst.h"

#include "tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	MANY = 1000,
	ROUNDS = 3,
	PERIOD = 65521, /* prime: no buffer is a multiple of it */
	LARGE = 4 << 20,
};

enum kind { UNIX, TCP, PIPE };

/*
 * A connection and its other end. Each has a text of its own without end, of
 * which the bytes up to `wrote` were written and those up to `got` came.
 */
struct peer {
	struct conn conn;
	int fds[2];
	size_t wrote, got;
	bool wrong;
	unsigned ndrained, ngone;
};

static struct ev_loop *loop;
static const char *suffix = "";
static bool has_ring;
static int patience_ms = 5000;
static char text[PERIOD + LARGE];
static struct peer peers[MANY];
static struct burst_write writes[MANY];

/* ---- Peers ---- */

static void
on_drained(void *arg)
{
	struct peer *p = arg;

	p->ndrained++;
}

static void
on_gone(void *arg, int err)
{
	struct peer *p = arg;

	(void)err;
	p->ngone++;
}

static const struct conn_events events = {NULL, on_drained, on_gone};

static const char *
at(const struct peer *p, size_t position)
{
	return text + ((size_t)(p - peers) * 7919 + position) % PERIOD;
}

/* At one port for all: there are not so many. */
static int
connect_tcp(int fds[2])
{
	static struct sockaddr_in a = {.sin_family = AF_INET};
	static int server = -1;
	socklen_t n = sizeof(a);

	if (server < 0) {
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		server = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(server, (struct sockaddr *)&a, n) != 0 ||
		    listen(server, 1) != 0 ||
		    getsockname(server, (struct sockaddr *)&a, &n) != 0)
			return -1;
	}
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fds[1], (struct sockaddr *)&a, n) != 0)
		return -1;
	fds[0] = accept(server, NULL, NULL);
	return fds[0] < 0 ? -1 : 0;
}

/* Written to is fds[0], read is fds[1]. */
static int
connect_pair(enum kind kind, int fds[2])
{
	int ends[2];

	if (kind == TCP)
		return connect_tcp(fds);
	if (kind == UNIX)
		return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	if (pipe(ends) != 0)
		return -1;
	fds[0] = ends[1];
	fds[1] = ends[0];
	return 0;
}

static void
enter(size_t i, enum kind kind)
{
	struct peer *p = &peers[i];

	*p = (struct peer){.fds = {-1, -1}};
	if (connect_pair(kind, p->fds) != 0) {
		ok(false, "no connection: %s", strerror(errno));
		exit(done());
	}
	conn_init(&p->conn, loop, -1, p->fds[0], 8 << 20, &events, p);
}

static void
enter_all(size_t n, enum kind kind)
{
	for (size_t i = 0; i < n; i++)
		enter(i, kind);
}

/* The other end goes, as it does when its process is killed. */
static void
hang_up(struct peer *p)
{
	struct linger reset = {1, 0};

	setsockopt(p->fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(p->fds[1]);
	p->fds[1] = -1;
}

/* Without TIME-WAIT, of which there would be too many. */
static void
leave(struct peer *p)
{
	if (p->fds[1] >= 0)
		hang_up(p);
	conn_free(&p->conn);
	close(p->fds[0]);
}

static void
leave_all(size_t n)
{
	for (size_t i = 0; i < n; i++)
		leave(&peers[i]);
}

/* Read what has been written, all of it, and compare. */
static void
receive(struct peer *p)
{
	static char bytes[1 << 16];
	struct pollfd fd = {p->fds[1], POLLIN, 0};

	while (p->got < p->wrote) {
		int ready = poll(&fd, 1, patience_ms);
		ssize_t n = ready > 0 ? read(fd.fd, bytes, sizeof(bytes)) : 0;
		if (n <= 0)
			break;
		for (ssize_t k = 0; k < n; k++, p->got++)
			p->wrong |= bytes[k] != *at(p, p->got);
	}
	/* One that is waited for in vain is enough. */
	if (p->got < p->wrote)
		patience_ms = 0;
}

/* There is nothing more. */
static bool
is_empty(const struct peer *p)
{
	struct pollfd fd = {p->fds[1], POLLIN, 0};

	return poll(&fd, 1, 0) == 0;
}

static bool
has_all(struct peer *p)
{
	receive(p);
	return !p->wrong && p->got == p->wrote && is_empty(p);
}

static void
plan(size_t i, size_t n)
{
	struct peer *p = &peers[i];

	/* What is said must be said, not left as it was. */
	writes[i] =
	    (struct burst_write){&p->conn, str_n(at(p, p->wrote), n), 77, 77};
}

/* Count what has been written. */
static void
note(size_t i)
{
	if (writes[i].done > 0)
		peers[i].wrote += (size_t)writes[i].done;
}

/* ---- All well ---- */

static size_t
length(size_t i, size_t round)
{
	return 1 + (i * 37 + round * 1009) % 3000;
}

/* A round of n; how many of them were not as they should be. */
static size_t
bad_round(struct burst *b, size_t n, size_t round)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++)
		plan(i, length(i, round));
	burst_write(b, writes, n);
	for (size_t i = 0; i < n; i++) {
		note(i);
		bad += writes[i].done != (ssize_t)length(i, round) ||
		    writes[i].error != 0 || !has_all(&peers[i]) ||
		    peers[i].conn.sent_bytes != peers[i].wrote;
	}
	return bad;
}

static void
all_arrive(enum kind kind)
{
	static const size_t ns[] = {1, 7, 8, 255, 256, 257, MANY};
	const char *name = kind == TCP ? "TCP" : "unix";

	for (size_t k = 0; k < sizeof(ns) / sizeof(*ns); k++) {
		struct burst b = {NULL, false};
		size_t bad = 0;

		enter_all(ns[k], kind);
		for (size_t round = 0; round < ROUNDS; round++)
			bad += bad_round(&b, ns[k], round);
		ok(bad == 0, "%zu of %s%s", ns[k], name, suffix);
		ok((b.ring != NULL) == (has_ring && ns[k] >= 8),
		    "its ring is made when it is of use");
		burst_free(&b);
		leave_all(ns[k]);
	}
}

static void
none(void)
{
	struct burst b = {NULL, false};

	burst_write(&b, NULL, 0);
	ok(b.ring == NULL, "none%s", suffix);
	burst_free(&b);
	burst_free(&b);
}

/* One ring over its whole life, longer than its queues are. */
static void
all_sizes(void)
{
	struct burst b = {NULL, false};
	size_t bad = 0;

	enter_all(300, UNIX);
	for (size_t n = 0; n <= 300; n++)
		bad += bad_round(&b, n, n);
	is_int((long long)bad, 0, "0 to 300 in turn");
	burst_free(&b);
	bad = bad_round(&b, 20, 0);
	is_int((long long)bad, 0, "again, once it was freed");
	burst_free(&b);
	leave_all(300);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
set_alarms(int us)
{
	struct itimerval t = {{0, us}, {0, us}};

	setitimer(ITIMER_REAL, &t, NULL);
}

static void
interrupted(void)
{
	struct burst b = {NULL, false};
	struct sigaction sa = {.sa_handler = on_alarm};
	size_t bad = 0;

	sigaction(SIGALRM, &sa, NULL);
	enter_all(MANY, TCP);
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < MANY; i++)
			plan(i, length(i, round));
		set_alarms(20);
		burst_write(&b, writes, MANY);
		set_alarms(0);
		for (size_t i = 0; i < MANY; i++) {
			note(i);
			bad += writes[i].done < 0 || !has_all(&peers[i]);
		}
	}
	ok(bad == 0, "signals lose and double nothing%s", suffix);
	burst_free(&b);
	leave_all(MANY);
}

/* ---- Not all well ---- */

/* Keep what was not taken, and wait until it has been. */
static bool
finish(size_t i)
{
	struct peer *p = &peers[i];
	size_t n = writes[i].bytes.n - (size_t)writes[i].done;

	p->ndrained = 0;
	if (conn_keep(&p->conn, str_n(at(p, p->wrote), n)) != 0)
		return false;
	p->wrote += n;
	while (p->ndrained == 0 && p->ngone == 0) {
		size_t all = p->wrote;
		/* What is still in p->conn.out cannot be read yet. */
		p->wrote = (size_t)p->conn.sent_bytes;
		receive(p);
		p->wrote = all;
		ev_run(loop, EVRUN_NOWAIT);
	}
	return has_all(p);
}

/* Some take a part, and then nothing. */
static void
full(enum kind kind)
{
	enum { N = 40 };
	struct burst b = {NULL, false};
	size_t bad = 0;

	enter_all(N, kind);
	for (size_t i = 0; i < N; i++)
		plan(i, i % 3 == 1 ? LARGE : 100);
	burst_write(&b, writes, N);
	for (size_t i = 0; i < N; i++) {
		note(i);
		if (i % 3 == 1)
			bad += writes[i].done <= 0 || writes[i].done >= LARGE;
		else
			bad += writes[i].done != 100;
		bad += writes[i].error != 0 || conn_is_full(&peers[i].conn);
	}
	ok(bad == 0, "a part is taken, and said%s", suffix);
	/* The kernel may take a little more, but not for long. */
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < N; i++)
			plan(i, i % 3 == 1 ? LARGE : 100);
		burst_write(&b, writes, N);
		for (size_t i = 0; i < N; i++)
			note(i);
	}
	bad = 0;
	for (size_t i = 0; i < N; i++)
		bad += writes[i].done != (i % 3 == 1 ? 0 : 100) ||
		    writes[i].error != 0;
	ok(bad == 0, "nothing of who is full%s", suffix);
	for (size_t i = bad = 0; i < N; i++)
		bad += i % 3 == 1 ? !finish(i) : !has_all(&peers[i]);
	ok(bad == 0, "all comes when they read%s", suffix);
	ok(bad_round(&b, N, 1) == 0, "and then the next%s", suffix);
	burst_free(&b);
	leave_all(N);
}

/* Who has a tail kept is passed over; `drained` follows for it alone. */
static void
kept(void)
{
	enum { N = 20, FULL = 5 };
	struct burst b = {NULL, false};
	size_t bad = 0;

	enter_all(N, UNIX);
	conn_keep(&peers[FULL].conn, STR(""));
	for (size_t i = 0; i < N; i++)
		plan(i, 100);
	burst_write(&b, writes, N);
	for (size_t i = 0; i < N; i++) {
		note(i);
		bad += writes[i].done != (i == FULL ? 0 : 100) ||
		    writes[i].error != 0 || !has_all(&peers[i]);
	}
	ok(bad == 0, "nothing goes past a tail%s", suffix);
	ev_run(loop, EVRUN_NOWAIT);
	is_int(peers[FULL].ndrained, 1, "its tail is written");
	ok(bad_round(&b, N, 1) == 0, "and then the next%s", suffix);
	burst_free(&b);
	leave_all(N);
}

static bool
is_lost(const struct burst_write *w)
{
	return w->done == -1 && w->conn->dead &&
	    (w->error == EPIPE || w->error == ECONNRESET);
}

static void
gone(enum kind kind)
{
	enum { N = 300 };
	struct burst b = {NULL, false};
	size_t bad = 0;

	enter_all(N, kind);
	for (size_t i = 0; i < N; i += 7)
		hang_up(&peers[i]);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < N; i++)
			plan(i, 100);
		burst_write(&b, writes, N);
		for (size_t i = 0; i < N; i++) {
			note(i);
			if (i % 7 == 0)
				bad += !is_lost(&writes[i]);
			else
				bad += writes[i].done != 100 ||
				    writes[i].error != 0 || !has_all(&peers[i]);
		}
		ok(bad == 0, "%s among others%s",
		    round == 0 ? "those that are gone" : "dead ones", suffix);
	}
	ev_run(loop, EVRUN_NOWAIT);
	for (size_t i = bad = 0; i < N; i++)
		bad += peers[i].ngone;
	ok(bad == 0, "it is not said twice%s", suffix);
	burst_free(&b);
	leave_all(N);
}

/* Whose descriptor is not a socket cannot be sent to. */
static void
mixed(void)
{
	enum { N = 50, PIPE_AT = 17 };
	struct burst b = {NULL, false};
	size_t bad = 0;

	enter_all(N, UNIX);
	leave(&peers[0]);
	enter(0, TCP);
	bad += bad_round(&b, N, 0);
	leave(&peers[PIPE_AT]);
	enter(PIPE_AT, PIPE);
	bad += bad_round(&b, N, 1);
	ok(bad == 0, "a pipe among sockets%s", suffix);
	for (size_t i = 0; i < N; i++)
		plan(i, 1 << 20);
	burst_write(&b, writes, N);
	for (size_t i = bad = 0; i < N; i++) {
		note(i);
		bad += writes[i].done <= 0 || !has_all(&peers[i]);
	}
	ok(bad == 0, "which takes what it takes%s", suffix);
	burst_free(&b);
	leave_all(N);
}

static void
all(void)
{
	none();
	all_arrive(UNIX);
	all_arrive(TCP);
	full(UNIX);
	full(TCP);
	kept();
	gone(UNIX);
	gone(TCP);
	mixed();
	interrupted();
}

/* ---- A kernel without a ring ---- */

/* From now on that system call does this. 0 or -1. */
static int
forbid(unsigned call, unsigned action)
{
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, action),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(*code), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/*
 * It was made, and then no system call comes through. Who may have been sent
 * something is given up; nobody is sent anything twice.
 */
static void
broken(void)
{
	enum { N = 300, RING = 256 };
	struct burst b = {NULL, false};
	size_t bad = 0;

	if (!has_ring ||
	    forbid(SYS_io_uring_enter, SECCOMP_RET_ERRNO | EPERM) != 0) {
		ok(true, "a ring that breaks # SKIP there is none");
		return;
	}
	enter_all(N, UNIX);
	for (size_t i = 0; i < N; i++)
		plan(i, 100);
	burst_write(&b, writes, N);
	for (size_t i = 0; i < N; i++) {
		bool given_up = i < RING && writes[i].done == -1 &&
		    writes[i].error != 0 && peers[i].conn.dead;
		note(i);
		bad +=
		    (!given_up && writes[i].done != 100) || !has_all(&peers[i]);
	}
	ok(bad == 0, "of those before a ring that breaks some are given up");
	ok(b.ring == NULL && b.no_ring, "it is not used again");
	burst_free(&b);
	leave_all(N);
}

static void
without_ring(void)
{
	struct burst b = {NULL, false};

	suffix = ", without io_uring";
	has_ring = false;
	if (forbid(SYS_io_uring_setup, SECCOMP_RET_ERRNO | EPERM) != 0) {
		ok(true, "without io_uring # SKIP it cannot be forbidden");
		return;
	}
	all();
	enter_all(20, UNIX);
	ok(bad_round(&b, 20, 0) == 0 && b.no_ring, "it tries once");
	(void)fflush(NULL);
	/* One more try would be the end. */
	forbid(SYS_io_uring_setup, SECCOMP_RET_KILL_PROCESS);
	ok(bad_round(&b, 20, 1) == 0, "and not again");
	burst_free(&b);
	leave_all(20);
}

/* ---- ---- */

static bool
kernel_has_ring(void)
{
	struct io_uring_params p = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 256, &p);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && (p.features & IORING_FEAT_SINGLE_MMAP) != 0;
}

int
main(void)
{
	struct rlimit rl;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	srand(1);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i < PERIOD ? (char)rand() : text[i - PERIOD];
	loop = ev_loop_new(EVFLAG_AUTO);
	has_ring = kernel_has_ring();
	all();
	all_sizes();
	broken();
	without_ring();
	ev_loop_destroy(loop);
	return done();
}
