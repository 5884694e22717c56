#include "app/sender.h"

#include "base/log.h"
#include "base/num.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	WHY_MAX = 640,
	/* What is unconfirmed takes about so much memory, twice. */
	BATCH_BYTES = 4 << 20,
};

/* How long a signal waits for the messages that are under way. */
#define GRACE_S 5.

/* ---- The end ---- */

/* `record 17: not a JSON object (16 stored, 3 not, 1 in doubt)` */
static void
say_end(const struct sender *s, char *out, size_t size)
{
	uint64_t lost = s->taken - s->stored - s->unsure;
	struct buf b;

	buf_init(&b, size - 1);
	if (*s->why != '\0')
		buf_addz(&b, s->why);
	else
		buf_addf(&b, "skipped %llu", (unsigned long long)s->skipped);
	buf_addf(&b, " (%llu stored", (unsigned long long)s->stored);
	if (lost > 0)
		buf_addf(&b, ", %llu not", (unsigned long long)lost);
	if (s->unsure > 0)
		buf_addf(&b, ", %llu in doubt", (unsigned long long)s->unsure);
	buf_addf(&b, ")");
	snprintf(out, size, "%.*s", (int)b.n, buf_str(&b).p);
	buf_free(&b);
}

static void
stop(struct sender *s)
{
	char text[WHY_MAX + 100];

	if (s->tool->stopped)
		return;
	log_info("stored %llu messages", (unsigned long long)s->stored);
	say_end(s, text, sizeof(text));
	if (s->trouble != REDIS_FINE)
		tool_stop_redis(s->tool, s->trouble, text);
	else if (*s->why != '\0' || s->skipped > 0)
		log_error("%s", text);
	if (s->timed_out && s->taken < s->conf->count && s->status == TOOL_OK)
		s->status = TOOL_NO;
	tool_stop(s->tool, s->status);
}

static void
stop_if_done(struct sender *s)
{
	if (s->ended && !s->confirming && !printer_busy(&s->printer))
		stop(s);
}

/* Take no more input; what was taken is still to be confirmed. */
static void
end(struct sender *s)
{
	s->ended = true;
	ev_timer_stop(s->tool->loop, &s->idle);
	ev_timer_stop(s->tool->loop, &s->deadline);
	publish_flush(&s->publish);
}

/* The first thing that goes wrong is told at the end. */
static void
fail(struct sender *s, int status, enum redis_trouble trouble, const char *why)
{
	if (*s->why == '\0') {
		snprintf(s->why, sizeof(s->why), "%s", why);
		s->status = status;
		s->trouble = trouble;
	}
	end(s);
}

/* A message or record that does not keep the others from being stored. */
static void
fail_one(
    struct sender *s, int status, enum redis_trouble trouble, const char *why)
{
	if (!s->conf->keep_going) {
		fail(s, status, trouble, why);
		return;
	}
	log_error("%s", why);
	s->skipped++;
	if (s->status == TOOL_OK) {
		s->status = status;
		s->trouble = trouble;
	}
}

static void
bad_record(struct sender *s, const char *why)
{
	char text[WHY_MAX];

	snprintf(text, sizeof(text), "record %llu: %s",
	    (unsigned long long)s->nr, why);
	fail_one(s, TOOL_DATA, REDIS_FINE, text);
}

/* ---- Input ---- */

/* In which to print what was stored; NULL: it is not. */
static const char *
format(const struct sender *s)
{
	const struct sender_conf *c = s->conf;

	return c->format == NULL && c->once != NULL ? "id" : c->format;
}

static void
on_result(void *arg, const struct msg *m, const struct publish_result *res)
{
	struct sender *s = arg;

	switch (res->end) {
	case PUBLISH_STORED:
		s->stored += !res->before;
		if (res->before && s->status == TOOL_OK)
			s->status = TOOL_NO;
		if (format(s) != NULL)
			printer_add(&s->printer, m);
		break;
	case PUBLISH_MISSING:
		fail_one(s, TOOL_NOINPUT, REDIS_FINE, res->why);
		break;
	case PUBLISH_REFUSED:
		fail_one(s, TOOL_SOFTWARE, res->trouble, res->why);
		break;
	case PUBLISH_UNSURE:
		s->unsure++;
		/* FALLTHROUGH */
	case PUBLISH_FAILED:
		fail(s, TOOL_TEMPFAIL, res->trouble, res->why);
		break;
	}
}

static void
take(struct sender *s, struct str record)
{
	struct msg m;
	const char *why;
	int taken;

	if (s->conf->skip_empty && record.n == 0)
		return;
	if (compose_message(&s->compose, &m, record, &why) != 0) {
		bad_record(s, why);
		return;
	}
	if (s->conf->skip_empty && m.data.p != NULL && m.data.n == 0)
		return;
	if (s->conf->once != NULL)
		taken = publish_add_once(
		    &s->publish, &m, str_c(s->conf->once), on_result, s);
	else
		taken = publish_add(&s->publish, &m, on_result, s);
	if (taken < 0) {
		fail(s, TOOL_OS, REDIS_FINE, "out of memory");
		return;
	}
	s->confirming = true;
	s->full = taken > 0;
	if (++s->taken == s->conf->count)
		end(s);
}

/* Take one record, if there is one. */
static bool
take_one(struct sender *s)
{
	struct str record;
	enum records_next next;

	if (s->messages != NULL) {
		if (s->messages[s->nr] == NULL) {
			end(s);
			return false;
		}
		take(s, str_c(s->messages[s->nr++]));
		return true;
	}
	next = records_next(&s->records, &record);
	s->nr = s->records.nr;
	if (next == RECORDS_ONE)
		take(s, record);
	else if (next == RECORDS_LONG)
		bad_record(s, "too large");
	else if (next == RECORDS_END)
		end(s);
	return next == RECORDS_ONE || next == RECORDS_LONG;
}

