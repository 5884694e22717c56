#include "app/history.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>

enum {
	TIMEOUT_MS = 10000,
	/* For its turn, and for a client that is slow. */
	PATIENCE_MS = 60000,
	BYTES_MAX = 64 << 20,
	WHY_MAX = 256,
};

/* ---- Options ---- */

#define AT(member) offsetof(struct history_options, member)

const struct opt history_opts[] = {
    {0, "history-cmd", "CMD", OPT_STR, AT(history_cmd),
	"run CMD for what was before, which it prints as envelopes", NULL, NULL,
	0},
    {0, "snapshot-cmd", "CMD", OPT_STR, AT(snapshot_cmd),
	"the same for a client without a cursor", NULL, NULL, 0},
    {0, "command-timeout", "DUR", OPT_DUR, AT(timeout_ms),
	"how long these two may run (10s)", NULL, NULL, 0},
    {0, "command-size", "SIZE", OPT_SIZE, AT(max_bytes),
	"the most that they may print (64m)", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

void
history_options_init(struct history_options *o)
{
	*o = (struct history_options){
	    .timeout_ms = TIMEOUT_MS, .max_bytes = BYTES_MAX};
}

static int
check_command(const char *option, const char *command, struct buf *err)
{
	if (command == NULL || str_trim(str_c(command)).n > 0)
		return 0;
	buf_addf(err, "--%s: no command", option);
	return -1;
}

int
history_options_check(const struct history_options *o, struct buf *err)
{
	if (o->timeout_ms <= 0 || o->timeout_ms > INT32_MAX) {
		buf_addz(err, "--command-timeout: neither 0 nor inf");
		return -1;
	}
	if (check_command("history-cmd", o->history_cmd, err) != 0)
		return -1;
	return check_command("snapshot-cmd", o->snapshot_cmd, err);
}

bool
history_is_on(const struct history_options *o)
{
	return o->history_cmd != NULL || o->snapshot_cmd != NULL;
}

/* ---- Troubles ---- */

static int64_t
now_ms(const struct history *h)
{
	return (int64_t)(ev_now(h->conf->pool->loop) * 1000.);
}

/* Whatever is wrong with the command, it is so for many clients. */
static void
tell(const struct history *h, struct str why)
{
	struct buf b;

	buf_init(&b, WHY_MAX);
	buf_addf(&b, "--%s: ", h->option);
	buf_adds(&b, why);
	if (ratelimit_pass(h->conf->told, buf_str(&b), now_ms(h)))
		log_error("%.*s", (int)b.n, b.p);
	buf_free(&b);
}

static void
miss(struct history *h, struct str why)
{
	tell(h, why);
	h->events->missing(h->arg);
}

/* why: absent if all is well. The last use of h. */
static void
finish(struct history *h, struct str why)
{
	history_stop(h);
	if (why.p != NULL)
		miss(h, why);
	h->events->ended(h->arg);
}

/* ---- Lines ---- */

static void
fit(const struct history *h, struct msg *m)
{
	m->channel = h->channel;
	if (m->ts_ms >= 0)
		return;
	m->ts_ms = now_ms(h);
	if (m->has_id && m->id.ms <= INT64_MAX)
		m->ts_ms = (int64_t)m->id.ms;
}

static void
take_line(struct history *h, struct str line)
{
	const char *why;
	struct msg m;

	if (str_trim(line).n == 0)
		return;
	if (msg_from_json(&m, &h->space, line, STR("data"), &why) != 0) {
		miss(h, str_c(why));
		return;
	}
	fit(h, &m);
	h->events->message(h->arg, &m);
}

static void
take_lines(struct history *h)
{
	struct str line;

	while (!h->stopped) {
		switch (records_next(&h->lines, &line)) {
		case RECORDS_ONE:
			take_line(h, line);
			break;
		case RECORDS_LONG:
			miss(h, STR("a line is too long"));
			break;
		case RECORDS_MORE:
		case RECORDS_END:
			return;
		}
	}
}

static void
on_output(void *arg, const char *p, size_t n)
{
	struct history *h = arg;
	bool over = n > h->left;

	n = over ? (size_t)h->left : n;
	h->left -= n;
	if (records_add(&h->lines, p, n) != 0) {
		finish(h, STR("out of memory"));
		return;
	}
	take_lines(h);
	if (!h->stopped)
		h->events->batch(h->arg);
	if (over && !h->stopped)
		finish(h, STR("it prints too much"));
}

/* ---- The process ---- */

/* The end of what was cut off is no line. */
static void
on_ended(void *arg, enum command_end end, int code)
{
	struct history *h = arg;
	struct buf why;

	if (end == COMMAND_EXITED && code == 0) {
		records_end(&h->lines);
		take_lines(h);
		if (!h->stopped)
			finish(h, str_c(NULL));
		return;
	}
	buf_init(&why, WHY_MAX);
	command_add_end(&why, end, code);
	finish(h, buf_str(&why));
	buf_free(&why);
}

static int
start(struct history *h, const struct history_request *r)
{
	static const struct command_events events = {on_output, on_ended};
	const struct history_options *o = h->conf->options;
	const struct command_times times = {
	    PATIENCE_MS, o->timeout_ms, PATIENCE_MS};

	return command_start(&h->command, h->conf->pool,
	    r->snapshot ? o->snapshot_cmd : o->history_cmd,
	    (struct command_var[]){
		{"CHAT_CHANNEL", r->channel, false},
		{"CHAT_LAST_EVENT_ID", r->last_event_id, false},
		{"CHAT_CURSOR", r->cursor, false},
		{NULL, {NULL, 0}, false},
	    },
	    &times, &events, h);
}

int
history_start(struct history *h, const struct history_conf *conf,
    const struct history_request *r, const struct history_events *events,
    void *arg)
{
	memset(h, 0, sizeof(*h));
	h->conf = conf;
	h->events = events;
	h->arg = arg;
	h->option = r->snapshot ? "snapshot-cmd" : "history-cmd";
	h->channel = r->channel;
	h->left = conf->options->max_bytes;
	records_init(&h->lines, STR("\n"), conf->max_size);
	msg_space_init(&h->space, conf->max_size);
	if (start(h, r) == 0)
		return 0;
	tell(h, str_c(strerror(errno)));
	history_stop(h);
	return -1;
}

void
history_hold(struct history *h, bool full)
{
	if (!h->stopped)
		command_read(&h->command, !full);
}

void
history_stop(struct history *h)
{
	h->stopped = true;
	command_stop(&h->command);
	records_free(&h->lines);
	msg_space_free(&h->space);
}
