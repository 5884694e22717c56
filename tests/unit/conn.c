/* F_SETPIPE_SZ */
#define _GNU_SOURCE

#include "io/conn.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LARGE = 8 << 20, /* no socket and no pipe takes that at once */
	MAX_OUT = 16 << 20,
	HANG_S = 60,
};

static struct ev_loop *loop;
static char text[LARGE + 16];

/* A connection and what became of it; fd is its other end. */
struct end {
	struct conn conn;
	int mine, fd;
	unsigned ninput, ndrained, ngone, neof;
	int err;
	struct buf in;  /* what came */
	struct buf out; /* what the other end has read */
};

/* ---- Ends ---- */

static void
on_input(void *arg, const char *p, size_t n)
{
	struct end *e = arg;

	e->ninput++;
	e->neof += n == 0;
	buf_add(&e->in, p, n);
}

static void
on_drained(void *arg)
{
	struct end *e = arg;

	e->ndrained++;
}

static void
on_gone(void *arg, int err)
{
	struct end *e = arg;

	e->ngone++;
	e->err = err;
}

static const struct conn_events events = {on_input, on_drained, on_gone};

static void
begin(struct end *e, int mine, int fd, size_t max_out)
{
	memset(e, 0, sizeof(*e));
	e->mine = mine;
	e->fd = fd;
	buf_init(&e->in, MAX_OUT);
	buf_init(&e->out, 4 * LARGE);
	conn_init(&e->conn, loop, mine, mine, max_out, &events, e);
}

static void
begin_socket(struct end *e, size_t max_out)
{
	int fds[2] = {-1, -1};

	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	begin(e, fds[0], fds[1], max_out);
}

static void
begin_pipe(struct end *e)
{
	int fds[2] = {-1, -1};

	if (pipe(fds) != 0)
		ok(false, "no pipe: %s", strerror(errno));
	begin(e, fds[1], fds[0], MAX_OUT);
	e->conn.rfd = -1;
	e->conn.rkind = CONN_NONE;
}

static void
hang_up(struct end *e)
{
	close(e->fd);
	e->fd = -1;
}

static void
finish(struct end *e)
{
	conn_free(&e->conn);
	close(e->mine);
	if (e->fd >= 0)
		hang_up(e);
	buf_free(&e->in);
	buf_free(&e->out);
}

static void
turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* The other end reads what there is, n bytes at most. */
static void
take(struct end *e, size_t n)
{
	struct pollfd p = {e->fd, POLLIN, 0};

	while (n > 0 && poll(&p, 1, 0) > 0) {
		size_t some = n < 65536 ? n : 65536;
		char *room = buf_room(&e->out, some);
		ssize_t got = read(e->fd, room, some);
		if (got <= 0)
			break;
		buf_used(&e->out, (size_t)got);
		n -= (size_t)got;
	}
}

/* And all that follows, until `drained`. */
static void
take_all(struct end *e)
{
	while (conn_is_full(&e->conn)) {
		take(e, SIZE_MAX);
		turn();
	}
	take(e, SIZE_MAX);
}

static struct str
part(size_t from, size_t n)
{
	return str_n(text + from, n);
}

/* The other end has got n bytes, those of the text. */
static void
has_got(const struct end *e, size_t n, const char *name)
{
	ok(e->out.n == n && (n == 0 || memcmp(e->out.p, text, n) == 0), "%s",
	    name);
}

/* Write until nothing is taken any more: the number of bytes. */
static size_t
fill(struct end *e)
{
	size_t all = 0;
	ssize_t n;

	while ((n = conn_write_some(&e->conn, part(all, LARGE - all))) > 0)
		all += (size_t)n;
	is_int(n, 0, "no more is taken");
	return all;
}

/* ---- Kinds ---- */

