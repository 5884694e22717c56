/* Serve channels to HTTP clients as Server-Sent Events. */

#include "app/access.h"
#include "app/report.h"
#include "app/server.h"
#include "app/server_options.h"
#include "app/tool.h"
#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 1000, BATCH_BYTES = 1 << 20, ERR_MAX = 8192 };

/* At a time; more wait for their turn. */
enum { COMMANDS_MAX = 32 };

/* Memory that is kept for what many clients are sent at a time. */
enum { OUTBOX_KEEP = 64 << 10 };

struct serve {
	int argc;
	char **argv;
	struct tool tool;
	struct tool reread; /* what options that were read again borrow from */
	struct server_options options;
	struct access access;
	struct command_pool commands, histories;
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
	struct outbox outbox;
	struct backoff random;
	struct stats stats;
	struct report report;
	struct ratelimit told;
	struct quota quota;
	int signo;
	bool down; /* Redis, as has been said */
};

static const char synopsis[] =
    "chat-sse-serve [-i | -l ADDR]... [OPTION]... CHANNEL|GLOB...";
static const char about[] =
    "Answer HTTP requests: GET /chat/CHANNEL/events is the channel as\n"
    "Server-Sent Events, GET /events?channel=A&channel=B are several.\n"
    "With -l, or given a listening socket by systemd or inetd, serve all who\n"
    "come; given a connected socket, two pipes or (-i) a terminal, serve that\n"
    "one client.";

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

