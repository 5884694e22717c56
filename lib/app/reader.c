#include "app/reader.h"

#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GAP_REPORT, GAP_STOP };

/* The largest page of messages, printed in the most wasteful format. */
#define PAGE_MAX ((size_t)4 << 30)

enum { KEEP = 256 << 10, DEFAULT_BATCH = 1000, LANES_MAX = 1024 };

#define AT(member) offsetof(struct reader_conf, member)

const struct opt reader_opts[] = {
    {0, "event", "TYPE", OPT_LIST, AT(types),
	"only messages of this type; repeatable", NULL, NULL, 0},
    {'c', "count", "N", OPT_NUM, AT(count), "stop after N messages", NULL, NULL,
	0},
    {'w', "idle", "DUR", OPT_DUR, AT(idle_ms),
	"stop after DUR without a message", NULL, NULL, 0},
    {'W', "deadline", "DUR", OPT_DUR, AT(deadline_ms), "stop after DUR in all",
	NULL, NULL, 0},
    {0, "fail-empty", NULL, OPT_FLAG, AT(fail_empty),
	"exit 1 if nothing was written", NULL, NULL, 0},
    {0, "on-gap", "report|stop", OPT_ENUM, AT(on_gap),
	"what to do when messages are missing after a cursor", NULL, NULL, 0},
    {'B', "batch", "N", OPT_NUM, AT(batch), "most messages a round trip (1000)",
	NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

void
reader_conf_init(struct reader_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->batch = DEFAULT_BATCH;
	c->idle_ms = c->deadline_ms = NUM_INF;
}

/* ---- The cursor file ---- */

static void
save_cursor(struct reader *r)
{
	if (bookmark_save(&r->bookmark) == 0)
		return;
	log_error("%s: %s", r->use.cursor_file, strerror(errno));
	tool_stop(r->tool, TOOL_IO);
}

static void
load_cursor(struct reader *r)
{
	const char *path = r->use.cursor_file;

	if (bookmark_load(&r->bookmark, r->use.cursor) == 0)
		return;
	if (errno == EINVAL) {
		log_error("%s: not a cursor of %s", path,
		    r->nlanes == 1 ? "a channel" : "several channels");
		exit(TOOL_DATA);
	}
	log_error("%s: %s", path, strerror(errno));
	exit(TOOL_NOINPUT);
}

/* ---- The end ---- */

static void
stop_lane(struct reader_lane *l)
{
	feed_stop(&l->feed);
	rewind_stop(&l->rewind);
}

static int
final_status(const struct reader *r)
{
	if (r->status != TOOL_OK)
		return r->status;
	if (r->timed_out && r->conf->count > 0)
		return TOOL_NO;
	return r->conf->fail_empty && r->written == 0 ? TOOL_NO : TOOL_OK;
}

static void
stop_if_written(struct reader *r)
{
	if (r->finishing && !conn_is_full(&r->out))
		tool_stop(r->tool, final_status(r));
}

/* Read no more; the program ends when all output has left. */
static void
finish(struct reader *r, int status)
{
	if (r->finishing)
		return;
	r->finishing = true;
	r->status = status;
	ev_timer_stop(r->tool->loop, &r->merge);
	for (size_t i = 0; i < r->nlanes; i++)
		stop_lane(&r->lanes[i]);
	stop_if_written(r);
}

static void
on_time(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct reader *r = w->data;

	(void)loop;
	(void)revents;
	r->timed_out = true;
	finish(r, TOOL_OK);
}

static void
on_signal(void *arg, int signo)
{
	finish(arg, TOOL_SIGNAL + signo);
}

/* ---- Writing ---- */

static bool
wanted(const struct reader *r, const struct msg *m)
{
	const struct opt_list *types = &r->conf->types;

	for (size_t i = 0; i < types->n; i++)
		if (str_eq(m->event, str_c(types->v[i])))
			return true;
	return types->n == 0;
}

/* Put m into the page. -1: it was the last that is wanted. */
static int
emit(struct reader_lane *l, const struct msg *m)
{
	struct reader *r = l->reader;

	l->place.id = m->id;
	l->place.known = true;
	r->bookmark.moved = true;
	if (!wanted(r, m))
		return 0;
	output_add(&r->output, &r->page, m);
	r->written++;
	return r->written == r->conf->count ? -1 : 0;
}

/* Write the page. 0 or 1 as messages callbacks say, -1: the program ends. */
static int
flush(struct reader *r)
{
	int verdict;

	if (r->page.failed) {
		log_error("message too large to print");
		tool_stop(r->tool, TOOL_OS);
		return -1;
	}
	verdict = conn_write(&r->out, buf_str(&r->page));
	buf_shrink(&r->page, KEEP);
	if (verdict < 0)
		tool_stop_output(r->tool, errno);
	else if (verdict == 0)
		save_cursor(r);
	return verdict;
}

static int
print(struct reader_lane *l, const struct msg *m, size_t n)
{
	struct reader *r = l->reader;
	int last = 0, verdict;

	for (size_t i = 0; i < n && last == 0; i++)
		last = emit(l, &m[i]);
	verdict = flush(r);
	if (verdict >= 0 && last != 0)
		finish(r, TOOL_OK);
	return last != 0 ? -1 : verdict;
}

/* ---- Merging ---- */

static bool
before(const struct reader *r, const struct msg *a, const struct msg *b)
{
	int order = id_cmp(a->id, b->id);

	return r->use.reverse ? order > 0 : order < 0;
}

/*
 * The lane whose message is next; NULL when there is none, or when a lane has
 * to be filled first.
 */
static struct reader_lane *
next_lane(struct reader *r)
{
	struct reader_lane *best = NULL;

	for (size_t i = 0; i < r->nlanes; i++) {
		struct reader_lane *l = &r->lanes[i];
		const struct msg *m = merge_peek(&l->queue);
		if (m == NULL && !l->ended)
			return NULL;
		if (m != NULL &&
		    (best == NULL || before(r, m, merge_peek(&best->queue))))
			best = l;
	}
	return best;
}

static void
refill(struct reader_lane *l)
{
	if (!l->full)
		return;
	l->full = false;
	if (l->reader->use.reverse)
		rewind_drained(&l->rewind);
	else
		feed_drained(&l->feed);
}

static void all_ended(struct reader *r);

static void
on_merge(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct reader *r = w->data;
	struct reader_lane *l = NULL;
	int last = 0, verdict;

	(void)loop;
	(void)revents;
	while (last == 0 && (l = next_lane(r)) != NULL) {
		last = emit(l, merge_peek(&l->queue));
		merge_next(&l->queue);
		if (merge_peek(&l->queue) == NULL && !l->ended)
			break;
	}
	verdict = flush(r);
	if (verdict < 0)
		return;
	r->blocked = verdict > 0;
	if (last != 0)
		finish(r, TOOL_OK);
	else if (l == NULL && r->nended == r->nlanes)
		all_ended(r);
	else if (l != NULL && !r->blocked)
		refill(l);
}

static void
merge_soon(struct reader *r)
{
	if (!r->blocked && !r->finishing && !ev_is_active(&r->merge))
		ev_timer_start(r->tool->loop, &r->merge);
}

/* ---- The feeds ---- */

static void
on_started(void *arg, struct id cursor)
{
	struct reader_lane *l = arg;
	struct reader *r = l->reader;
	char text[ID_TEXT];

	id_format(text, cursor);
	log_debug("%.*s: from %s on", (int)l->channel.n, l->channel.p, text);
	l->place.id = cursor;
	l->place.known = true;
	r->nstarted += !l->started;
	l->started = true;
	if (r->nstarted == r->nlanes)
		sock_notify("READY=1");
}

static int
on_messages(void *arg, const struct msg *m, size_t n)
{
	struct reader_lane *l = arg;
	struct reader *r = l->reader;
	int verdict;

	if (ev_is_active(&r->idle))
		ev_timer_again(r->tool->loop, &r->idle);
	if (!r->merging) {
		verdict = print(l, m, n);
		l->full = verdict > 0;
		return verdict;
	}
	if (merge_fill(&l->queue, m, n) != 0) {
		log_error("out of memory");
		tool_stop(r->tool, TOOL_OS);
		return -1;
	}
	l->full = true;
	merge_soon(r);
	return 1;
}

static int
on_gap(void *arg, const struct gap *g)
{
	struct reader_lane *l = arg;
	char after[ID_TEXT], lost[64];

	if (g->has_lost)
		snprintf(lost, sizeof(lost), "%llu messages are missing",
		    (unsigned long long)g->lost);
	else
		snprintf(lost, sizeof(lost), "messages %s missing",
		    g->certain ? "are" : "may be");
	id_format(after, g->after);
	log_warn("%.*s: %s after %s (%s)", (int)l->channel.n, l->channel.p,
	    lost, after, gap_name(g->reason));
	if (l->reader->conf->on_gap != GAP_STOP)
		return 0;
	finish(l->reader, TOOL_DATA);
	return -1;
}

static void
on_live(void *arg)
{
	struct reader_lane *l = arg;

	log_info("%.*s: live", (int)l->channel.n, l->channel.p);
}

static void
on_ended(void *arg)
{
	struct reader_lane *l = arg;
	struct reader *r = l->reader;

	l->ended = true;
	r->nended++;
	if (r->merging)
		merge_soon(r);
	else if (r->nended == r->nlanes)
		all_ended(r);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct reader_lane *l = arg;
	char text[REDIS_WHY + MSG_CHANNEL_MAX + 4];

	snprintf(text, sizeof(text), "%.*s: %s", (int)l->channel.n,
	    l->channel.p, why);
	tool_stop_redis(l->reader->tool, trouble, text);
}

static const struct feed_events feed_events = {
    on_started, on_messages, on_gap, on_live, on_ended, on_failed};

static void
start_lane(struct reader *r, struct reader_lane *l, struct feed_start start,
    enum feed_end end)
{
	int failed;

	if (r->use.reverse)
		failed = rewind_start(&l->rewind, &r->hub, l->channel, start,
		    r->use.until, &feed_events, l);
	else
		failed = feed_start(&l->feed, &r->hub, l->channel, start, end,
		    r->use.until, &feed_events, l);
	if (failed == 0)
		return;
	log_error("out of memory");
	exit(TOOL_OS);
}

static struct feed_start
start_after(struct id id)
{
	return (struct feed_start){FEED_AFTER, 0, id};
}

static struct feed_start
first_start(const struct reader_lane *l)
{
	return l->place.known ? start_after(l->place.id) : l->reader->use.start;
}

/* All of the history is out: go on live, or end. */
static void
all_ended(struct reader *r)
{
	if (!r->use.follow) {
		finish(r, TOOL_OK);
		return;
	}
	r->use.follow = r->merging = false;
	r->nended = 0;
	for (size_t i = 0; i < r->nlanes; i++) {
		struct reader_lane *l = &r->lanes[i];
		struct id cursor = feed_cursor(&l->feed);
		l->ended = l->full = false;
		start_lane(r, l, start_after(cursor), FEED_LIVE);
	}
}

/* ---- Output and Redis come and go ---- */

static void
on_drained(void *arg)
{
	struct reader *r = arg;

	save_cursor(r);
	stop_if_written(r);
	if (r->finishing)
		return;
	if (r->merging) {
		r->blocked = false;
		for (size_t i = 0; i < r->nlanes; i++)
			if (merge_peek(&r->lanes[i].queue) == NULL)
				refill(&r->lanes[i]);
		merge_soon(r);
		return;
	}
	for (size_t i = 0; i < r->nlanes && !r->finishing; i++)
		refill(&r->lanes[i]);
}

static void
on_gone(void *arg, int err)
{
	struct reader *r = arg;

	tool_stop_output(r->tool, err);
}

static void
on_up(void *arg)
{
	struct reader *r = arg;

	log_info("connected to %s", r->hub.cmd.where);
}

static void
on_down(void *arg, const char *why)
{
	(void)arg;
	log_warn("%s", why);
}

static void
on_hub_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct reader *r = arg;

	tool_stop_redis(r->tool, trouble, why);
}

/* ---- Start ---- */

static void
init_timers(struct reader *r)
{
	struct ev_loop *loop = r->tool->loop;

	ev_timer_init(&r->merge, on_merge, 0., 0.);
	ev_init(&r->idle, on_time);
	ev_init(&r->deadline, on_time);
	r->merge.data = r->idle.data = r->deadline.data = r;
	if (r->conf->idle_ms != NUM_INF) {
		r->idle.repeat = (double)r->conf->idle_ms / 1000. + 1e-6;
		ev_timer_again(loop, &r->idle);
	}
	if (r->conf->deadline_ms != NUM_INF) {
		ev_timer_set(
		    &r->deadline, (double)r->conf->deadline_ms / 1000., 0.);
		ev_timer_start(loop, &r->deadline);
	}
}

static void
make_lanes(struct reader *r)
{
	struct tool *t = r->tool;
	int n = t->noperands;

	if (n == 0)
		tool_usage(t, "which channel?");
	if (n > LANES_MAX)
		tool_usage(t, "at most %d channels", LANES_MAX);
	r->lanes = calloc((size_t)n, sizeof(*r->lanes));
	if (r->lanes == NULL ||
	    bookmark_init(&r->bookmark, r->use.cursor_file, (size_t)n) != 0) {
		log_error("out of memory");
		exit(TOOL_OS);
	}
	for (int i = 0; i < n; i++) {
		struct str name = tool_channel(t, t->operands[i]);
		size_t k = 0;
		while (k < r->nlanes && !str_eq(r->lanes[k].channel, name))
			k++;
		if (k < r->nlanes)
			continue;
		r->lanes[k] = (struct reader_lane){.reader = r,
		    .channel = name,
		    .place = cursor_part_of(name)};
		merge_init(&r->lanes[k].queue);
		bookmark_add(&r->bookmark, &r->lanes[k].place);
		r->nlanes++;
	}
}

void
reader_start(struct reader *r, struct tool *t, const struct reader_conf *c,
    const struct output_conf *o, const struct reader_use *use)
{
	static const struct conn_events out_events = {
	    NULL, on_drained, on_gone};
	static const struct hub_events hub_events = {
	    on_up, on_down, on_hub_failed};
	struct buf err;

	memset(r, 0, sizeof(*r));
	r->tool = t;
	r->conf = c;
	r->use = *use;
	buf_init(&err, 1024);
	if (output_init(&r->output, o, isatty(1), &err) != 0)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	buf_free(&err);
	if (c->batch == 0)
		tool_usage(t, "--batch must be at least 1");
	make_lanes(r);
	load_cursor(r);
	r->merging = use->ordered && r->nlanes > 1;
	buf_init(&r->page, PAGE_MAX);
	r->hub_conf = (struct hub_conf){
	    &t->redis, t->prefix, t->field, c->batch, &r->stats};
	hub_init(&r->hub, t->loop, &r->hub_conf, &hub_events, r);
	conn_init(&r->out, t->loop, -1, 1, PAGE_MAX, &out_events, r);
	conn_watch_gone(&r->out);
	init_timers(r);
	t->on_signal = on_signal;
	t->signal_arg = r;
	for (size_t i = 0; i < r->nlanes; i++)
		start_lane(
		    r, &r->lanes[i], first_start(&r->lanes[i]), r->use.end);
}

void
reader_free(struct reader *r)
{
	for (size_t i = 0; i < r->nlanes; i++) {
		stop_lane(&r->lanes[i]);
		merge_free(&r->lanes[i].queue);
	}
	free(r->lanes);
	bookmark_free(&r->bookmark);
	ev_timer_stop(r->tool->loop, &r->idle);
	ev_timer_stop(r->tool->loop, &r->deadline);
	ev_timer_stop(r->tool->loop, &r->merge);
	hub_free(&r->hub);
	conn_free(&r->out);
	output_free(&r->output);
	buf_free(&r->page);
}
