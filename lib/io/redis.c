#include "io/redis.h"

#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKOFF_BASE_MS = 100, BACKOFF_CAP_MS = 2000 };

#define COMMAND_MAX ((size_t)1 << 30)

/* A command that waits for its reply. */
struct redis_call {
	redis_fn *fn;
	void *arg;
	int64_t block_ms;
};

/* ---- The ring of calls ---- */

static int
call_push(struct redis *r, struct redis_call call)
{
	if (r->ncalls == r->cap) {
		size_t cap = r->cap == 0 ? 8 : r->cap * 2;
		struct redis_call *calls = malloc(cap * sizeof(*calls));
		if (calls == NULL)
			return -1;
		for (size_t i = 0; i < r->ncalls; i++)
			calls[i] = r->calls[(r->head + i) % r->cap];
		free(r->calls);
		r->calls = calls;
		r->cap = cap;
		r->head = 0;
	}
	r->calls[(r->head + r->ncalls++) % r->cap] = call;
	return 0;
}

static struct redis_call
call_shift(struct redis *r)
{
	struct redis_call call = r->calls[r->head];

	r->head = (r->head + 1) % r->cap;
	r->ncalls--;
	return call;
}

/* ---- Watchers ---- */

static void
watchdog_set(struct redis *r)
{
	int64_t ms = r->conf->timeout_ms;

	ev_timer_stop(r->loop, &r->watchdog);
	if (r->ac == NULL || ms == NUM_INF ||
	    (r->state == REDIS_READY && r->ncalls == 0 && r->channel == NULL))
		return;
	if (r->ncalls > 0)
		ms += r->calls[r->head].block_ms;
	ev_timer_set(&r->watchdog, (double)ms / 1000., 0.);
	ev_timer_start(r->loop, &r->watchdog);
}

static void
hand_pushes(struct redis *r)
{
	const redisAsyncContext *ac = r->ac;
	void *reply;

	/* It may be closed meanwhile, and another one made. */
	while (r->ac == ac && r->channel != NULL) {
		if (redisReaderGetReply(ac->c.reader, &reply) != REDIS_OK) {
			redis_restart(r, "protocol error");
			return;
		}
		if (reply == NULL)
			return;
		r->heard = true;
		r->events->pushed(r->arg, reply);
		freeReplyObject(reply);
	}
}

static void
read_pushes(struct redis *r)
{
	char p[16384];
	ssize_t n = recv(r->rio.fd, p, sizeof(p), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		redis_restart(r, n < 0 ? strerror(errno) : "connection closed");
	else if (redisReaderFeed(r->ac->c.reader, p, (size_t)n) != REDIS_OK)
		redis_restart(r, "out of memory");
	else
		hand_pushes(r);
}

static void
on_readable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct redis *r = w->data;
	char c;

	(void)loop;
	(void)revents;
	/* hiredis asserts that only an error may come without a command. */
	if (r->channel != NULL)
		read_pushes(r);
	else if (r->ncalls == 0 && r->state == REDIS_READY &&
	    recv(r->rio.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && c != '-')
		redis_restart(r, "unexpected reply");
	else
		redisAsyncHandleRead(r->ac);
}

static void
on_writable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct redis *r = w->data;

	(void)loop;
	(void)revents;
	redisAsyncHandleWrite(r->ac);
}

static void
add_read(void *arg)
{
	struct redis *r = arg;

	ev_io_start(r->loop, &r->rio);
}

static void
del_read(void *arg)
{
	struct redis *r = arg;

	ev_io_stop(r->loop, &r->rio);
}

/*
 * What is sent in a turn of the loop is written at its end, and a command that
 * blocks behind all else that there is to do; only what the socket does not
 * take then is worth waiting for. While connecting, to be writable says that it
 * is done.
 */
static void
add_write(void *arg)
{
	struct redis *r = arg;

	if (r->state != REDIS_READY || r->writing)
		ev_io_start(r->loop, &r->wio);
	else if (r->blocks)
		ev_prepare_start(r->loop, &r->turn);
	else
		ev_feed_event(r->loop, &r->turn, EV_CUSTOM);
}

static void
del_write(void *arg)
{
	struct redis *r = arg;

	ev_prepare_stop(r->loop, &r->turn);
	ev_io_stop(r->loop, &r->wio);
}

static void
on_turn(struct ev_loop *loop, struct ev_prepare *w, int revents)
{
	struct redis *r = w->data;

	(void)revents;
	ev_prepare_stop(loop, w);
	r->writing = true;
	redisAsyncHandleWrite(r->ac);
	r->writing = false;
}

