#include "app/hub.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* Also how soon a stream made anew with older ids is noticed. */
	BLOCK_MS = 15000,
	/* Where CLIENT UNBLOCK is not to be had. */
	BLOCK_SHORT_MS = 1000,
	IDLE_S = 1,
	FIRST_COUNT = 100,
	PAGE_BYTES = 256 << 10,
	ARGS_MAX = 16 << 20,
};

static void live_step(struct hub *h);
static void unblock(struct hub *h);
static int command(struct hub *h, redis_fn *fn, void *arg, size_t argc,
    const struct str *argv);

/* ---- Heads ---- */

static void
look(struct member *m, const void *arg)
{
	(void)arg;
	m->events->look(m);
}

static void
unsure(struct member *m, const void *arg)
{
	(void)arg;
	if (m->live)
		m->events->unsure(m);
}

static void
look_all(struct topic *t, const void *arg)
{
	topic_each_member(t, look, arg);
}

/*
 * The cursors are looked at again when the read goes on, not before: until then
 * more can be lost.
 */
static void
lose_head(struct topic *t, const void *arg)
{
	(void)arg;
	t->lost |= t->head.known;
	t->head.known = false;
}

static void
set_head(struct topic *t, struct id last)
{
	bool lost = t->lost;

	t->head.known = true;
	t->head.id = last;
	t->lost = false;
	topic_each_member(t, lost ? unsure : look, NULL);
}

/*
 * After the live read broke, only the connection that goes on with it can say
 * behind which id: the stream may be another by then.
 */
void
hub_learn_head(struct topic *t, struct id last)
{
	if (!t->head.known && !t->lost)
		set_head(t, last);
}

void
hub_rewind(struct topic *t, struct id last)
{
	struct hub *h = t->hub;

	t->head.known = true;
	t->head.id = last;
	/* The read waits behind ids that will not come again. */
	h->stale = true;
	topic_each_member(t, unsure, NULL);
	unblock(h);
}

/* On `live` no read is under way meanwhile: what it says holds now. */
static void
learn(struct topic *t, struct id last)
{
	if (!t->head.known)
		set_head(t, last);
	else if (id_cmp(last, t->head.id) < 0)
		hub_rewind(t, last);
}

struct trouble {
	enum redis_trouble kind;
	const char *why;
};

static void
tell_trouble(struct member *m, const void *arg)
{
	const struct trouble *trouble = arg;

	m->events->trouble(m, trouble->kind, trouble->why);
}

static void
say_trouble(struct topic *t, const struct redis_reply *r)
{
	char why[REDIS_WHY];

	topic_each_member(t, tell_trouble,
	    &(struct trouble){redis_trouble(r), redis_why(why, r)});
}

static void
on_head(void *arg, const struct redis_reply *r)
{
	struct topic *t = arg;
	struct hub *h = t->hub;
	struct gap_facts facts;

	topic_hold(t);
	t->asked = false;
	h->asking--;
	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&h->live, "not ready");
	else if (entry_info(&facts, r) == 0)
		learn(t, facts.last);
	else if (entry_is_missing(r))
		learn(t, ID_MIN);
	else if (r != NULL)
		say_trouble(t, r);
	topic_release(t);
	live_step(h);
}

static void
ask_head(struct topic *t, const void *arg)
{
	struct str argv[] = {STR("XINFO"), STR("STREAM"), buf_str(&t->key)};

	(void)arg;
	if (t->nlive == 0 || t->asked)
		return;
	if (redis_send(&t->hub->live, on_head, t, 0, 3, argv) != 0)
		return;
	t->asked = true;
	t->hub->asking++;
}

static void
ask_unknown_head(struct topic *t, const void *arg)
{
	if (!t->head.known)
		ask_head(t, arg);
}

/* ---- The live read ---- */

static void
set_up(struct hub *h, bool up, const char *why)
{
	enum hub_state before = h->state;

	h->state = up ? HUB_UP : HUB_DOWN;
	if (h->state == before)
		return;
	if (up && h->events->up != NULL)
		h->events->up(h->arg);
	else if (!up && h->events->down != NULL)
		h->events->down(h->arg, why);
}

static void
end_reading(struct topic *t, const void *arg)
{
	(void)arg;
	t->reading = false;
}

static void
hand_to(struct member *m, const void *arg)
{
	const struct entries *e = arg;

	if (m->live)
		m->events->entries(m, entries_msgs(e), e->n);
}

static void
hand_out(struct topic *t, const struct redis_reply *list)
{
	struct hub *h = t->hub;
	struct entries *e = &h->entries;

	if (entries_read(e, list, buf_str(&t->channel), h->conf->field) != 0 ||
	    e->n == 0) {
		redis_restart(&h->live, "unexpected reply");
		return;
	}
	h->live_count = hub_page_count(h, e, h->live_count);
	t->head.known = true;
	t->head.id = entries_msgs(e)[e->n - 1].id;
	topic_each_member(t, hand_to, e);
}