static void
kinds(void)
{
	int fds[2] = {-1, -1}, tty = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *f = tmpfile();

	is_int(conn_kind(-1), CONN_NONE, "none");
	is_int(conn_kind(fileno(f)), CONN_FILE, "a file");
	socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
	is_int(conn_kind(fds[0]), CONN_SOCKET, "a socket");
	close(fds[0]);
	close(fds[1]);
	is_int(conn_kind(fds[0]), CONN_NONE, "a closed one");
	is_int(pipe(fds), 0, "two ends of a pipe");
	is_int(conn_kind(fds[0]), CONN_PIPE, "to read");
	is_int(conn_kind(fds[1]), CONN_PIPE, "to write");
	close(fds[0]);
	close(fds[1]);
	if (tty >= 0) {
		is_int(conn_kind(tty), CONN_PIPE, "a terminal");
		close(tty);
	}
	fclose(f);
}

/* ---- Writing, and keeping nothing ---- */

static void
some(void)
{
	struct end e;
	size_t all;

	begin_socket(&e, 100);
	is_int(conn_write_some(&e.conn, STR("")), 0, "nothing");
	is_int(conn_write_some(&e.conn, part(0, 9)), 9, "all of a little");
	is_int((long long)e.conn.sent_bytes, 9, "it is counted");
	take(&e, SIZE_MAX);
	has_got(&e, 9, "and comes");
	all = fill(&e);
	ok(all > 0 && all < LARGE, "a part of much, far more than max_out");
	is_int((long long)e.conn.sent_bytes, (long long)all + 9, "counted");
	ok(!conn_is_full(&e.conn), "nothing is kept");
	turn();
	is_int(e.ndrained + e.ngone, 0, "so that no event follows");
	e.out.n = 0;
	take(&e, SIZE_MAX);
	has_got(&e, all, "what was taken comes");
	is_int(conn_write_some(&e.conn, part(0, 5)), 5, "there is room again");
	finish(&e);
}

static void
some_to_nobody(void)
{
	struct end e;

	begin_socket(&e, 100);
	hang_up(&e);
	errno = 0;
	is_int(conn_write_some(&e.conn, part(0, 9)), -1, "nobody is there");
	ok(errno == EPIPE && e.conn.dead, "it is dead");
	errno = 0;
	is_int(conn_write_some(&e.conn, part(0, 9)), -1, "and stays so");
	is_int(errno, EPIPE, "with a reason");
	turn();
	is_int(e.ngone, 0, "gone does not follow");
	finish(&e);
}

/* ---- Keeping ---- */

static void
keep(void)
{
	struct end e;
	size_t all;

	begin_socket(&e, 1000);
	all = fill(&e);
	is_int(conn_keep(&e.conn, part(all, 600)), 0, "a tail is kept");
	ok(conn_is_full(&e.conn) && !conn_may_send(&e.conn), "it is full");
	is_int(conn_keep(&e.conn, part(all + 600, 400)), 0, "one more");
	turn();
	is_int(e.ndrained, 0, "it is not drained while nobody reads");
	take(&e, SIZE_MAX);
	is_int(conn_write_some(&e.conn, part(0, 5)), 0,
	    "nothing is written past it, even when there is room");
	ok(!e.conn.dead, "which is no error");
	take_all(&e);
	is_int(e.ndrained, 1, "drained, once");
	has_got(&e, all + 1000, "all comes, in order");
	is_int((long long)e.conn.sent_bytes, (long long)all + 1000, "counted");
	is_int(conn_write_some(&e.conn, part(0, 5)), 5, "and it takes more");
	turn();
	is_int(e.ndrained, 1, "no more events");
	finish(&e);
}

static void
keep_nothing(void)
{
	struct end e;
	size_t all;

	begin_socket(&e, 0);
	is_int(conn_keep(&e.conn, STR("")), 0, "an empty tail, with room");
	ok(conn_is_full(&e.conn), "drained follows");
	is_int(e.ndrained, 0, "but not at once");
	turn();
	is_int(e.ndrained, 1, "it is drained");
	ok(!conn_is_full(&e.conn) && conn_may_send(&e.conn), "not full");
	all = fill(&e);
	is_int(conn_keep(&e.conn, str_c(NULL)), 0, "an absent tail, when full");
	is_int(conn_write_some(&e.conn, part(0, 5)), 0, "it is full");
	turn();
	is_int(e.ndrained, 1, "it waits until");
	take_all(&e);
	is_int(e.ndrained, 2, "there is room");
	has_got(&e, all, "nothing else was written");
	finish(&e);
}

