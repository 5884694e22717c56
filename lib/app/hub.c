#include "app/hub.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

enum {
	IDLE_S = 1,
	/* Members that ask at a time; the replies are a page each at most. */
	ASKING_MAX = 16,
};

/* What a member waits for: its turn, or the reply to what it has asked. */
struct hub_ask {
	struct hub *hub;
	struct member *member; /* NULL once it has left */
	void (*fn)(struct member *, const struct redis_reply *);
	struct hub_line *line;
	struct hub_ask *next, *prev;
};

/* ---- Lines of those who wait ---- */

static void
line_leave(struct hub_ask *a)
{
	struct hub_line *line = a->line;

	if (a->hub->walk == a)
		a->hub->walk = a->next;
	if (a->prev != NULL)
		a->prev->next = a->next;
	else
		line->first = a->next;
	if (a->next != NULL)
		a->next->prev = a->prev;
	else
		line->last = a->prev;
}

static struct hub_ask *
make_ask(struct hub *h, struct member *m)
{
	struct hub_ask *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->hub = h;
	a->member = m;
	m->ask = a;
	return a;
}

/* 0, or -1 out of memory. */
static int
line_up(struct hub *h, struct member *m, struct hub_line *line)
{
	struct hub_ask *a = make_ask(h, m);

	if (a == NULL)
		return -1;
	a->line = line;
	a->prev = line->last;
	if (a->prev != NULL)
		a->prev->next = a;
	else
		line->first = a;
	line->last = a;
	return 0;
}

static void
look_first(struct hub_line *line)
{
	struct hub_ask *a = line->first;
	struct member *m = a->member;

	line_leave(a);
	free(a);
	m->ask = NULL;
	m->events->look(m);
}

static void
serve(struct hub *h)
{
	if (h->serving)
		return;
	h->serving = true;
	while (h->wait.first != NULL && h->asking < ASKING_MAX &&
	    h->cmd.state == REDIS_READY)
		look_first(&h->wait);
	h->serving = false;
}

/* Those who join meanwhile, too. */
static void
on_soon(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct hub *h = w->data;

	(void)loop;
	(void)revents;
	while (h->new.first != NULL)
		look_first(&h->new);
}

void
hub_each_waiting(struct hub *h, size_t n,
    void (*fn)(struct member *m, const void *arg), const void *arg)
{
	h->walk = h->wait.first;
	for (; h->walk != NULL && n > 0; n--) {
		struct hub_ask *a = h->walk;
		h->walk = a->next;
		fn(a->member, arg);
	}
	h->walk = NULL;
}

/* ---- Redis ---- */

static void answer_pings(struct hub *h, bool answers);

static void
set_up(struct hub *h, bool up, const char *why)
{
	enum hub_state before = h->state;

	h->state = up ? HUB_UP : HUB_DOWN;
	if (h->state == before)
		return;
	h->conf->stats->reconnects += up && before == HUB_DOWN;
	if (up && h->events->up != NULL)
		h->events->up(h->arg);
	else if (!up && h->events->down != NULL)
		h->events->down(h->arg, why);
}

static void
on_up(void *arg)
{
	set_up(arg, true, NULL);
}

static void
on_down(void *arg, const char *why)
{
	set_up(arg, false, why);
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct hub *h = arg;

	h->state = HUB_DOWN;
	h->events->failed(h->arg, trouble, why);
	answer_pings(h, false);
}

/* ---- Commands ---- */

static void
open_cmd(struct hub *h)
{
	redis_open(&h->cmd);
	ev_timer_again(h->loop, &h->idle);
}

static void
on_unblock(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;

	if (redis_type(r) == REDIS_ERROR)
		live_cannot_unblock(&h->live);
	else if (redis_int(r) == 0)
		live_not_unblocked(&h->live);
}

static int
unblock(void *arg, long long client_id)
{
	struct hub *h = arg;
	char id[NUM_TEXT];
	struct str argv[] = {STR("CLIENT"), STR("UNBLOCK"),
	    str_n(id, num_format(id, (uint64_t)client_id))};

	open_cmd(h);
	return redis_send(&h->cmd, on_unblock, h, 0, 3, argv);
}

static void
on_sent(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;

	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&h->cmd, "not ready");
}

void
hub_send(struct hub *h, size_t argc, const struct str *argv)
{
	(void)redis_send(&h->cmd, on_sent, h, 0, argc, argv);
}

static void
on_answer(void *arg, const struct redis_reply *r)
{
	struct hub_ask a = *(struct hub_ask *)arg;

	free(arg);
	a.hub->asking--;
	if (a.member != NULL)
		a.member->ask = NULL;
	if (redis_trouble(r) == REDIS_DOWN) {
		redis_restart(&a.hub->cmd, "not ready");
		r = NULL;
	}
	if (a.member != NULL)
		a.fn(a.member, r);
	serve(a.hub);
}

static void
wait_for_turn(struct hub *h, struct member *m)
{
	if (line_up(h, m, &h->wait) != 0)
		m->events->trouble(m, REDIS_REFUSED, "out of memory");
}

bool
hub_turn(struct hub *h, struct member *m)
{
	open_cmd(h);
	if (h->cmd.state == REDIS_READY && h->asking < ASKING_MAX &&
	    (h->serving || h->wait.first == NULL))
		return true;
	wait_for_turn(h, m);
	return false;
}

