#include "app/session.h"

#include "base/log.h"
#include "base/num.h"

#include "../helpers/answer_check.c"
#include "../helpers/fake_redis.c"
#include "../helpers/fake_stream.c"
#include "../helpers/sse_parser.c"

#include <signal.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * One client of chat-sse-serve and its Redis, from the first byte to the last.
 *
 *	input   = *( record %xFF )      ; the last one needs no end
 *	record  = "o" *CHAR             ; options, see set_options; first only
 *	        / "<" *OCTET            ; the client sends this,
 *	        / "|" / "x"             ; will send no more, goes away,
 *	        / "s" / "r"             ; takes nothing, takes all again
 *	        / "+" TYPE LF *OCTET    ; a message is stored
 *	        / "d" / "D"             ; the oldest, all of them are dropped
 *	        / (">" / "-" / "~" / "!") *OCTET ; see fake_say
 *	        / "c"                   ; Redis ends all connections
 *	        / "t"                   ; what waits for its time need not
 *	        / "T" / "E"             ; SIGTERM, the end of its time
 *	        / "." *CHAR             ; the loop turns, more with each CHAR
 */

/* A read may be put off for 255 turns while the clock says that it is late. */
enum { OUT_MAX = 16 << 20, TURNS_MAX = 1 << 17, SPLIT_MAX = 32 << 10 };

static const char *const channels[] = {"room", "lobby*"};
static const char *const origins[] = {"https://example.org"};

struct run {
	struct ev_loop *loop;
	struct fake_redis *fake; /* of all runs */
	struct redis_conf patient, hasty;
	struct hub_conf hub_conf;
	struct hub hub;
	struct publish_conf publish_conf;
	struct publish publish;
	struct position position;
	struct outbox outbox;
	struct backoff random;
	struct stats stats;
	struct ratelimit told;
	struct access access;
	struct command_pool commands;
	struct history_options no_history;
	struct session_env env;
	struct session session;
	int fd; /* the client's; -1: it has gone */
	bool ended, deaf;
	bool left;   /* the client was the first to go */
	bool steady; /* see is_steady */
	struct buf out;
};

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/* ---- What came out ---- */

/* The status of the answer, 0 for none. */
static int
check_answer(const struct run *r)
{
	const struct session *s = &r->session;
	bool stream = s->phase == SESSION_STREAM;

	check(!r->out.failed);
	return answer_check(buf_str(&r->out),
	    &(struct answer_traits){.head_only = s->client.head_only,
		.merged = stream && s->as.stream.nchannels > 1,
		.whole = !r->left && s->client.error == 0 &&
		    !client_is_full(&s->client)});
}

/* ---- The client ---- */