static void
keep_too_much(void)
{
	struct end e;

	begin_socket(&e, 1000);
	is_int(conn_keep(&e.conn, part(0, 1000)), 0, "the most");
	errno = 0;
	is_int(conn_keep(&e.conn, part(0, 1)), -1, "a byte more");
	ok(errno == ENOBUFS && e.conn.dead, "is the end of it");
	ok(!conn_is_full(&e.conn), "drained does not follow");
	is_int(conn_write(&e.conn, part(0, 1)), -1, "nor can it be written to");
	turn();
	is_int(e.ndrained + e.ngone, 0, "no event follows");
	finish(&e);
}

static void
lost_with_tail(void)
{
	struct end e;

	begin_socket(&e, 1000);
	conn_keep(&e.conn, part(0, 1000));
	hang_up(&e);
	turn();
	turn();
	is_int(e.ngone, 1, "gone with a tail, once");
	ok(e.err == EPIPE && e.ndrained == 0, "and why");
	is_int(conn_write(&e.conn, part(0, 1)), -1, "nothing more is written");
	finish(&e);
}

/* ---- Writing, and keeping the rest ---- */

static void
whole(void)
{
	struct end e;

	begin_socket(&e, MAX_OUT);
	is_int(conn_write(&e.conn, part(0, 9)), 0, "all of it is out");
	is_int(conn_write(&e.conn, STR("")), 0, "nothing is always out");
	turn();
	is_int(e.ndrained, 0, "without an event");
	is_int(conn_write(&e.conn, part(9, LARGE - 9)), 1, "a tail is kept");
	is_int(conn_write(&e.conn, part(LARGE, 16)), 1, "with what follows");
	take_all(&e);
	is_int(e.ndrained, 1, "drained");
	has_got(&e, LARGE + 16, "all has come");
	is_int(conn_write(&e.conn, STR("x")), 0, "and all of it is out again");
	finish(&e);
}

static void
whole_too_much(void)
{
	struct end e;

	begin_socket(&e, 1000);
	errno = 0;
	is_int(conn_write(&e.conn, part(0, LARGE)), -1, "too long a tail");
	ok(errno == ENOBUFS && e.conn.dead, "is the end of it, too");
	turn();
	is_int(e.ngone, 0, "gone does not follow");
	finish(&e);
}

/* ---- Who writes in our place ---- */

static void
on_behalf(void)
{
	struct end e;

	begin_socket(&e, 1000);
	ok(conn_may_send(&e.conn), "a socket may be sent to");
	is_int(conn_wrote(&e.conn, 7), 7, "so much was written");
	is_int(conn_wrote(&e.conn, 0), 0, "nothing");
	is_int(conn_wrote(&e.conn, -EAGAIN), 0, "it is full");
	is_int(conn_wrote(&e.conn, -EINTR), 0, "a signal came");
	is_int((long long)e.conn.sent_bytes, 7, "it is counted");
	ok(!e.conn.dead && conn_may_send(&e.conn), "all is well");
	errno = 0;
	is_int(conn_wrote(&e.conn, -ECONNRESET), -1, "it was reset");
	ok(errno == ECONNRESET && e.conn.dead, "and is dead");
	ok(!conn_may_send(&e.conn), "dead ones may not be sent to");
	turn();
	is_int(e.ngone, 0, "gone does not follow");
	finish(&e);
	begin_pipe(&e);
	ok(!conn_may_send(&e.conn), "pipes may not be sent to");
	finish(&e);
}

/* ---- Pipes and files ---- */

/*
 * write(2) of more than PIPE_BUF waits until all of it has room, and this pipe
 * belongs to others, too: it may not be made non-blocking.
 */
