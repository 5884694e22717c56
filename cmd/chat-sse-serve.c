/* Serve channels to HTTP clients as Server-Sent Events. */

#include "app/frame.h"
#include "app/report.h"
#include "app/server.h"
#include "app/tool.h"
#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 1000, BATCH_BYTES = 1 << 20 };

struct serve {
	struct tool tool;
	struct serve_options {
		bool inetd, publish, reuse_port, stats;
		const char *page;
		int64_t heartbeat_ms, hold_ms, stall_ms, request_ms;
		uint64_t max_size, max_conns, max_conns_per_peer;
		int64_t max_lifetime_ms, drain_ms;
		struct opt_list listen;
	} options;
	struct position position;
	struct redis_conf patient; /* as the tool's, but without an end */
	struct hub_conf hub_conf;
	struct hub hub;
	struct publish_conf publish_conf;
	struct publish publish;
	struct session_env env;
	/* One client, or all who come to the sockets. */
	bool waiting;
	struct session session;
	struct server_conf server_conf;
	struct server server;
	struct frame_batch batch;
	struct stats stats;
	struct report report;
	struct ratelimit told;
	int signo;
	bool down; /* Redis, as has been said */
};

#define AT(member) offsetof(struct serve_options, member)

static const struct opt serve_opts[] = {
    {'i', "inetd", NULL, OPT_FLAG, AT(inetd),
	"serve one client on standard input and output", NULL, NULL, 0},
    {0, "publish", NULL, OPT_FLAG, AT(publish),
	"accept messages by POST /chat/CHANNEL/messages", NULL, NULL, 0},
    {0, "page", "FILE", OPT_STR, AT(page), "serve FILE, HTML, as /", NULL, NULL,
	0},
    {0, "heartbeat", "DUR", OPT_DUR, AT(heartbeat_ms),
	"send a comment when idle for DUR (15s)", NULL, NULL, 0},
    {0, "outage-hold", "DUR", OPT_DUR, AT(hold_ms),
	"how long a new client waits for Redis (60s)", NULL, NULL, 0},
    {0, "stall", "DUR", OPT_DUR, AT(stall_ms),
	"drop a client that takes nothing for DUR (30s)", NULL, NULL, 0},
    {0, "request-timeout", "DUR", OPT_DUR, AT(request_ms),
	"for the head of a request, and for its body (10s)", NULL, NULL, 0},
    {0, "max-size", "SIZE", OPT_SIZE, AT(max_size),
	"largest message that is accepted (64k)", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static const struct opt wait_opts[] = {
    {'l', "listen", "ADDR", OPT_LIST, AT(listen),
	"listen on [HOST:]PORT or /PATH; repeatable", NULL, NULL, 0},
    {0, "reuse-port", NULL, OPT_FLAG, AT(reuse_port),
	"share the ports of -l with others that do so", NULL, NULL, 0},
    {0, "max-conns", "N", OPT_NUM, AT(max_conns),
	"most clients at a time (10000)", NULL, NULL, 0},
    {0, "max-conns-per-peer", "N", OPT_NUM, AT(max_conns_per_peer),
	"most clients at a time from one address", NULL, NULL, 0},
    {0, "max-lifetime", "DUR", OPT_DUR, AT(max_lifetime_ms),
	"end a stream after 80 to 100 % of DUR", NULL, NULL, 0},
    {0, "drain", "DUR", OPT_DUR, AT(drain_ms),
	"when stopped, end the streams over DUR (5s)", NULL, NULL, 0},
    {0, "stats", NULL, OPT_FLAG, AT(stats), "answer GET /metrics and /stats",
	NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static const char synopsis[] =
    "chat-sse-serve [-i | -l ADDR]... [OPTION]... CHANNEL|GLOB...";
static const char about[] =
    "Answer HTTP requests: GET /chat/CHANNEL/events is the channel as\n"
    "Server-Sent Events. With -l, or given a listening socket by systemd or\n"
    "inetd, serve all who come; given a connected socket, two pipes or (-i) a\n"
    "terminal, serve that one client.";

/* ---- Events ---- */

/* A file that takes no more is our trouble, a client that left is not. */
static int
status(const struct client *c)
{
	bool file = c->conn.wkind == CONN_FILE || c->conn.wkind == CONN_NONE;

	if (c->error == 0 || !file)
		return TOOL_OK;
	log_error("standard output: %s", strerror(c->error));
	return TOOL_IO;
}

static void
on_end(void *arg)
{
	struct serve *s = arg;

	if (s->signo == SIGINT)
		tool_stop(&s->tool, TOOL_SIGNAL + SIGINT);
	else
		tool_stop(&s->tool, status(&s->session.client));
}

static void
on_server_end(void *arg)
{
	struct serve *s = arg;

	tool_stop(
	    &s->tool, s->signo == SIGINT ? TOOL_SIGNAL + SIGINT : TOOL_OK);
}

static void
on_signal(void *arg, int signo)
{
	struct serve *s = arg;

	s->signo = signo;
	s->env.stopping = true;
	if (s->waiting)
		server_stop(&s->server);
	else
		session_stop(&s->session);
}

static void
on_up(void *arg)
{
	struct serve *s = arg;

	if (s->down)
		log_warn("Redis answers again");
	s->down = false;
}

static void
on_down(void *arg, const char *why)
{
	struct serve *s = arg;

	s->down = true;
	log_warn("%s", why);
	if (s->waiting)
		server_outage(&s->server);
	else
		session_outage(&s->session);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct serve *s = arg;

	(void)trouble;
	if (ratelimit_pass(&s->told, str_c(why), tool_now_ms()))
		log_error("%s", why);
	if (s->waiting)
		server_refused(&s->server);
	else
		session_refused(&s->session);
}

static void
on_report(void *arg, struct client *c, const struct route *r)
{
	const struct serve *s = arg;

	report_answer(&s->report, c, r);
}

/* ---- Who is served ---- */

/* The first descriptor that we were handed. */
static int
first_handed(void)
{
	return listen_handed() > 0 ? LISTEN_FIRST : STDIN_FILENO;
}

static void
choose_mode(struct serve *s)
{
	const struct serve_options *o = &s->options;
	const struct tool *t = &s->tool;
	int fd = first_handed();

	s->waiting = o->listen.n > 0 || sock_is_listening(fd);
	if (s->waiting && o->inetd)
		tool_usage(t,
		    o->listen.n > 0 ? "-i and -l exclude each other"
				    : "-i: this socket listens, it is no "
				      "connection");
	if (!s->waiting && fd == STDIN_FILENO && !o->inetd &&
	    (isatty(fd) || conn_kind(fd) == CONN_FILE))
		tool_usage(t,
		    "standard input is not a connection (but for -i), and no "
		    "-l is given");
}

static void
check_limits(const struct serve *s)
{
	const struct serve_options *o = &s->options;

	for (size_t i = 0; i < o->listen.n; i++)
		if (!listen_is_address(o->listen.v[i]))
			tool_usage(&s->tool, "-l %s: not [HOST:]PORT or /PATH",
			    o->listen.v[i]);
	if (o->reuse_port && o->listen.n == 0)
		tool_usage(&s->tool, "--reuse-port goes with -l only");
	if (o->max_conns == 0 || o->max_conns > INT32_MAX ||
	    o->max_conns_per_peer > INT32_MAX)
		tool_usage(
		    &s->tool, "--max-conns: not 1 to %" PRId32, INT32_MAX);
}

/* A name is a pattern, too, that matches itself. */
static void
check_operands(const struct tool *t)
{
	if (t->noperands == 0)
		tool_usage(t, "no channel given");
	for (int i = 0; i < t->noperands; i++)
		(void)tool_channel(t, t->operands[i]);
}

static void
check_position(const struct serve *s)
{
	struct feed_start start = {.from = FEED_END};
	struct id until;
	struct buf err;

	buf_init(&err, 1024);
	if (position_read(&s->position, tool_now_ms(), &start, &until, &err) !=
	    0)
		tool_usage(&s->tool, "%.*s", (int)err.n, err.p);
	buf_free(&err);
}

/* ---- ---- */

static void
read_options(struct serve *s, int argc, char **argv)
{
	const struct opt_group groups[] = {
	    {"Serving", serve_opts, &s->options, false},
	    {"Waiting for clients", wait_opts, &s->options, false},
	    {"Where to start, unless the client says", position_opts,
		&s->position, false},
	    {"What is kept of a channel", publish_keep_opts,
		&s->publish_conf.keep, false},
	    {NULL, NULL, NULL, false},
	};
	struct tool *t = &s->tool;

	t->name = "chat-sse-serve";
	t->synopsis = synopsis;
	t->about = about;
	t->groups = groups;
	t->on_signal = on_signal;
	t->signal_arg = s;
	s->options = (struct serve_options){.heartbeat_ms = 15000,
	    .hold_ms = 60000,
	    .stall_ms = 30000,
	    .request_ms = 10000,
	    .max_size = 64 << 10,
	    .max_conns = 10000,
	    .max_lifetime_ms = NUM_INF,
	    .drain_ms = 5000};
	tool_start(t, argc, argv);
	t->groups = NULL;
	check_operands(t);
	check_position(s);
	check_limits(s);
	choose_mode(s);
}

static void
set_up(struct serve *s)
{
	static const struct hub_events hub_events = {on_up, on_down, on_failed};
	static const struct publish_events publish_events;
	const struct serve_options *o = &s->options;
	struct tool *t = &s->tool;

	s->patient = t->redis;
	s->patient.retry_ms = NUM_INF;
	s->hub_conf = (struct hub_conf){
	    &s->patient, t->prefix, t->field, BATCH, &s->stats};
	hub_init(&s->hub, t->loop, &s->hub_conf, &hub_events, s);
	s->publish_conf.redis = &t->redis;
	s->publish_conf.prefix = t->prefix;
	s->publish_conf.field = t->field;
	s->publish_conf.batch = BATCH;
	s->publish_conf.batch_bytes = BATCH_BYTES;
	publish_init(
	    &s->publish, t->loop, &s->publish_conf, &publish_events, NULL);
	s->report =
	    (struct report){&s->stats, &s->server, &s->hub, tool_now_ms()};
	s->env = (struct session_env){
	    .loop = t->loop,
	    .stats = &s->stats,
	    .routes = {(const char *const *)t->operands, (size_t)t->noperands,
		o->publish, o->page != NULL, o->stats && s->waiting},
	    .stream = {&s->hub, &s->position, o->heartbeat_ms, o->hold_ms,
		s->waiting ? &s->batch : NULL, &s->stats, &s->told},
	    .post = {&s->publish, o->max_size, o->request_ms},
	    .page = o->page,
	    .report = on_report,
	    .report_arg = s,
	    .request_ms = o->request_ms,
	    .stall_ms = o->stall_ms,
	};
}

/* ---- One client ---- */

static int
serve_one(struct serve *s, bool closed)
{
	int rfd = first_handed();
	int wfd = rfd == STDIN_FILENO ? STDOUT_FILENO : rfd;

	if (closed) {
		log_error("standard input or output is closed");
		return TOOL_IO;
	}
	if (sock_same(STDERR_FILENO, rfd) || sock_same(STDERR_FILENO, wfd))
		log_init(s->tool.name, LOG_TO_SYSLOG);
	sock_tune(wfd, s->options.stall_ms);
	session_start(&s->session, &s->env, rfd, wfd, on_end, s);
	tool_run(&s->tool);
	session_free(&s->session);
	return TOOL_OK;
}

/* ---- All who come ---- */

static int
open_sockets(struct serve *s, struct buf *err)
{
	const struct opt_list *l = &s->options.listen;
	int first = first_handed();
	int n = first == STDIN_FILENO ? 1 : listen_handed();

	for (size_t i = 0; i < l->n; i++)
		if (listen_open(&s->server.listen, l->v[i],
			s->options.reuse_port, err) != 0)
			return -1;
	if (l->n > 0)
		return 0;
	for (int fd = first; fd < first + n; fd++)
		if (listen_take(&s->server.listen, fd, err) != 0)
			return -1;
	return 0;
}

static int
serve_all(struct serve *s)
{
	const struct serve_options *o = &s->options;
	int status = TOOL_OK;
	struct buf err;

	frame_batch_init(&s->batch);
	s->server_conf = (struct server_conf){&s->env, o->max_conns,
	    o->max_conns_per_peer, o->max_lifetime_ms, o->drain_ms};
	server_init(
	    &s->server, s->tool.loop, &s->server_conf, on_server_end, s);
	buf_init(&err, 1024);
	if (open_sockets(s, &err) == 0) {
		server_start(&s->server);
		tool_run(&s->tool);
	} else {
		log_error("%.*s", (int)err.n, err.p);
		status = TOOL_OS;
	}
	buf_free(&err);
	server_free(&s->server);
	frame_batch_free(&s->batch);
	return status;
}

int
main(int argc, char **argv)
{
	/* Later another file may have got its number. */
	bool closed = conn_kind(STDIN_FILENO) == CONN_NONE ||
	    conn_kind(STDOUT_FILENO) == CONN_NONE;
	static struct serve s;
	int status;

	read_options(&s, argc, argv);
	set_up(&s);
	status = s.waiting ? serve_all(&s) : serve_one(&s, closed);
	publish_free(&s.publish);
	hub_free(&s.hub);
	position_free(&s.position);
	opt_list_free(&s.options.listen);
	tool_stop(&s.tool, status);
	return tool_end(&s.tool);
}