static void
stop_io(void *arg)
{
	del_read(arg);
	del_write(arg);
}

/* ---- Losing the connection ---- */

/*
 * Part from the context; whoever calls sees to its being freed. hiredis may
 * still call back for it (a context closed from its own callback lives to the
 * end of that), so it is told to forget us.
 */
static void
detach(struct redis *r)
{
	stop_io(r);
	ev_timer_stop(r->loop, &r->watchdog);
	r->ac->data = NULL;
	memset(&r->ac->ev, 0, sizeof(r->ac->ev));
	r->ac = NULL;
	r->client_id = 0;
	r->greeting = 0;
	r->channel = NULL;
}

/*
 * Every command sent has its callback, with NULL; a callback may send no more.
 */
static void
forget_calls(struct redis *r)
{
	while (r->ncalls > 0) {
		struct redis_call call = call_shift(r);
		call.fn(call.arg, NULL);
	}
}

static void
give_up(struct redis *r, enum redis_trouble trouble)
{
	r->state = REDIS_CLOSED;
	ev_timer_stop(r->loop, &r->retry);
	r->events->failed(r->arg, trouble, r->why);
}

/* The connection is no more: try again, while that is allowed. */
static void
lost(struct redis *r)
{
	ev_tstamp now = ev_now(r->loop);
	double delay, left;

	r->state = REDIS_WAITING;
	forget_calls(r);
	if (r->state != REDIS_WAITING)
		return;
	if (r->down_since == 0.)
		r->down_since = now;
	delay = backoff_next(&r->backoff) / 1000.;
	if (r->conf->retry_ms != NUM_INF) {
		left = r->down_since + (double)r->conf->retry_ms / 1000. - now;
		if (left <= 0.) {
			give_up(r, REDIS_LOST);
			return;
		}
		if (delay > left)
			delay = left;
	}
	ev_timer_set(&r->retry, delay, 0.);
	ev_timer_start(r->loop, &r->retry);
	r->events->lost(r->arg, r->why);
}

static void
say_why(struct redis *r, const char *what, const char *reason)
{
	struct buf b;

	buf_init(&b, sizeof(r->why) - 1);
	buf_addf(&b, "%s%s: %s", what, r->where, reason);
	memcpy(r->why, b.p, b.n);
	r->why[b.n] = '\0';
	buf_free(&b);
}

/* hiredis ended the connection and frees the context itself. */
static void
context_lost(struct redis *r)
{
	const char *reason = r->ac->c.errstr;

	say_why(r, r->state == REDIS_TRYING ? "connect " : "",
	    *reason != '\0' ? reason : "connection closed");
	detach(r);
	lost(r);
}

static void
on_connect(const redisAsyncContext *ac, int status)
{
	struct redis *r = ac->data;

	if (r != NULL && status != REDIS_OK)
		context_lost(r);
}

static void
on_disconnect(const redisAsyncContext *ac, int status)
{
	struct redis *r = ac->data;

	(void)status;
	if (r != NULL)
		context_lost(r);
}

void
redis_restart(struct redis *r, const char *why)
{
	redisAsyncContext *ac = r->ac;

	if (ac == NULL)
		return;
	say_why(r, r->state == REDIS_TRYING ? "connect " : "", why);
	detach(r);
	redisAsyncFree(ac);
	lost(r);
}

static int subscribe(struct redis *r);

static void
on_silence(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct redis *r = w->data;

	(void)loop;
	(void)revents;
	if (r->channel != NULL && r->heard && subscribe(r) == 0)
		return;
	redis_restart(
	    r, r->state == REDIS_TRYING ? "timed out" : "no reply in time");
}

void
redis_close(struct redis *r)
{
	redisAsyncContext *ac = r->ac;

	r->state = REDIS_CLOSED;
	ev_timer_stop(r->loop, &r->retry);
	if (ac != NULL) {
		detach(r);
		redisAsyncFree(ac);
	}
	r->down_since = 0.;
	forget_calls(r);
	free(r->calls);
	r->calls = NULL;
	r->head = r->cap = 0;
	buf_free(&r->cmd);
}

/* ---- Sending ---- */

/* Of what has been received, is there more than what was asked for? */
static bool
has_unasked(const struct redis *r)
{
	const redisReader *in = r->ac->c.reader;

	return r->ncalls == 0 && in->len > in->pos;
}

