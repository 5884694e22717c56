#include "fake_redis.h"

#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FAKE_ARGS = 256, FAKE_BYTES = 8 << 20 };

struct fake_client {
	struct fake_client *next;
	struct fake_redis *fake;
	struct ev_io io;
	int fd;
	long long id;
	bool multi;
	struct buf in, out;
	struct buf queued; /* commands since MULTI */
	size_t nqueued;
	struct buf blocked; /* an XREAD that waits */
};

static void
fake_check(bool cond)
{
	if (!cond)
		abort();
}

/* ---- Replies ---- */

static void
reply_client(struct fake_client *c, struct buf *b, const struct str *argv)
{
	struct fake_client *o = c->fake->clients;

	if (str_eq(argv[1], STR("ID"))) {
		buf_addf(b, ":%lld\r\n", c->id);
	} else if (str_eq(argv[1], STR("UNBLOCK"))) {
		for (; o != NULL && o->blocked.n == 0; o = o->next)
			;
		buf_addz(b, o != NULL ? ":1\r\n" : ":0\r\n");
		if (o != NULL) {
			buf_clear(&o->blocked);
			buf_addz(&o->out, "*-1\r\n");
		}
	} else if (str_eq(argv[1], STR("SETNAME"))) {
		buf_addz(b, "+OK\r\n");
	} else {
		buf_addz(b, "-ERR unknown subcommand\r\n");
	}
}

static bool reply_to_all(struct fake_client *c, struct buf *b, struct str in);

static void
forget_queued(struct fake_client *c)
{
	c->multi = false;
	c->nqueued = 0;
	buf_clear(&c->queued);
}

static void
exec(struct fake_client *c, struct buf *b)
{
	bool multi = c->multi;

	c->multi = false;
	if (multi) {
		buf_addf(b, "*%zu\r\n", c->nqueued);
		reply_to_all(c, b, buf_str(&c->queued));
	} else {
		buf_addz(b, "-ERR EXEC without MULTI\r\n");
	}
	forget_queued(c);
}

/* false: it waits. */
static bool
reply(struct fake_client *c, struct buf *b, const struct str *argv, size_t argc)
{
	struct str name = argv[0];

	if (str_eq(name, STR("CLIENT")) && argc > 1)
		reply_client(c, b, argv);
	else if (str_eq(name, STR("PING")))
		buf_addz(b, "+PONG\r\n");
	else if (str_eq(name, STR("EXEC")))
		exec(c, b);
	else
		return fake_stream_reply(&c->fake->stream, b, argv, argc);
	return true;
}

/* ---- What clients send ---- */

/* A line `?NUMBER` with its end: its length, 0 if there is more to come. */
static size_t
number(struct str s, char type, uint64_t *v)
{
	size_t end = str_find(s, '\n');

	if (end == s.n)
		return 0;
	fake_check(end >= 3 && s.p[0] == type && s.p[end - 1] == '\r' &&
	    num_u64(str_n(s.p + 1, end - 2), v) == 0);
	return end + 1;
}

/* The length of the command that in begins with, or 0. */
static size_t
parse(struct str in, struct str argv[FAKE_ARGS], size_t *argc)
{
	uint64_t count = 0, length = 0;
	size_t at = number(in, '*', &count), n;

	if (at == 0)
		return 0;
	fake_check(count > 0 && count <= FAKE_ARGS);
	*argc = (size_t)count;
	for (size_t i = 0; i < count; i++) {
		n = number(str_from(in, at), '$', &length);
		at += n;
		if (n == 0 || in.n - at < length + 2)
			return 0;
		argv[i] = str_n(in.p + at, (size_t)length);
		at += (size_t)length + 2;
		fake_check(memcmp(in.p + at - 2, "\r\n", 2) == 0);
	}
	return at;
}

static bool
reply_to_all(struct fake_client *c, struct buf *b, struct str in)
{
	struct str argv[FAKE_ARGS];
	size_t n, argc = 0;

	while (in.n > 0 && (n = parse(in, argv, &argc)) > 0) {
		if (!reply(c, b, argv, argc))
			return false;
		in = str_from(in, n);
	}
	return true;
}

static void
close_client(struct fake_client *c)
{
	struct fake_client **link = &c->fake->clients;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	ev_io_stop(c->fake->loop, &c->io);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->queued);
	buf_free(&c->blocked);
	free(c);
}