/* Take what can be taken now, and read on if there is room for more. */
static void
take_more(void *arg)
{
	struct sender *s = arg;
	bool more = true;

	while (more && !s->ended && !s->full && !s->printer.blocked)
		more = take_one(s);
	if (s->messages == NULL)
		conn_read(&s->in, !s->ended && !s->full && !s->printer.blocked);
	stop_if_done(s);
}

static void
on_input(void *arg, const char *p, size_t n)
{
	struct sender *s = arg;

	if (ev_is_active(&s->idle))
		ev_timer_again(s->tool->loop, &s->idle);
	if (n == 0)
		records_end(&s->records);
	else if (records_add(&s->records, p, n) != 0)
		fail(s, TOOL_OS, REDIS_FINE, "out of memory");
	take_more(s);
}

static void
on_input_gone(void *arg, int err)
{
	struct sender *s = arg;
	char text[WHY_MAX];

	snprintf(text, sizeof(text), "standard input: %s", strerror(err));
	fail(s, TOOL_IO, REDIS_FINE, text);
	stop_if_done(s);
}

/* ---- Redis ---- */

static void
on_room(void *arg)
{
	struct sender *s = arg;

	s->full = false;
	take_more(s);
}

static void
on_confirmed(void *arg)
{
	struct sender *s = arg;

	s->confirming = false;
	stop_if_done(s);
}

static void
on_trouble(void *arg, const char *why)
{
	(void)arg;
	log_warn("%s", why);
}

/* ---- Time and signals ---- */

static void
on_time(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct sender *s = w->data;

	(void)loop;
	(void)revents;
	if (s->ended) {
		s->unsure += publish_pending(&s->publish);
		fail(s, s->status, REDIS_FINE, "interrupted");
		stop(s);
	} else if (w == &s->deadline || !(s->full || s->printer.blocked)) {
		s->timed_out = true;
		end(s);
		take_more(s);
	}
}

static void
on_signal(void *arg, int signo)
{
	struct sender *s = arg;

	end(s);
	if (s->status == TOOL_OK)
		s->status = TOOL_SIGNAL + signo;
	ev_timer_set(&s->deadline, GRACE_S, 0.);
	ev_timer_start(s->tool->loop, &s->deadline);
	take_more(s);
}

/* ---- Start ---- */

static void
start_timers(struct sender *s)
{
	struct ev_loop *loop = s->tool->loop;

	ev_init(&s->idle, on_time);
	ev_init(&s->deadline, on_time);
	s->idle.data = s->deadline.data = s;
	if (s->conf->idle_ms != NUM_INF) {
		s->idle.repeat = (double)s->conf->idle_ms / 1000. + 1e-6;
		ev_timer_again(loop, &s->idle);
	}
	if (s->conf->deadline_ms != NUM_INF) {
		ev_timer_set(
		    &s->deadline, (double)s->conf->deadline_ms / 1000., 0.);
		ev_timer_start(loop, &s->deadline);
	}
}

static void
start_output(struct sender *s)
{
	const struct sender_conf *c = s->conf;
	struct output_conf conf = {.null = c->null,
	    .delimiter = c->delimiter,
	    .format = format(s),
	    .escape = c->escape};

	if (conf.format != NULL)
		printer_init(&s->printer, s->tool, &conf, take_more, s);
}

static void
start_input(struct sender *s)
{
	static const struct conn_events events = {
	    on_input, NULL, on_input_gone};

	if (isatty(0))
		log_warn("reading messages from the terminal, until Ctrl-D");
	sender_delimiter(s->tool, s->conf, &s->delimiter);
	records_init(&s->records, buf_str(&s->delimiter),
	    compose_record_max(s->compose.conf));
	conn_init(&s->in, s->tool->loop, 0, -1, 0, &events, s);
}

static void
start_publish(struct sender *s)
{
	static const struct publish_events events = {
	    on_room, on_confirmed, on_trouble};
	const struct sender_conf *c = s->conf;

	s->publish_conf = (struct publish_conf){.redis = &s->tool->redis,
	    .prefix = s->tool->prefix,
	    .field = s->tool->field,
	    .keep = c->keep,
	    .batch = c->batch,
	    .batch_bytes = BATCH_BYTES,
	    .linger_ms = c->linger_ms,
	    .once_ms = c->once_ms,
	    .no_create = c->no_create};
	publish_init(&s->publish, s->tool->loop, &s->publish_conf, &events, s);
}

void
sender_start(struct sender *s, struct tool *t, const struct sender_conf *c,
    const struct compose_conf *compose)
{
	struct str channel;
	struct buf err;

	memset(s, 0, sizeof(*s));
	s->tool = t;
	s->conf = c;
	buf_init(&err, WHY_MAX);
	channel = sender_operands(t, c, compose, &s->messages);
	if (compose_init(&s->compose, compose, channel, t->field, &err) != 0)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	buf_free(&err);
	start_publish(s);
	start_timers(s);
	start_output(s);
	if (s->messages == NULL)
		start_input(s);
	t->on_signal = on_signal;
	t->signal_arg = s;
	take_more(s);
}

void
sender_free(struct sender *s)
{
	struct ev_loop *loop = s->tool->loop;

	publish_free(&s->publish);
	compose_free(&s->compose);
	buf_free(&s->delimiter);
	records_free(&s->records);
	conn_free(&s->in);
	printer_free(&s->printer);
	ev_timer_stop(loop, &s->idle);
	ev_timer_stop(loop, &s->deadline);
}