bool
hub_ask(struct hub *h, struct member *m,
    void (*fn)(struct member *m, const struct redis_reply *r), size_t argc,
    const struct str *argv)
{
	struct hub_ask *a = make_ask(h, m);

	if (a != NULL) {
		a->fn = fn;
		h->asking++;
		if (redis_send(&h->cmd, on_answer, a, 0, argc, argv) == 0)
			return true;
		h->asking--;
		free(a);
		m->ask = NULL;
	}
	m->events->trouble(m, REDIS_REFUSED, "out of memory");
	return false;
}

/* ---- Pings ---- */

void
hub_unping(struct hub_ping *p)
{
	if (p->link == NULL)
		return;
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	p->link = NULL;
}

static void
answer_pings(struct hub *h, bool answers)
{
	struct hub_ping *p;

	while ((p = h->pings) != NULL) {
		hub_unping(p);
		p->fn(p->arg, answers);
	}
}

static void
on_pong(void *arg, const struct redis_reply *r)
{
	struct hub *h = arg;
	enum redis_trouble trouble = redis_trouble(r);

	h->pinging = false;
	if (trouble == REDIS_DOWN)
		redis_restart(&h->cmd, "not ready");
	answer_pings(h, trouble == REDIS_FINE);
}

/* If `cmd` is not ready yet, when it is. */
static void
send_ping(struct hub *h)
{
	if (h->pings == NULL || h->pinging)
		return;
	open_cmd(h);
	h->pinging = redis_send(&h->cmd, on_pong, h, 0, 1, &STR("PING")) == 0;
}

static bool
is_trying(const struct redis *r)
{
	return r->state == REDIS_WAITING || r->state == REDIS_TRYING;
}

void
hub_ping(struct hub *h, struct hub_ping *p)
{
	if (h->state == HUB_DOWN &&
	    (is_trying(&h->live.read) || is_trying(&h->cmd))) {
		p->fn(p->arg, false);
		return;
	}
	p->link = &h->pings;
	p->next = h->pings;
	if (p->next != NULL)
		p->next->link = &p->next;
	h->pings = p;
	send_ping(h);
}

/* ---- The state of `cmd` ---- */

static void
cmd_ready(void *arg)
{
	struct hub *h = arg;

	set_up(h, true, NULL);
	serve(h);
	live_unblock(&h->live);
	send_ping(h);
}

static void
cmd_lost(void *arg, const char *why)
{
	set_up(arg, false, why);
	answer_pings(arg, false);
}

static void
on_idle(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct hub *h = w->data;

	(void)revents;
	/* One that is not ready yet is being waited for. */
	if (h->cmd.ncalls > 0 || is_trying(&h->cmd)) {
		ev_timer_again(loop, w);
		return;
	}
	ev_timer_stop(loop, w);
	redis_close(&h->cmd);
	entries_trim(&h->entries);
}

/* ---- Joining and leaving ---- */

int
hub_join(struct hub *h, struct member *m, struct str channel, bool live)
{
	struct topic *t = topics_find(&h->topics, channel);

	if (t != NULL)
		topic_hold(t);
	else if ((t = topics_make(&h->topics, channel)) == NULL)
		return -1;
	topic_enter(t, m, live);
	if (line_up(h, m, &h->new) != 0) {
		topic_leave(m);
		topic_release(t);
		return -1;
	}
	ev_timer_start(h->loop, &h->soon);
	if (live)
		live_join(t);
	topic_release(t);
	return 0;
}

void
hub_leave(struct member *m)
{
	struct hub_ask *a = m->ask;

	if (m->topic == NULL)
		return;
	m->ask = NULL;
	if (a != NULL && a->line != NULL) {
		line_leave(a);
		free(a);
	} else if (a != NULL) {
		a->member = NULL;
	}
	topic_leave(m);
}

/* ---- ---- */

void
hub_init(struct hub *h, struct ev_loop *loop, const struct hub_conf *conf,
    const struct hub_events *events, void *arg)
{
	static const struct live_events live_events = {
	    on_up, on_down, on_failed, unblock};
	static const struct redis_events cmd_events = {
	    cmd_ready, cmd_lost, on_failed, NULL};

	memset(h, 0, sizeof(*h));
	h->loop = loop;
	h->conf = conf;
	h->events = events;
	h->arg = arg;
	h->topics.prefix = conf->prefix;
	entries_init(&h->entries);
	h->live = (struct live){.loop = loop,
	    .events = &live_events,
	    .arg = h,
	    .topics = &h->topics,
	    .entries = &h->entries,
	    .field = conf->field,
	    .most = conf->batch,
	    .stats = conf->stats};
	live_init(&h->live, conf->redis);
	redis_init(&h->cmd, loop, conf->redis, &cmd_events, h, false);
	ev_timer_init(&h->soon, on_soon, 0., 0.);
	ev_init(&h->idle, on_idle);
	h->idle.repeat = IDLE_S;
	h->idle.data = h->soon.data = h;
}

void
hub_free(struct hub *h)
{
	if (h->loop == NULL)
		return;
	ev_timer_stop(h->loop, &h->idle);
	ev_timer_stop(h->loop, &h->soon);
	live_free(&h->live);
	redis_close(&h->cmd);
	entries_free(&h->entries);
	topics_free(&h->topics);
}

bool
hub_is_up(const struct hub *h)
{
	return h->state == HUB_UP;
}