/* Streams come in the order in which they were asked for. */
struct xread_walk {
	const struct redis_reply *reply;
	size_t *at;
};

static void
hand_out_next(struct topic *t, const void *arg)
{
	const struct xread_walk *w = arg;
	const struct redis_reply *stream = redis_at(w->reply, *w->at);

	if (!t->reading ||
	    !str_eq(redis_text(redis_at(stream, 0)), buf_str(&t->key)))
		return;
	++*w->at;
	hand_out(t, redis_at(stream, 1));
}

static void
xread_trouble(struct topic *t, const void *reply)
{
	if (t->nlive > 0)
		say_trouble(t, reply);
}

static void
on_xread(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;
	size_t at = 0;

	h->blocked = h->stale = false;
	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&h->live, "not ready");
	else if (redis_type(r) == REDIS_ERROR)
		topics_each(&h->topics, xread_trouble, r);
	else if (redis_type(r) == REDIS_ARRAY)
		topics_each(
		    &h->topics, hand_out_next, &(struct xread_walk){r, &at});
	topics_each(&h->topics, end_reading, NULL);
	/* Nothing came: is the head that was waited behind still there? */
	if (r != NULL && redis_type(r) == REDIS_NIL)
		topics_each(&h->topics, ask_head, NULL);
	live_step(h);
}

static size_t
live_topics(const struct hub *h)
{
	size_t n = 0;

	for (struct topic *t = h->topics.first; t != NULL; t = t->next)
		n += t->nlive > 0 && t->head.known;
	return n;
}

static int
send_xread(struct hub *h, struct str *argv, size_t n)
{
	char count[NUM_TEXT], block[NUM_TEXT];
	size_t i = 0;

	argv[i++] = STR("XREAD");
	argv[i++] = STR("COUNT");
	argv[i++] = str_n(count, num_format(count, h->live_count));
	argv[i++] = STR("BLOCK");
	argv[i++] = str_n(block, num_format(block, (uint64_t)h->block_ms));
	argv[i++] = STR("STREAMS");
	for (struct topic *t = h->topics.first; t != NULL; t = t->next) {
		if (t->nlive == 0 || !t->head.known)
			continue;
		t->reading = true;
		t->head_len = id_format(t->head_text, t->head.id);
		argv[i] = buf_str(&t->key);
		argv[i++ + n] = str_n(t->head_text, t->head_len);
	}
	return redis_send(&h->live, on_xread, h, h->block_ms, i + n, argv);
}

/* Go on as far as can be: first all heads, then the read that blocks. */
static void
live_step(struct hub *h)
{
	size_t n;
	struct str *argv;

	if (h->live.state != REDIS_READY || h->blocked)
		return;
	topics_each(&h->topics, ask_unknown_head, NULL);
	n = live_topics(h);
	if (h->asking > 0 || n == 0 || h->live.state != REDIS_READY)
		return;
	buf_clear(&h->args);
	argv = (struct str *)(void *)buf_room(
	    &h->args, (6 + 2 * n) * sizeof(*argv));
	if (argv == NULL)
		return;
	h->block_ms = h->live.client_id != 0 && !h->no_unblock ? BLOCK_MS
							       : BLOCK_SHORT_MS;
	h->blocked = send_xread(h, argv, n) == 0;
}

/* ---- A topic more while the read is blocked ---- */

static void
on_unblock(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;

	if (redis_type(r) == REDIS_ERROR)
		h->no_unblock = true;
}

static void
unblock(struct hub *h)
{
	char id[NUM_TEXT];
	struct str argv[] = {STR("CLIENT"), STR("UNBLOCK"),
	    str_n(id, num_format(id, (uint64_t)h->live.client_id))};

	if (!h->stale || !h->blocked || h->no_unblock || h->live.client_id == 0)
		return;
	if (command(h, on_unblock, h, 3, argv) == 0)
		h->stale = false;
}

/* ---- Connections ---- */

static void
live_ready(void *arg)
{
	struct hub *h = arg;

	set_up(h, true, NULL);
	live_step(h);
}

static void
live_lost(void *arg, const char *why)
{
	struct hub *h = arg;

	set_up(h, false, why);
	topics_each(&h->topics, lose_head, NULL);
}

static void
cmd_ready(void *arg)
{
	struct hub *h = arg;

	set_up(h, true, NULL);
	topics_each(&h->topics, look_all, NULL);
	unblock(h);
}

static void
cmd_lost(void *arg, const char *why)
{
	set_up(arg, false, why);
}

