/* Serve channels to one HTTP client as Server-Sent Events. */

#include "app/session.h"
#include "app/tool.h"
#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LISTEN_FD = 3, BATCH = 1000, BATCH_BYTES = 1 << 20 };

struct serve {
	struct tool tool;
	struct serve_options {
		bool inetd, publish;
		const char *page;
		int64_t heartbeat_ms, hold_ms, stall_ms, request_ms;
		uint64_t max_size;
	} options;
	struct position position;
	struct redis_conf patient; /* as the tool's, but without an end */
	struct hub_conf hub_conf;
	struct hub hub;
	struct publish_conf publish_conf;
	struct publish publish;
	struct session_env env;
	struct session session;
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

static const char synopsis[] =
    "chat-sse-serve [-i] [OPTION]... CHANNEL|GLOB...";
static const char about[] =
    "Answer one HTTP request on a connected socket, two pipes or a terminal:\n"
    "GET /chat/CHANNEL/events is the channel as Server-Sent Events. To be\n"
    "started by systemd, inetd and the like, once for each connection.";

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
on_signal(void *arg, int signo)
{
	struct serve *s = arg;

	s->signo = signo;
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
	session_outage(&s->session);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct serve *s = arg;

	(void)trouble;
	log_error("%s", why);
	session_refused(&s->session);
}

/* ---- Who is served ---- */

/*
 * The connection that systemd hands over as fd 3 (sd_listen_fds(3)), or else
 * -1.
 */
static int
listen_fd(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t n = 0, to = 0;

	if (num_u64(str_c(pid), &to) != 0 || to != (uint64_t)getpid() ||
	    num_u64(str_c(fds), &n) != 0 || n == 0)
		return -1;
	return LISTEN_FD;
}

static void
choose_client(const struct serve *s, int *rfd, int *wfd)
{
	const struct tool *t = &s->tool;

	*rfd = *wfd = listen_fd();
	if (*rfd < 0) {
		*rfd = STDIN_FILENO;
		*wfd = STDOUT_FILENO;
	}
	if (sock_is_listening(*rfd))
		tool_usage(t,
		    "a listening socket is not supported: "
		    "each process serves one connection");
	if (*rfd == STDIN_FILENO && !s->options.inetd &&
	    (isatty(*rfd) || conn_kind(*rfd) == CONN_FILE))
		tool_usage(
		    t, "standard input is not a connection (but for -i)");
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
	    .max_size = 64 << 10};
	tool_start(t, argc, argv);
	t->groups = NULL;
	check_operands(t);
	check_position(s);
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
	s->hub_conf =
	    (struct hub_conf){&s->patient, t->prefix, t->field, BATCH};
	hub_init(&s->hub, t->loop, &s->hub_conf, &hub_events, s);
	s->publish_conf.redis = &t->redis;
	s->publish_conf.prefix = t->prefix;
	s->publish_conf.field = t->field;
	s->publish_conf.batch = BATCH;
	s->publish_conf.batch_bytes = BATCH_BYTES;
	publish_init(
	    &s->publish, t->loop, &s->publish_conf, &publish_events, NULL);
	s->env = (struct session_env){
	    .loop = t->loop,
	    .redis = &t->redis,
	    .routes = {(const char *const *)t->operands, (size_t)t->noperands,
		o->publish, o->page != NULL},
	    .stream = {&s->hub, &s->position, o->heartbeat_ms, o->hold_ms},
	    .post = {&s->publish, o->max_size, o->request_ms},
	    .page = o->page,
	    .request_ms = o->request_ms,
	    .stall_ms = o->stall_ms,
	};
}

int
main(int argc, char **argv)
{
	/* Later another file may have got its number. */
	bool closed = conn_kind(STDIN_FILENO) == CONN_NONE ||
	    conn_kind(STDOUT_FILENO) == CONN_NONE;
	static struct serve s;
	int rfd, wfd;

	read_options(&s, argc, argv);
	choose_client(&s, &rfd, &wfd);
	if (closed) {
		log_error("standard input or output is closed");
		return TOOL_IO;
	}
	if (sock_same(STDERR_FILENO, rfd) || sock_same(STDERR_FILENO, wfd))
		log_init(s.tool.name, LOG_TO_SYSLOG);
	set_up(&s);
	session_start(&s.session, &s.env, rfd, wfd, on_end, &s);
	tool_run(&s.tool);
	session_free(&s.session);
	publish_free(&s.publish);
	hub_free(&s.hub);
	position_free(&s.position);
	return tool_end(&s.tool);
}