static void
pipes(void)
{
	struct end e;
	int flags;
	size_t all;

	begin_pipe(&e);
	flags = fcntl(e.mine, F_GETFL);
	all = fill(&e);
	ok(all >= PIPE_BUF, "a pipe takes much, and never waits");
	take(&e, 1);
	is_int(conn_write_some(&e.conn, part(all, LARGE - all)), 0,
	    "a byte's room is none");
	take(&e, PIPE_BUF - 1);
	is_int(conn_write(&e.conn, part(all, LARGE - all)), 1, "a tail");
	is_int((long long)e.conn.sent_bytes, (long long)all + PIPE_BUF,
	    "behind what there was room for");
	take_all(&e);
	is_int(e.ndrained, 1, "drained");
	has_got(&e, LARGE, "all comes");
	is_int(fcntl(e.mine, F_GETFL), flags, "its flags are as they were");
	finish(&e);
}

static void
small_pipe(void)
{
	struct end e;
	size_t all;

	begin_pipe(&e);
	fcntl(e.mine, F_SETPIPE_SZ, PIPE_BUF);
	ok(write(e.mine, text, 1) == 1, "there is something in the pipe");
	all = fill(&e);
	is_int(conn_keep(&e.conn, part(all, 3 * PIPE_BUF)), 0, "a tail");
	take(&e, 1);
	buf_clear(&e.out);
	take_all(&e);
	has_got(&e, all + 3 * PIPE_BUF, "all comes through a small pipe");
	finish(&e);
}

static void
files(void)
{
	FILE *f = tmpfile();
	struct end e;

	begin(&e, dup(fileno(f)), -1, 100);
	is_int(conn_write_some(&e.conn, part(0, LARGE)), LARGE,
	    "a file takes everything");
	is_int(conn_keep(&e.conn, part(LARGE, 16)), 0, "a tail");
	turn();
	is_int(e.ndrained, 1, "is written");
	is_int(lseek(e.mine, 0, SEEK_CUR), LARGE + 16, "behind it");
	finish(&e);
	fclose(f);
}

static void
full_disk(void)
{
	int fd = open("/dev/full", O_WRONLY);
	struct end e;

	if (fd < 0)
		return;
	begin(&e, fd, -1, 100);
	errno = 0;
	is_int(conn_write_some(&e.conn, part(0, 10)), -1, "the disk is full");
	ok(errno == ENOSPC && e.conn.dead, "and it says so");
	finish(&e);
}

/* ---- Reading ---- */

static void
input(void)
{
	struct end e;

	begin_socket(&e, 100);
	ok(write(e.fd, "one", 3) == 3, "something comes");
	turn();
	is_int(e.ninput, 0, "nobody wants it");
	conn_read(&e.conn, true);
	turn();
	is_str(buf_str(&e.in), STR("one"), "now it is read");
	conn_read(&e.conn, false);
	ok(write(e.fd, "two", 3) == 3, "more comes");
	turn();
	is_str(buf_str(&e.in), STR("one"), "which waits");
	conn_read(&e.conn, true);
	shutdown(e.fd, SHUT_WR);
	turn();
	turn();
	is_str(buf_str(&e.in), STR("onetwo"), "and then the end");
	is_int(e.neof, 1, "is told");
	conn_read(&e.conn, true);
	turn();
	is_int(e.neof, 1, "once");
	is_int(
	    conn_write(&e.conn, part(0, 9)), 0, "it can be written to still");
	is_int(e.ngone, 0, "it has not gone");
	finish(&e);
}

static void
watched(void)
{
	struct end e;

	begin_socket(&e, 100);
	conn_watch_gone(&e.conn);
	turn();
	is_int(e.ngone, 0, "a socket's other end is there");
	hang_up(&e);
	turn();
	turn();
	is_int(e.ngone, 1, "it has gone, and that is told once");
	finish(&e);
	begin_pipe(&e);
	conn_watch_gone(&e.conn);
	conn_write(&e.conn, part(0, 9));
	turn();
	is_int(e.ngone, 0, "a pipe's other end is there");
	hang_up(&e);
	turn();
	turn();
	is_int(e.ngone, 1, "it has gone, too");
	is_int(conn_write(&e.conn, part(0, 9)), -1, "nothing more is written");
	finish(&e);
}