static void
failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct hub *h = arg;

	h->state = HUB_DOWN;
	h->events->failed(h->arg, trouble, why);
}

static void
on_idle(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct hub *h = w->data;

	(void)revents;
	/* One that is not ready yet is being waited for. */
	if (h->cmd.ncalls > 0 || h->cmd.state == REDIS_TRYING ||
	    h->cmd.state == REDIS_WAITING) {
		ev_timer_again(loop, w);
		return;
	}
	ev_timer_stop(loop, w);
	redis_close(&h->cmd);
	entries_trim(&h->entries);
}

/* ---- Commands ---- */

struct hub_ask {
	struct hub *hub;
	struct member *member; /* NULL once it has left */
	void (*fn)(struct member *, const struct redis_reply *);
};

static int
command(
    struct hub *h, redis_fn *fn, void *arg, size_t argc, const struct str *argv)
{
	redis_open(&h->cmd);
	ev_timer_again(h->loop, &h->idle);
	return redis_send(&h->cmd, fn, arg, 0, argc, argv);
}

static void
on_sent(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;

	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&h->cmd, "not ready");
}

int
hub_send(struct hub *h, size_t argc, const struct str *argv)
{
	return command(h, on_sent, h, argc, argv);
}

static void
on_answer(void *arg, const struct redis_reply *r)
{
	struct hub_ask a = *(struct hub_ask *)arg;

	free(arg);
	if (a.member != NULL)
		a.member->ask = NULL;
	if (redis_trouble(r) == REDIS_DOWN) {
		redis_restart(&a.hub->cmd, "not ready");
		r = NULL;
	}
	if (a.member != NULL)
		a.fn(a.member, r);
}

int
hub_ask(struct member *m,
    void (*fn)(struct member *m, const struct redis_reply *r), size_t argc,
    const struct str *argv)
{
	struct hub_ask *a = malloc(sizeof(*a));

	if (a == NULL)
		return -1;
	*a = (struct hub_ask){m->topic->hub, m, fn};
	if (command(a->hub, on_answer, a, argc, argv) != 0) {
		free(a);
		return -1;
	}
	m->ask = a;
	return 0;
}

void
hub_init(struct hub *h, struct ev_loop *loop, const struct hub_conf *conf,
    const struct hub_events *events, void *arg)
{
	static const struct redis_events live_events = {
	    live_ready, live_lost, failed};
	static const struct redis_events cmd_events = {
	    cmd_ready, cmd_lost, failed};

	memset(h, 0, sizeof(*h));
	h->loop = loop;
	h->conf = conf;
	h->events = events;
	h->arg = arg;
	h->topics.prefix = conf->prefix;
	h->live_count = hub_first_count(h);
	redis_init(&h->live, loop, conf->redis, &live_events, h, true);
	redis_init(&h->cmd, loop, conf->redis, &cmd_events, h, false);
	entries_init(&h->entries);
	buf_init(&h->args, ARGS_MAX);
	ev_init(&h->idle, on_idle);
	h->idle.repeat = IDLE_S;
	h->idle.data = h;
}

void
hub_free(struct hub *h)
{
	if (h->loop == NULL)
		return;
	ev_timer_stop(h->loop, &h->idle);
	redis_close(&h->live);
	redis_close(&h->cmd);
	entries_free(&h->entries);
	buf_free(&h->args);
}

bool
hub_is_up(const struct hub *h)
{
	return h->state == HUB_UP;
}

int
hub_join(struct hub *h, struct member *m, struct str channel, bool live)
{
	struct topic *t = topics_find(&h->topics, channel);

	if (t != NULL)
		topic_hold(t);
	else if ((t = topics_make(&h->topics, h, channel)) == NULL)
		return -1;
	topic_enter(t, m, live);
	if (live) {
		redis_open(&h->live);
		h->stale |= !t->reading;
		live_step(h);
		unblock(h);
	}
	topic_release(t);
	return 0;
}

void
hub_leave(struct member *m)
{
	if (m->topic == NULL)
		return;
	if (m->ask != NULL)
		m->ask->member = NULL;
	m->ask = NULL;
	topic_leave(m);
}

uint64_t
hub_first_count(const struct hub *h)
{
	return FIRST_COUNT < h->conf->batch ? FIRST_COUNT : h->conf->batch;
}

uint64_t
hub_page_count(const struct hub *h, const struct entries *e, uint64_t before)
{
	uint64_t most = h->conf->batch, count = before * 4;

	if (e->n == 0)
		return before;
	if (count > PAGE_BYTES / (e->bytes / e->n + 1))
		count = PAGE_BYTES / (e->bytes / e->n + 1);
	if (count > most)
		count = most;
	return count > 0 ? count : 1;
}
