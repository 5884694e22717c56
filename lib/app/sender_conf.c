#include "app/sender.h"
#include "base/num.h"
#include "wire/format.h"

#include <stddef.h>

enum { DEFAULT_BATCH = 1000, BATCH_MAX = 100000, DEFAULT_LINGER_MS = 10 };

enum { DELIMITER_MAX = 64 << 10 };

#define AT(member) offsetof(struct sender_conf, member)

const struct opt sender_input_opts[] = {
    {'0', "null", NULL, OPT_FLAG, AT(null), "messages end with NUL", NULL, NULL,
	0},
    {'D', "delimiter", "STR", OPT_STR, AT(delimiter),
	"messages end with STR instead of a newline", NULL, NULL, 0},
    {'s', "slurp", NULL, OPT_FLAG, AT(slurp),
	"all of standard input is one message", NULL, NULL, 0},
    {0, "skip-empty", NULL, OPT_FLAG, AT(skip_empty),
	"do not publish empty messages", NULL, NULL, 0},
    {'E', "keep-going", NULL, OPT_FLAG, AT(keep_going),
	"go on after a bad record or a refused message", NULL, NULL, 0},
    {'c', "count", "N", OPT_NUM, AT(count), "stop after N messages", NULL, NULL,
	0},
    {'w', "idle", "DUR", OPT_DUR, AT(idle_ms), "stop after DUR without input",
	NULL, NULL, 0},
    {'W', "deadline", "DUR", OPT_DUR, AT(deadline_ms),
	"take no more input after DUR", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

const struct opt sender_opts[] = {
    {'M', "no-create", NULL, OPT_FLAG, AT(no_create),
	"exit 66 if the channel does not exist", NULL, NULL, 0},
    {0, "once", "KEY", OPT_STR, AT(once),
	"publish at most once per KEY, and print the id; exit 1 if it was done "
	"before",
	NULL, NULL, 0},
    {0, "once-for", "DUR", OPT_DUR, AT(once_ms),
	"how long KEY is remembered (24h)", NULL, NULL, 0},
    {'B', "batch", "N", OPT_NUM, AT(batch), "most messages unconfirmed (1000)",
	NULL, NULL, 0},
    {0, "linger", "DUR", OPT_DUR, AT(linger_ms),
	"how long a message may wait for others to leave with it (10ms)", NULL,
	NULL, 0},
    {'F', "format", "FMT", OPT_STR, AT(format),
	"print each message once it is stored: id, json, or directives (see "
	"chat(7))",
	NULL, NULL, 0},
    {0, "escape", "auto|always|never", OPT_ENUM, AT(escape),
	"of -F: control characters as \\xNN; auto: on a terminal", NULL, NULL,
	0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

void
sender_conf_init(struct sender_conf *c)
{
	*c = (struct sender_conf){.batch = DEFAULT_BATCH,
	    .linger_ms = DEFAULT_LINGER_MS,
	    .once_ms = PUBLISH_ONCE_MS,
	    .idle_ms = NUM_INF,
	    .deadline_ms = NUM_INF};
}

struct str
sender_operands(const struct tool *t, const struct sender_conf *c,
    const struct compose_conf *compose, char ***messages)
{
	int ends = c->null + c->slurp + (c->delimiter != NULL);
	bool input = ends > 0 || compose->json || compose->key_delimiter;
	struct str channel = str_c(t->operands[0]);

	if (channel.p == NULL && !compose->json)
		tool_usage(t, "which channel?");
	if (channel.p != NULL && !msg_channel_ok(channel))
		tool_usage(t, "bad channel name: %s", t->operands[0]);
	if (ends > 1)
		tool_usage(t, "only one of -0, -D and -s");
	if (ends > 0 && compose->json)
		tool_usage(t, "-j goes without -0, -D and -s");
	if (t->noperands > 1 && input)
		tool_usage(t, "-j, -K, -0, -D and -s are for standard input");
	if (c->batch == 0 || c->batch > BATCH_MAX)
		tool_usage(t, "--batch must be 1 to %d", (int)BATCH_MAX);
	if (c->once != NULL && *c->once == '\0')
		tool_usage(t, "--once: the key is empty");
	if (c->once_ms <= 0 || c->once_ms > PUBLISH_ONCE_MAX_MS)
		tool_usage(t, "--once-for must be 1ms to 10 years");
	*messages = t->noperands > 1 ? t->operands + 1 : NULL;
	return channel;
}

void
sender_delimiter(
    const struct tool *t, const struct sender_conf *c, struct buf *b)
{
	buf_init(b, DELIMITER_MAX);
	if (c->null)
		buf_addc(b, '\0');
	else if (c->delimiter == NULL && !c->slurp)
		buf_addc(b, '\n');
	else if (c->delimiter != NULL && format_unescape(b, c->delimiter) != 0)
		tool_usage(t, "bad escape in delimiter: %s", c->delimiter);
	else if (c->delimiter != NULL && b->n == 0)
		tool_usage(t, "an empty -D is for output; try -s");
}
