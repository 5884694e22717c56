#include "app/server_options.h"

#include "app/route.h"
#include "base/log.h"
#include "base/num.h"
#include "io/listen.h"
#include "wire/msg.h"

#include <inttypes.h>
#include <string.h>

enum { ERROR_MAX = 1024 };

#define AT(member) offsetof(struct server_options, member)

static int
set_rate(void *base, const struct opt *opt, const char *value, struct buf *err)
{
	struct server_options *o = base;

	(void)opt;
	if (num_rate(str_c(value), &o->rate.n, &o->rate.per_ms) == 0)
		return 0;
	buf_addz(err, "not N/s, N/m or N/h");
	return -1;
}

static const struct opt serve_opts[] = {
    {'i', "inetd", NULL, OPT_FLAG, AT(inetd),
	"serve one client on standard input and output", NULL, NULL, 0},
    {0, "publish", NULL, OPT_FLAG, AT(publish),
	"accept messages by POST /chat/CHANNEL/messages", NULL, NULL, 0},
    {0, "page", "FILE", OPT_STR, AT(page), "serve FILE, HTML, as /", NULL, NULL,
	0},
    {0, "max-channels", "N", OPT_NUM, AT(max_channels),
	"most channels of one stream (64)", NULL, NULL, 0},
    {0, "heartbeat", "DUR", OPT_DUR, AT(heartbeat_ms),
	"send a comment when idle for DUR (15s)", NULL, NULL, 0},
    {0, "heartbeat-event", "NAME", OPT_STR, AT(heartbeat_event),
	"send the event NAME instead of the comment", NULL, NULL, 0},
    {0, "event-type", "NAME", OPT_STR, AT(event_type),
	"the type of messages without one", NULL, NULL, 0},
    {0, "outage-hold", "DUR", OPT_DUR, AT(hold_ms),
	"how long a new client waits for Redis (60s)", NULL, NULL, 0},
    {0, "stall", "DUR", OPT_DUR, AT(stall_ms),
	"drop a client that takes nothing for DUR (30s)", NULL, NULL, 0},
    {0, "request-timeout", "DUR", OPT_DUR, AT(request_ms),
	"for the head of a request, and for its body (10s)", NULL, NULL, 0},
    {0, "once-for", "DUR", OPT_DUR, AT(once_ms),
	"how long ids that clients give are remembered (24h)", NULL, NULL, 0},
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
    {0, "rate-limit", "RATE", OPT_FN, 0,
	"most messages from one address: N/s, N/m or N/h", NULL, set_rate, 0},
    {0, "max-lifetime", "DUR", OPT_DUR, AT(max_lifetime_ms),
	"end a stream after 80 to 100 % of DUR", NULL, NULL, 0},
    {0, "drain", "DUR", OPT_DUR, AT(drain_ms),
	"when stopped, end the streams over DUR (5s)", NULL, NULL, 0},
    {0, "stats", NULL, OPT_FLAG, AT(stats), "answer GET /metrics and /stats",
	NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

void
server_options_init(
    struct server_options *o, struct opt_group groups[SERVER_GROUPS])
{
	const struct opt_group all[SERVER_GROUPS] = {
	    {"Serving", serve_opts, o, false},
	    {"Waiting for clients", wait_opts, o, false},
	    {"Access", access_opts, &o->access, false},
	    {"What is kept elsewhere", history_opts, &o->history, false},
	    {"Where to start, unless the client says", position_opts,
		&o->position, false},
	    {"What is kept of a channel", publish_keep_opts, &o->keep, false},
	    {NULL, NULL, NULL, false},
	};

	memcpy(groups, all, sizeof(all));
	*o = (struct server_options){.heartbeat_ms = 15000,
	    .hold_ms = 60000,
	    .stall_ms = 30000,
	    .request_ms = 10000,
	    .once_ms = PUBLISH_ONCE_MS,
	    .max_size = 64 << 10,
	    .max_channels = 64,
	    .max_conns = 10000,
	    .max_lifetime_ms = NUM_INF,
	    .drain_ms = 5000};
	history_options_init(&o->history);
}

/* ---- Checks ---- */

static int
check_addresses(const struct server_options *o, struct buf *err)
{
	for (size_t i = 0; i < o->listen.n; i++) {
		if (!listen_is_address(o->listen.v[i])) {
			buf_addf(err, "-l %s: not [HOST:]PORT or /PATH",
			    o->listen.v[i]);
			return -1;
		}
	}
	if (o->listen.n == 0 && o->reuse_port) {
		buf_addz(err, "--reuse-port goes with -l only");
		return -1;
	}
	if (o->listen.n > 0 && o->inetd) {
		buf_addz(err, "-i and -l exclude each other");
		return -1;
	}
	return 0;
}

static int
check_limits(const struct server_options *o, struct buf *err)
{
	if (o->max_channels == 0 || o->max_channels > ROUTE_CHANNELS_MAX) {
		buf_addf(
		    err, "--max-channels: not 1 to %d", ROUTE_CHANNELS_MAX);
		return -1;
	}
	if (o->once_ms > PUBLISH_ONCE_MAX_MS) {
		buf_addz(err, "--once-for: at most 10 years");
		return -1;
	}
	if (o->max_conns > 0 && o->max_conns <= INT32_MAX &&
	    o->max_conns_per_peer <= INT32_MAX)
		return 0;
	buf_addf(err, "--max-conns: not 1 to %" PRId32, INT32_MAX);
	return -1;
}

static int
check_type(const char *option, const char *type, struct buf *err)
{
	if (type == NULL || (*type != '\0' && msg_event_ok(str_c(type))))
		return 0;
	buf_addf(err, "%s: empty, bad UTF-8, or a line end", option);
	return -1;
}

/* Absent unless -a is that of several channels. */
static int
read_cursor(const struct server_options *o, int64_t now_ms, struct str *cursor,
    struct buf *err)
{
	struct feed_start start = {.from = FEED_END};
	struct id until;

	return position_read(&o->position, now_ms, &start, &until, cursor, err);
}

int
server_options_check(
    const struct server_options *o, int64_t now_ms, struct buf *err)
{
	struct str cursor;

	if (check_addresses(o, err) != 0 || check_limits(o, err) != 0 ||
	    check_type("--heartbeat-event", o->heartbeat_event, err) != 0 ||
	    check_type("--event-type", o->event_type, err) != 0 ||
	    access_options_check(&o->access, err) != 0 ||
	    history_options_check(&o->history, err) != 0)
		return -1;
	return read_cursor(o, now_ms, &cursor, err);
}

struct str
server_options_cursor(const struct server_options *o)
{
	struct str cursor;
	struct buf err;

	buf_init(&err, ERROR_MAX);
	(void)read_cursor(o, 0, &cursor, &err);
	buf_free(&err);
	return cursor;
}

/* ---- While running ---- */

static bool
same_list(const struct opt_list *a, const struct opt_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static void
keep(const char *name, bool same)
{
	if (!same)
		log_warn("--%s: changes with a restart only", name);
}

void
server_options_take(struct server_options *o, struct server_options *fresh)
{
	struct server_options old = *o;

	keep("listen", same_list(&old.listen, &fresh->listen));
	keep("reuse-port", old.reuse_port == fresh->reuse_port);
	keep("inetd", old.inetd == fresh->inetd);
	*o = *fresh;
	o->listen = old.listen;
	o->reuse_port = old.reuse_port;
	o->inetd = old.inetd;
	old.listen = fresh->listen;
	*fresh = old;
}

void
server_options_free(struct server_options *o)
{
	position_free(&o->position);
	opt_list_free(&o->listen);
	access_options_free(&o->access);
}
