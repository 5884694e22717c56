#include "conf.h"

#include "base/buf.h"
#include "base/opt.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIZE_MIN = 48, HELP_BYTES = 1 << 16, ERR_BYTES = 1 << 10 };

#define AT(member) offsetof(struct conf, member)

static const struct opt options[] = {
    {'p', "port", "N", OPT_NUM, AT(port), "the server's, on 127.0.0.1", NULL,
	NULL, 0},
    {'n', "clients", "N", OPT_NUM, AT(clients), "how many (1000)", NULL, NULL,
	0},
    {'c', "channels", "N", OPT_NUM, AT(channels), "how many (1)", NULL, NULL,
	0},
    {0, "path", "PATH", OPT_STR, AT(path),
	"of a stream; % is the channel's number (/chat/%/events)", NULL, NULL,
	0},
    {0, "xadd", "SOCKET", OPT_STR, AT(xadd), "publish to Redis", NULL, NULL, 0},
    {0, "key", "KEY", OPT_STR, AT(key), "of the stream (chat:%)", NULL, NULL,
	0},
    {0, "field", "NAME", OPT_STR, AT(field), "of the payload (data)", NULL,
	NULL, 0},
    {0, "maxlen", "N", OPT_NUM, AT(maxlen), "trim the stream to about N", NULL,
	NULL, 0},
    {0, "post", "PATH", OPT_STR, AT(post), "publish by HTTP to the server",
	NULL, NULL, 0},
    {0, "pipe", "FIFO", OPT_STR, AT(pipe), "publish a line each", NULL, NULL,
	0},
    {'s', "size", "N", OPT_NUM, AT(size), "bytes of a payload (200)", NULL,
	NULL, 0},
    {'r', "rate", "N", OPT_NUM, AT(rate),
	"messages a second; 0: as fast as can be (50)", NULL, NULL, 0},
    {'w', "window", "N", OPT_NUM, AT(window),
	"at most N messages on their way to all; 0: any number", NULL, NULL, 0},
    {'d', "duration", "DUR", OPT_DUR, AT(run_ms), "of the measurement (5s)",
	NULL, NULL, 0},
    {0, "warm", "DUR", OPT_DUR, AT(warm_ms), "publish before it (500ms)", NULL,
	NULL, 0},
    {0, "settle", "DUR", OPT_DUR, AT(settle_ms),
	"idle after connecting (300ms)", NULL, NULL, 0},
    {0, "deadline", "DUR", OPT_DUR, AT(limit_ms), "for all (120s)", NULL, NULL,
	0},
    {0, "prefill", "N", OPT_NUM, AT(prefill), "messages before all clients",
	NULL, NULL, 0},
    {0, "stuck", "N", OPT_NUM, AT(stuck), "of the clients never read", NULL,
	NULL, 0},
    {0, "herd", "N", OPT_NUM, AT(herd),
	"of the clients leave after a third of it and come back at once", NULL,
	NULL, 0},
    {0, "back", "N", OPT_NUM, AT(back), "messages behind (1000)", NULL, NULL,
	0},
    {0, "server", "PID", OPT_NUM, AT(server), "to be measured", NULL, NULL, 0},
    {0, "redis", "PID", OPT_NUM, AT(redis), "to be measured", NULL, NULL, 0},
    {'h', "help", NULL, OPT_FLAG, AT(help), "print this help", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static void
help(const struct opt_group *groups)
{
	struct buf text;

	buf_init(&text, HELP_BYTES);
	opt_help(groups, "load --port N --xadd|--post|--pipe WHERE [OPTION]...",
	    "Measure an SSE server.", &text);
	fwrite(text.p, 1, text.n, stdout);
	buf_free(&text);
	exit(0);
}

static _Noreturn void
usage(const char *why)
{
	fprintf(stderr, "load: %s; see --help\n", why);
	exit(64);
}

static void
check(const struct conf *c)
{
	int ways = (c->xadd != NULL) + (c->post != NULL) + (c->pipe != NULL);

	if (c->port == 0 || ways != 1)
		usage("--port and one of --xadd, --post, --pipe");
	if (c->channels == 0 || c->clients < c->channels)
		usage("a channel without clients");
	if (c->clients <= c->stuck + c->herd)
		usage("no client that stays and reads");
	if (c->size < SIZE_MIN)
		usage("the size is too small");
}

void
conf_read(struct conf *c, int argc, char **argv)
{
	const struct opt_group groups[] = {
	    {"Options", options, c, false}, {NULL, NULL, NULL, false}};
	struct opt_seen seen;
	struct buf err;

	*c = (struct conf){.clients = 1000,
	    .channels = 1,
	    .size = 200,
	    .rate = 50,
	    .back = 1000,
	    .run_ms = 5000,
	    .warm_ms = 500,
	    .settle_ms = 300,
	    .limit_ms = 120000,
	    .path = "/chat/%/events",
	    .key = "chat:%",
	    .field = "data"};
	buf_init(&err, ERR_BYTES);
	if (opt_parse(groups, argc, argv, &seen, &err) != argc) {
		buf_addc(&err, '\0');
		usage(err.n > 1 ? err.p : "no operands");
	}
	if (c->help)
		help(groups);
	check(c);
	opt_seen_free(&seen);
	buf_free(&err);
}