/* false: the connection has ended by that. */
static bool
follow_script(struct fake_client *c, struct str record)
{
	struct str rest = str_from(record, 1);

	switch (record.p[0]) {
	case '>':
		buf_adds(&c->out, rest);
		break;
	case '-':
		buf_addc(&c->out, '-');
		for (size_t i = 0; i < rest.n; i++)
			if (rest.p[i] != '\r' && rest.p[i] != '\n')
				buf_addc(&c->out, rest.p[i]);
		buf_addz(&c->out, "\r\n");
		break;
	case '!':
		close_client(c);
		return false;
	default:
		break;
	}
	return true;
}

static void
obey(struct fake_client *c, struct str command, const struct str *argv,
    size_t argc)
{
	if (str_eq(argv[0], STR("MULTI"))) {
		fake_check(!c->multi);
		c->multi = true;
		buf_addz(&c->out, "+OK\r\n");
	} else if (c->multi && !str_eq(argv[0], STR("EXEC"))) {
		buf_adds(&c->queued, command);
		c->nqueued++;
		buf_addz(&c->out, "+QUEUED\r\n");
	} else if (!reply(c, &c->out, argv, argc)) {
		buf_adds(&c->blocked, command);
	}
}

static void
fake_flush(struct fake_client *c)
{
	if (c->out.n > 0)
		(void)send(
		    c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_clear(&c->out);
}

static void
on_command(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct fake_client *c = w->data;
	struct fake_redis *f = c->fake;
	struct str argv[FAKE_ARGS];
	char p[16384];
	size_t taken, argc = 0;
	ssize_t n = recv(c->fd, p, sizeof(p), MSG_DONTWAIT);

	(void)loop;
	(void)revents;
	if (n <= 0) {
		close_client(c);
		return;
	}
	buf_add(&c->in, p, (size_t)n);
	while ((taken = parse(buf_str(&c->in), argv, &argc)) > 0) {
		if (f->at < f->nscript) {
			if (str_eq(argv[0], STR("EXEC")))
				forget_queued(c);
			if (!follow_script(c, f->script[f->at++]))
				return;
		} else {
			obey(c, str_n(c->in.p, taken), argv, argc);
		}
		buf_drop(&c->in, taken);
	}
	for (c = f->clients; c != NULL; c = c->next)
		fake_flush(c);
}

static void
on_connect(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct fake_redis *f = w->data;
	struct fake_client *c = calloc(1, sizeof(*c));

	(void)revents;
	fake_check(c != NULL);
	c->fake = f;
	c->fd = accept(w->fd, NULL, NULL);
	fake_check(c->fd >= 0);
	c->id = ++f->last_client;
	c->next = f->clients;
	f->clients = c;
	buf_init(&c->in, FAKE_BYTES);
	buf_init(&c->out, FAKE_BYTES);
	buf_init(&c->queued, FAKE_BYTES);
	buf_init(&c->blocked, FAKE_BYTES);
	ev_io_init(&c->io, on_command, c->fd, EV_READ);
	c->io.data = c;
	ev_io_start(loop, &c->io);
}

/* ---- ---- */

static char fake_path[64];

static void
fake_unlink(void)
{
	unlink(fake_path);
}

void
fake_start(struct fake_redis *f, struct ev_loop *loop)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(f, 0, sizeof(*f));
	f->loop = loop;
	snprintf(
	    f->path, sizeof(f->path), "/tmp/chat-fuzz.%ld", (long)getpid());
	memcpy(fake_path, f->path, sizeof(fake_path));
	memcpy(a.sun_path, f->path, sizeof(f->path));
	unlink(f->path);
	fake_check(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, 64) == 0);
	atexit(fake_unlink);
	ev_io_init(&f->listen, on_connect, fd, EV_READ);
	f->listen.data = f;
	ev_io_start(loop, &f->listen);
	fake_stream_init(&f->stream);
}

void
fake_reset(struct fake_redis *f)
{
	fake_cut(f);
	f->last_client = 0;
	fake_stream_reset(&f->stream);
}

void
fake_cut(struct fake_redis *f)
{
	while (f->clients != NULL)
		close_client(f->clients);
	f->nscript = f->at = 0;
}

void
fake_add(struct fake_redis *f, struct str type, struct str data)
{
	fake_stream_add(&f->stream, type, data);
	for (struct fake_client *c = f->clients; c != NULL; c = c->next) {
		if (c->blocked.n > 0 &&
		    reply_to_all(c, &c->out, buf_str(&c->blocked)))
			buf_clear(&c->blocked);
		fake_flush(c);
	}
}

void
fake_say(struct fake_redis *f, struct str record)
{
	if (f->nscript < FAKE_SCRIPT && record.n > 0)
		f->script[f->nscript++] = record;
}