static void
on_reply(redisAsyncContext *ac, void *raw, void *arg)
{
	struct redis *r = ac->data;
	const struct redis_reply *rep = raw;
	struct redis_call call;
	bool unasked;

	(void)arg;
	if (r == NULL)
		return;
	if (rep == NULL) {
		context_lost(r);
		return;
	}
	call = call_shift(r);
	unasked = has_unasked(r);
	watchdog_set(r);
	if (r->state == REDIS_READY && redis_trouble(rep) != REDIS_DOWN) {
		backoff_reset(&r->backoff);
		r->down_since = 0.;
	}
	call.fn(call.arg, rep);
	if (unasked && r->ac == ac)
		redis_restart(r, "unexpected reply");
}

/* Hand a command to hiredis, to be written. 0, or -1 out of memory. */
static int
hand_over(
    struct redis *r, redisCallbackFn *fn, size_t argc, const struct str *argv)
{
	struct buf *b = &r->cmd;
	int failed;

	buf_clear(b);
	buf_addf(b, "*%zu\r\n", argc);
	for (size_t i = 0; i < argc; i++) {
		buf_addc(b, '$');
		buf_addu(b, argv[i].n);
		buf_add(b, "\r\n", 2);
		buf_adds(b, argv[i]);
		buf_add(b, "\r\n", 2);
	}
	/* hiredis looks for the channels of SUBSCRIBE as in a string. */
	buf_addc(b, '\0');
	failed = b->failed ||
	    redisAsyncFormattedCommand(r->ac, fn, NULL, b->p, b->n - 1) !=
		REDIS_OK;
	buf_shrink(b, 4096);
	return failed ? -1 : 0;
}

static int
transmit(struct redis *r, struct redis_call call, size_t argc,
    const struct str *argv)
{
	int failed;

	if (call_push(r, call) != 0)
		return -1;
	r->blocks = call.block_ms > 0;
	failed = hand_over(r, on_reply, argc, argv);
	r->blocks = false;
	if (failed) {
		r->ncalls--;
		return -1;
	}
	if (r->ncalls == 1)
		watchdog_set(r);
	return 0;
}

int
redis_send(struct redis *r, redis_fn *fn, void *arg, int64_t block_ms,
    size_t argc, const struct str *argv)
{
	if (r->state != REDIS_READY)
		return -1;
	return transmit(r, (struct redis_call){fn, arg, block_ms}, argc, argv);
}

int
redis_sendz(struct redis *r, redis_fn *fn, void *arg, const char *word)
{
	struct str s = str_c(word);

	return redis_send(r, fn, arg, 0, 1, &s);
}

/* ---- Subscribing ---- */

/* We read for ourselves: hiredis asserts that a message has its form. */
static void
ignore(redisAsyncContext *ac, void *raw, void *arg)
{
	(void)ac;
	(void)raw;
	(void)arg;
}

/* Subscribing once more is answered, and so shows that the server is there. */
static int
subscribe(struct redis *r)
{
	struct str argv[] = {STR("SUBSCRIBE"), str_c(r->channel)};

	if (hand_over(r, ignore, 2, argv) != 0)
		return -1;
	r->heard = false;
	watchdog_set(r);
	return 0;
}

int
redis_subscribe(struct redis *r, const char *channel)
{
	if (r->state != REDIS_READY)
		return -1;
	r->channel = channel;
	return subscribe(r);
}

/* ---- Connecting ---- */

static void
greeted(struct redis *r)
{
	if (--r->greeting > 0)
		return;
	r->state = REDIS_READY;
	watchdog_set(r);
	r->events->ready(r->arg);
}

/*
 * A greeting was answered. must: an error ends the attempt; whether another
 * one makes sense depends on the error.
 */
static bool
greeting_ok(
    struct redis *r, const struct redis_reply *rep, enum redis_trouble verdict)
{
	redisAsyncContext *ac = r->ac;
	char text[REDIS_WHY];

	if (rep == NULL || r->state != REDIS_TRYING)
		return false;
	if (redis_type(rep) != REDIS_ERROR)
		return true;
	redis_why(text, rep);
	if (redis_trouble(rep) == REDIS_DOWN) {
		redis_restart(r, text);
		return false;
	}
	say_why(r, "", text);
	r->state = REDIS_CLOSED;
	detach(r);
	redisAsyncFree(ac);
	forget_calls(r);
	give_up(r, verdict);
	return false;
}

static void
on_auth(void *arg, const struct redis_reply *rep)
{
	if (greeting_ok(arg, rep, REDIS_DENIED))
		greeted(arg);
}

static void
on_select(void *arg, const struct redis_reply *rep)
{
	if (greeting_ok(arg, rep, REDIS_REFUSED))
		greeted(arg);
}

/* The name is a courtesy: a server that forbids it serves us all the same. */
static void
on_name(void *arg, const struct redis_reply *rep)
{
	if (redis_trouble(rep) == REDIS_DOWN)
		(void)greeting_ok(arg, rep, REDIS_DOWN);
	else if (rep != NULL)
		greeted(arg);
}