/* Take what there is. */
static void
drain(struct run *r)
{
	char p[16384];
	ssize_t n;

	while (r->fd >= 0 && (n = recv(r->fd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		buf_add(&r->out, p, (size_t)n);
}

static void
turn(struct run *r, size_t n)
{
	while (n-- > 0 && !r->ended) {
		if (!r->deaf)
			drain(r);
		ev_run(r->loop, EVRUN_NOWAIT);
	}
	if (!r->deaf)
		drain(r);
}

static void
say(struct run *r, struct str s)
{
	while (s.n > 0 && r->fd >= 0 && !r->ended) {
		ssize_t n = send(r->fd, s.p, s.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return;
		s = str_from(s, (size_t)n);
		turn(r, 1);
	}
}

static void
leave(struct run *r)
{
	if (r->fd < 0)
		return;
	r->left = !r->ended;
	close(r->fd);
	r->fd = -1;
}

/* ---- Time ---- */

static void
hurry(struct run *r, struct ev_timer *w)
{
	if (!ev_is_active(w))
		return;
	ev_timer_stop(r->loop, w);
	ev_timer_set(w, 0., w->repeat);
	ev_timer_start(r->loop, w);
}

/* What a connection tries again, or gives up to do so. */
static void
hurry_redis(struct run *r, struct redis *redis, bool silence)
{
	hurry(r, &redis->retry);
	if (silence)
		hurry(r, &redis->watchdog);
}

static void
hurry_all_redis(struct run *r, bool silence)
{
	hurry_redis(r, &r->hub.cmd, silence);
	hurry_redis(r, &r->hub.live.read, silence);
	hurry_redis(r, &r->hub.live.changes.watch, silence);
	hurry_redis(r, &r->publish.redis, silence);
	hurry(r, &r->hub.live.pause);
	hurry(r, &r->hub.live.unblock);
	hurry(r, &r->publish.flush);
	hurry(r, &r->publish.retry);
}

static void
hurry_client(struct run *r)
{
	struct session *s = &r->session;

	hurry(r, &s->client.timer);
	if (s->phase == SESSION_STREAM) {
		s->as.stream.since = s->as.stream.written = 0.;
		hurry(r, &s->as.stream.timer);
	} else if (s->phase == SESSION_READY) {
		hurry(r, &s->as.health.late);
	}
}

/* ---- A run ---- */

static void
on_ended(void *arg)
{
	struct run *r = arg;

	r->ended = true;
}

static void
on_up(void *arg)
{
	(void)arg;
}

static void
on_down(void *arg, const char *why)
{
	struct run *r = arg;

	(void)why;
	if (!r->ended)
		session_outage(&r->session);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct run *r = arg;

	(void)trouble;
	(void)why;
	if (!r->ended)
		session_refused(&r->session);
}

static void
set_tokens(struct access *a)
{
	struct buf err;

	if (a->closed)
		return;
	buf_init(&err, 256);
	check(tokens_parse(
		  &a->tokens, STR("secret rw *\nread r room\n"), &err) == 0);
	buf_free(&err);
	a->closed = true;
	a->cookie = STR("sid");
}

static void
set_options(struct run *r, struct str flags)
{
	struct session_env *e = &r->env;

	for (size_t i = 0; i < flags.n; i++) {
		switch (flags.p[i]) {
		case 'p':
			e->routes.publish = true;
			break;
		case 'b':
			e->stream.beat = STR("chat-beat");
			break;
		case 'a':
			r->position.lines = "all";
			break;
		case 'n':
			r->position.lines = "2";
			break;
		case 'f':
			r->access.trust_forwarded = true;
			break;
		case 'o':
			r->access.cors.origins = origins;
			r->access.cors.n = 1;
			break;
		case 'k':
			set_tokens(&r->access);
			break;
		case 'e':
			r->outbox.frames.type = STR("typed");
			break;
		default:
			break;
		}
	}
}

static void
start(struct run *r, struct fake_redis *fake, struct str flags)
{
	static const struct hub_events hub_events = {on_up, on_down, on_failed};
	static const struct publish_events publish_events;
	static const struct session_events events = {NULL, on_ended};
	int fds[2];

	r->loop = fake->loop;
	r->fake = fake;
	r->patient = (struct redis_conf){.url.path = fake->path,
	    .name = "fuzz",
	    .timeout_ms = 5000,
	    .retry_ms = NUM_INF};
	r->hasty = r->patient;
	r->hasty.retry_ms = 0;
	r->hub_conf = (struct hub_conf){
	    &r->patient, STR("chat:"), STR("data"), 100, &r->stats};
	r->publish_conf = (struct publish_conf){.redis = &r->hasty,
	    .prefix = STR("chat:"),
	    .field = STR("data"),
	    .batch = 100,
	    .batch_bytes = 1 << 16};
	outbox_init(&r->outbox, r->loop, 0);
	command_pool_init(&r->commands, r->loop, 1);
	backoff_init(&r->random, 0, 0, 1);
	hub_init(&r->hub, r->loop, &r->hub_conf, &hub_events, r);
	publish_init(
	    &r->publish, r->loop, &r->publish_conf, &publish_events, NULL);
	r->env = (struct session_env){.loop = r->loop,
	    .stats = &r->stats,
	    .access = &r->access,
	    .permit = {&r->commands, NULL, &r->told},
	    .routes = {.channels = channels,
		.nchannels = 2,
		.max_channels = 8,
		.page = true},
	    .stream = {&r->hub, &r->position, 15000, 60000, &r->outbox,
		&r->random, &r->stats, &r->told, {NULL, 0},
		{&r->commands, &r->no_history, 64 << 10, &r->told}},
	    .post = {.publish = &r->publish,
		.max_size = 64 << 10,
		.timeout_ms = 10000,
		.once = true,
		.told = &r->told},
	    .page = "/dev/null",
	    .request_ms = 10000,
	    .stall_ms = 30000};
	set_options(r, flags);
	buf_init(&r->out, OUT_MAX);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	r->fd = fds[0];
	session_start(&r->session, &r->env, fds[1], fds[1], &events, r);
}

/*
 * Whatever has been, with a Redis that answers again, the session comes to its
 * end when the client has no more to say, or has gone.
 */
static void
finish(struct run *r)
{
	size_t turns = 0;

	if (!r->steady)
		fake_cut(r->fake);
	r->deaf = false;
	if (r->fd >= 0)
		(void)shutdown(r->fd, SHUT_WR);
	while (!r->ended) {
		turn(r, 1);
		if (turns++ % 16 == 15)
			hurry_all_redis(r, false);
		if (turns % 256 == 255)
			hurry_client(r);
		check(turns < TURNS_MAX);
	}
	drain(r);
}

static void
stop(struct run *r)
{
	int fd = r->session.client.conn.rfd;

	session_free(&r->session);
	close(fd);
	leave(r);
	publish_free(&r->publish);
	outbox_free(&r->outbox);
	hub_free(&r->hub);
	access_free(&r->access);
	buf_free(&r->out);
	fake_reset(r->fake);
}

static void
step(struct run *r, struct str record)
{
	struct str type, data;

	switch (record.p[0]) {
	case '<':
		say(r, str_from(record, 1));
		return;
	case '|':
		if (r->fd >= 0)
			(void)shutdown(r->fd, SHUT_WR);
		break;
	case 'x':
		leave(r);
		break;
	case 's':
		r->deaf = true;
		break;
	case 'r':
		r->deaf = false;
		break;
	case '+':
		type = str_cut(str_from(record, 1), '\n', &data);
		if (data.p == NULL)
			data = STR("");
		fake_add(r->fake, type, data);
		break;
	case 'd':
		fake_stream_trim(&r->fake->stream);
		break;
	case 'D':
		fake_stream_delete(&r->fake->stream);
		break;
	case 'c':
		fake_cut(r->fake);
		break;
	case 't':
		hurry_client(r);
		hurry_all_redis(r, true);
		break;
	case 'T':
		if (!r->ended)
			session_stop(&r->session);
		break;
	case 'E':
		if (!r->ended)
			session_end(&r->session, 1000, "lifetime");
		break;
	case '.':
		turn(r, 8 * record.n);
		break;
	case '>':
	case '-':
	case '~':
	case '!':
		fake_say(r->fake, record);
		return;
	default:
		return;
	}
	turn(r, 2);
}

/* ---- Inputs ---- */

/* hiredis would make room for all the elements that are announced. */
static bool
is_huge(struct str record)
{
	size_t digits = 0;

	for (size_t i = 0; i < record.n; i++) {
		bool digit = record.p[i] >= '0' && record.p[i] <= '9';
		digits = digit ? digits + 1 : 0;
		if (digits > 4 && record.p[0] == '>' &&
		    record.p[i - digits] == '*')
			return true;
	}
	return false;
}

/* What the client sends, in one piece. */
static void
gather(struct buf *whole, struct str input)
{
	while (input.p != NULL) {
		struct str record = str_cut(input, '\xff', &input);
		if (record.n > 0 && record.p[0] == '<')
			buf_adds(whole, str_from(record, 1));
	}
}

/* Nothing but a client that sends, after what may be stored. */
static bool
is_steady(struct str input)
{
	size_t sent = 0;

	while (input.p != NULL) {
		struct str record = str_cut(input, '\xff', &input);
		if (record.n == 0)
			continue;
		if (str_find(STR("<+o"), record.p[0]) == 3)
			return false;
		if (record.p[0] == '<')
			sent += record.n;
		else if (sent > 0)
			return false;
	}
	return sent < SPLIT_MAX;
}

/* The status of the answer. whole: the client sends all at once. */
static int
run(struct fake_redis *fake, struct str input, bool steady, bool whole)
{
	struct str rest, record = str_cut(input, '\xff', &rest);
	struct run r = {.steady = steady};
	struct buf sent;
	int status;

	start(&r, fake,
	    str_starts(record, STR("o")) ? str_from(record, 1) : STR(""));
	for (rest = input; rest.p != NULL;) {
		record = str_cut(rest, '\xff', &rest);
		if (record.n > 0 && !is_huge(record) &&
		    !(whole && record.p[0] == '<'))
			step(&r, record);
	}
	buf_init(&sent, OUT_MAX);
	if (whole)
		gather(&sent, input);
	say(&r, buf_str(&sent));
	buf_free(&sent);
	finish(&r);
	status = check_answer(&r);
	stop(&r);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_redis fake;
	struct str input = size == 0 ? STR("") : str_n(data, size);
	bool steady = is_steady(input);
	int status;

	if (fake.loop == NULL) {
		log_init("fuzz", LOG_TO_STDERR);
		log_set_level(LOG_LEVEL_QUIET);
		signal(SIGPIPE, SIG_IGN); /* as every program does */
		fake_start(&fake, ev_default_loop(EVFLAG_AUTO));
	}
	status = run(&fake, input, steady, false);
	check(!steady || run(&fake, input, true, true) == status);
	return 0;
}