/* Then SIGHUP says that it was closed. */
static bool
has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void
choose_mode(struct serve *s)
{
	const struct server_options *o = &s->options;
	const struct tool *t = &s->tool;
	int fd = first_handed();

	s->waiting = o->listen.n > 0 || sock_is_listening(fd);
	if (s->waiting && o->inetd)
		tool_usage(t, "-i: this socket listens, it is no connection");
	if (!s->waiting && fd == STDIN_FILENO && !o->inetd &&
	    (isatty(fd) || conn_kind(fd) == CONN_FILE))
		tool_usage(t,
		    "standard input is not a connection (but for -i), and no "
		    "-l is given");
	if (!s->waiting && o->rate.n > 0)
		tool_usage(
		    t, "--rate-limit takes one process for all, as with -l");
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

/* ---- Options ---- */

static void
describe(struct tool *t, const struct opt_group *groups)
{
	t->name = "chat-sse-serve";
	t->synopsis = synopsis;
	t->about = about;
	t->groups = groups;
}

static void
read_options(struct serve *s)
{
	struct opt_group groups[SERVER_GROUPS];
	struct tool *t = &s->tool;
	struct buf err;

	describe(t, groups);
	server_options_init(&s->options, groups);
	tool_start(t, s->argc, s->argv);
	t->groups = NULL;
	check_operands(t);
	buf_init(&err, ERR_MAX);
	if (server_options_check(&s->options, tool_now_ms(), &err) != 0)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	if (access_init(&s->access, &s->options.access, &err) != 0) {
		log_error("%.*s", (int)err.n, err.p);
		exit(TOOL_CONFIG);
	}
	buf_free(&err);
	choose_mode(s);
}

/* What the options say, at the start and whenever they are read again. */
static void
configure(struct serve *s)
{
	const struct server_options *o = &s->options;
	bool history = history_is_on(&o->history);
	struct tool *t = &s->tool;

	s->patient = t->redis;
	s->patient.retry_ms = NUM_INF;
	s->publish_conf.keep = o->keep;
	s->publish_conf.once_ms = o->once_ms;
	s->outbox.frames.type = str_c(o->event_type);
	s->env = (struct session_env){
	    .loop = t->loop,
	    .routes = {(const char *const *)t->operands, (size_t)t->noperands,
		history ? 1 : o->max_channels,
		history ? str_c(NULL) : server_options_cursor(o), o->publish,
		o->page != NULL, o->stats && s->waiting,
		o->history.history_cmd != NULL},
	    .stream = {&s->hub, &o->position, o->heartbeat_ms, o->hold_ms,
		&s->outbox, &s->random, &s->stats, &s->told,
		str_c(o->heartbeat_event),
		{&s->histories, &o->history, o->max_size, &s->told}},
	    .post = {&s->publish, o->max_size, o->request_ms, o->once_ms > 0,
		&s->quota, o->rate, &s->told},
	    .access = &s->access,
	    .permit = {&s->commands, o->access.auth_cmd, &s->told},
	    .page = o->page,
	    .stats = &s->stats,
	    .report = on_report,
	    .report_arg = s,
	    .request_ms = o->request_ms,
	    .stall_ms = o->stall_ms,
	    .stopping = s->signo != 0,
	};
	s->server_conf = (struct server_conf){&s->env, o->max_conns,
	    o->max_conns_per_peer, o->max_lifetime_ms, o->drain_ms};
}

static int
read_again(struct serve *s, struct tool *t, struct server_options *o,
    struct access *a, struct buf *err)
{
	struct opt_group groups[SERVER_GROUPS];

	describe(t, groups);
	server_options_init(o, groups);
	if (tool_read(t, s->argc, s->argv, err) != TOOL_OK ||
	    server_options_check(o, tool_now_ms(), err) != 0)
		return -1;
	return access_init(a, &o->access, err);
}

static void
on_reload(void *arg)
{
	struct serve *s = arg;
	struct server_options options;
	struct tool fresh = {0};
	struct access access = {0};
	struct buf err;

	notify_reloading(&s->server.notify);
	buf_init(&err, ERR_MAX);
	if (read_again(s, &fresh, &options, &access, &err) == 0) {
		log_info("the options are read again");
		tool_take(&s->tool, &fresh);
		server_options_take(&s->options, &options);
		tool_read_free(&s->reread);
		s->reread = fresh;
		access_free(&s->access);
		s->access = access;
		configure(s);
		server_reload(&s->server);
	} else {
		log_error("%.*s; all stays as it is", (int)err.n, err.p);
		access_free(&access);
		tool_read_free(&fresh);
	}
	server_options_free(&options);
	buf_free(&err);
	notify_reloaded(&s->server.notify);
}

static void
set_up(struct serve *s)
{
	static const struct hub_events hub_events = {on_up, on_down, on_failed};
	static const struct publish_events publish_events;
	struct tool *t = &s->tool;

	outbox_init(&s->outbox, t->loop, s->waiting ? OUTBOX_KEEP : 0);
	command_pool_init(&s->commands, t->loop, COMMANDS_MAX);
	command_pool_init(&s->histories, t->loop, COMMANDS_MAX);
	configure(s);
	s->hub_conf = (struct hub_conf){
	    &s->patient, t->prefix, t->field, BATCH, &s->stats};
	backoff_init(&s->random, 0, 0,
	    (uint64_t)(ev_now(t->loop) * 1e6) ^ (uint64_t)getpid() << 40);
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
	t->on_signal = on_signal;
	t->on_reload = s->waiting && !has_terminal() ? on_reload : NULL;
	t->signal_arg = s;
}

/* ---- One client ---- */

/* Standard error is the client, who is not to get them. */
static void
hide_messages(struct serve *s)
{
	log_init(s->tool.name, LOG_TO_SYSLOG);
	s->commands.quiet = s->histories.quiet = true;
}

static int
serve_one(struct serve *s, bool closed)
{
	static const struct session_events events = {NULL, on_end};
	int rfd = first_handed();
	int wfd = rfd == STDIN_FILENO ? STDOUT_FILENO : rfd;

	if (closed) {
		log_error("standard input or output is closed");
		return TOOL_IO;
	}
	if (sock_same(STDERR_FILENO, rfd) || sock_same(STDERR_FILENO, wfd))
		hide_messages(s);
	if (rfd == LISTEN_FIRST)
		(void)fcntl(rfd, F_SETFD, FD_CLOEXEC);
	sock_tune(wfd, s->options.stall_ms);
	session_start(&s->session, &s->env, rfd, wfd, &events, s);
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
	int status = TOOL_OK;
	struct buf err;

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

	s.argc = argc;
	s.argv = argv;
	read_options(&s);
	set_up(&s);
	status = s.waiting ? serve_all(&s) : serve_one(&s, closed);
	publish_free(&s.publish);
	outbox_free(&s.outbox);
	hub_free(&s.hub);
	access_free(&s.access);
	server_options_free(&s.options);
	tool_read_free(&s.reread);
	tool_stop(&s.tool, status);
	return tool_end(&s.tool);
}