static void
on_id(void *arg, const struct redis_reply *rep)
{
	struct redis *r = arg;

	r->client_id = redis_int(rep);
	on_name(arg, rep);
}

static void
greet(struct redis *r, redis_fn *fn, size_t argc, const struct str *argv)
{
	if (transmit(r, (struct redis_call){fn, r, 0}, argc, argv) == 0)
		r->greeting++;
}

/* Sent at once, behind the connect(2); READY when all has been answered. */
static void
greet_all(struct redis *r)
{
	const struct redis_conf *c = r->conf;
	char db[NUM_TEXT];
	struct str user = str_c(c->url.user);
	struct str password = str_c(c->url.password);

	if (password.p != NULL && user.p != NULL)
		greet(
		    r, on_auth, 3, (struct str[]){STR("AUTH"), user, password});
	else if (password.p != NULL)
		greet(r, on_auth, 2, (struct str[]){STR("AUTH"), password});
	if (c->url.db != 0) {
		size_t n = num_format(db, (uint64_t)c->url.db);
		greet(r, on_select, 2,
		    (struct str[]){STR("SELECT"), str_n(db, n)});
	}
	if (r->wants_id)
		greet(r, on_id, 2, (struct str[]){STR("CLIENT"), STR("ID")});
	greet(r, on_name, 3,
	    (struct str[]){STR("CLIENT"), STR("SETNAME"),
		str_c(c->name != NULL ? c->name : "")});
}

static void
attach(struct redis *r)
{
	redisAsyncContext *ac = r->ac;

	(void)fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
	ac->data = r;
	ac->ev.data = r;
	ac->ev.addRead = add_read;
	ac->ev.delRead = del_read;
	ac->ev.addWrite = add_write;
	ac->ev.delWrite = del_write;
	ac->ev.cleanup = stop_io;
	ev_io_set(&r->rio, ac->c.fd, EV_READ);
	ev_io_set(&r->wio, ac->c.fd, EV_WRITE);
	redisAsyncSetConnectCallback(ac, on_connect);
	redisAsyncSetDisconnectCallback(ac, on_disconnect);
}

static void
try_connect(struct redis *r)
{
	const struct url *u = &r->conf->url;

	r->state = REDIS_TRYING;
	r->ac = u->path != NULL ? redisAsyncConnectUnix(u->path)
				: redisAsyncConnect(u->host, u->port);
	if (r->ac == NULL || r->ac->err != 0) {
		say_why(r, "connect ",
		    r->ac == NULL ? "out of memory" : r->ac->c.errstr);
		if (r->ac != NULL)
			redisAsyncFree(r->ac);
		r->ac = NULL;
		lost(r);
		return;
	}
	attach(r);
	greet_all(r);
	watchdog_set(r);
}

static void
on_retry(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	try_connect(w->data);
}

void
redis_init(struct redis *r, struct ev_loop *loop, const struct redis_conf *conf,
    const struct redis_events *events, void *arg, bool wants_id)
{
	struct buf where;

	memset(r, 0, sizeof(*r));
	r->loop = loop;
	r->conf = conf;
	r->events = events;
	r->arg = arg;
	r->wants_id = wants_id;
	ev_init(&r->rio, on_readable);
	ev_init(&r->wio, on_writable);
	ev_prepare_init(&r->turn, on_turn);
	/* After whoever may send more. */
	ev_set_priority(&r->turn, -1);
	r->turn.data = r;
	ev_init(&r->retry, on_retry);
	ev_init(&r->watchdog, on_silence);
	r->rio.data = r->wio.data = r->retry.data = r->watchdog.data = r;
	backoff_init(&r->backoff, BACKOFF_BASE_MS, BACKOFF_CAP_MS,
	    (uint64_t)getpid() << 32 ^ (uint64_t)(ev_time() * 1e6) ^
		(uint64_t)(uintptr_t)r);
	buf_init(&r->cmd, COMMAND_MAX);
	buf_init(&where, sizeof(r->where) - 1);
	if (conf->url.path != NULL)
		buf_addf(&where, "unix:%s", conf->url.path);
	else
		buf_addf(&where, "%s:%d", conf->url.host, conf->url.port);
	if (where.n > 0)
		memcpy(r->where, where.p, where.n);
	buf_free(&where);
}

void
redis_open(struct redis *r)
{
	if (r->state != REDIS_CLOSED)
		return;
	backoff_reset(&r->backoff);
	r->down_since = 0.;
	try_connect(r);
}