/* ---- Freed from within ---- */

/* One that ends with the event named by the letter. */
struct mayfly {
	struct conn conn;
	char dies_of;
	int *deaths;
};

static void
live(struct mayfly *f, char event)
{
	if (event != f->dies_of)
		return;
	conn_free(&f->conn);
	conn_free(&f->conn);
	++*f->deaths;
	free(f);
}

static void
mayfly_input(void *arg, const char *p, size_t n)
{
	(void)p;
	(void)n;
	live(arg, 'i');
}

static void
mayfly_drained(void *arg)
{
	live(arg, 'd');
}

static void
mayfly_gone(void *arg, int err)
{
	(void)err;
	live(arg, 'g');
}

/* All events are due at once; the first one may be the end. */
static void
freed_from(char dies_of, bool hung_up, const char *name)
{
	static const struct conn_events es = {
	    mayfly_input, mayfly_drained, mayfly_gone};
	struct mayfly *f = calloc(1, sizeof(*f));
	int fds[2] = {-1, -1}, deaths = 0;

	if (f == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		exit(done());
	f->dies_of = dies_of;
	f->deaths = &deaths;
	conn_init(&f->conn, loop, fds[0], fds[0], 100, &es, f);
	conn_read(&f->conn, true);
	conn_watch_gone(&f->conn);
	conn_keep(&f->conn, part(0, 10));
	ok(write(fds[1], "x", 1) == 1, "something comes");
	if (hung_up)
		close(fds[1]);
	for (int i = 0; i < 4; i++)
		turn();
	is_int(deaths, 1, name);
	if (!hung_up)
		close(fds[1]);
	close(fds[0]);
}

static void
freed(void)
{
	struct conn zeroed;

	memset(&zeroed, 0, sizeof(zeroed));
	conn_free(&zeroed);
	freed_from('i', false, "freed by what came");
	freed_from('d', false, "freed when drained");
	freed_from('g', true, "freed when gone");
	freed_from('i', true, "freed by what came from one who has gone");
}

/* Something else that takes a while, before who speaks is heard. */
static void
dawdle(struct ev_loop *l, struct ev_timer *w, int revents)
{
	(void)revents;
	while (ev_time() - ev_now(l) < 0.006)
		;
	ev_timer_again(l, w);
}

static void
long_turns(void)
{
	struct ev_timer other;
	struct end e;
	unsigned turns = 0;

	begin_socket(&e, MAX_OUT);
	conn_read(&e.conn, true);
	ev_timer_init(&other, dawdle, 0., 1e-6);
	ev_set_priority(&other, EV_MAXPRI);
	ev_timer_start(loop, &other);
	ok(write(e.fd, "a", 1) == 1, "someone speaks");
	while (e.ninput == 0) {
		ev_run(loop, EVRUN_ONCE);
		turns++;
	}
	ok(turns > 1, "a turn that is long already is not for them");
	ok(turns <= 300, "but one in some hundred is");
	ev_timer_stop(loop, &other);
	ok(write(e.fd, "b", 1) == 1, "and again");
	ev_run(loop, EVRUN_ONCE);
	is_int(e.ninput, 2, "a short turn is");
	finish(&e);
}

int
main(void)
{
	alarm(HANG_S);
	srand(1);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)rand();
	loop = ev_loop_new(EVFLAG_AUTO);
	kinds();
	long_turns();
	some();
	some_to_nobody();
	keep();
	keep_nothing();
	keep_too_much();
	lost_with_tail();
	whole();
	whole_too_much();
	on_behalf();
	pipes();
	small_pipe();
	files();
	full_disk();
	input();
	watched();
	freed();
	ev_loop_destroy(loop);
	return done();
}
