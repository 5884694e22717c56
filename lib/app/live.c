#include "app/live_impl.h"

#include "base/num.h"

#include <string.h>

enum {
	/* Also how soon a stream made anew with older ids is noticed. */
	BLOCK_MS = 15000,
	/* Where CLIENT UNBLOCK is not to be had. */
	BLOCK_SHORT_MS = 1000,
	/* Topics from which on those that changed are read. */
	MANY = 64,
	/* Topics in one read of those. */
	READ_MAX = 1000,
	ARGS_MAX = 16 << 20,
	/* Entries of each topic in a read of many. */
	ASKED_MIN = 16,
	/* Reads that may bring nothing, one after the other. */
	FRUITLESS = 8,
};

/* After a long read: about four times what it has cost, for each topic. */
#define PAUSE_S 4e-6

/* Before CLIENT UNBLOCK is sent again. */
#define UNBLOCK_S 0.01

/* ---- Topics to be read ---- */

void
live_make_due(struct live *l, struct topic *t)
{
	if (t->due)
		return;
	t->due = true;
	t->next_due = NULL;
	*l->due_end = t;
	l->due_end = &t->next_due;
}

static struct topic *
take_due(struct live *l)
{
	struct topic *t = l->due;

	if (t == NULL)
		return NULL;
	l->due = t->next_due;
	if (l->due == NULL)
		l->due_end = &l->due;
	t->due = false;
	return t;
}

static void
make_live_due(struct topic *t, const void *arg)
{
	(void)arg;
	if (t->nlive > 0)
		live_make_due(t->list->live, t);
}

/* ---- The reply to a read ---- */

static struct topic **
picked(const struct live *l)
{
	return (struct topic **)(void *)l->picked.p;
}

static size_t
npicked(const struct live *l)
{
	return l->picked.n / sizeof(struct topic *);
}

/*
 * A topic that was said to have changed, and brings nothing, may be another
 * stream than before; as may any after a read that has brought nothing for
 * long.
 */
static bool
look_closer(struct live *l, bool nothing)
{
	double since = ev_now(l->loop) - l->looked;

	if (l->changes.on)
		return true;
	if (!nothing ||
	    (l->unblocking && since >= 0. && since < BLOCK_MS / 1000.))
		return false;
	l->looked = ev_now(l->loop);
	return true;
}

/* Streams come in the order in which they were asked for. */
static void
hand_out_all(struct live *l, const struct redis_reply *r)
{
	bool nothing = redis_type(r) == REDIS_NIL;
	bool closer = look_closer(l, nothing);
	uint64_t next = l->count;
	size_t at = 0;

	for (size_t i = 0; i < npicked(l); i++) {
		struct topic *t = picked(l)[i];
		const struct redis_reply *stream = redis_at(r, at);
		if (!str_eq(redis_text(redis_at(stream, 0)), t->key)) {
			if (closer)
				live_ask_head(t);
			continue;
		}
		at++;
		if (live_take(t, redis_at(stream, 1)) != 0) {
			redis_restart(&l->read, "unexpected reply");
			return;
		}
		next = entries_next_count(l->entries, l->count, l->most);
	}
	l->count = next;
	l->fruitless = nothing ? l->fruitless + 1 : 0;
	l->doubt = false;
}

/*
 * Which of them is it? XINFO tells; unless it is XREAD itself that is not
 * allowed, as it is when all of them may be asked for.
 */
static void
find_trouble(struct live *l, const struct redis_reply *r)
{
	enum redis_trouble trouble = redis_trouble(r);
	bool one = trouble == REDIS_WRONGTYPE ||
	    (trouble == REDIS_DENIED && !l->doubt);

	l->doubt = true;
	for (size_t i = 0; i < npicked(l); i++) {
		struct topic *t = picked(l)[i];
		t->again = one;
		if (one)
			live_ask_head(t);
		else
			live_say_trouble(t, r);
	}
}

static void
end_reading(struct live *l)
{
	for (size_t i = 0; i < npicked(l); i++) {
		struct topic *t = picked(l)[i];
		topic_hold(t);
		t->reading = false;
		topic_release(t);
	}
	buf_shrink(&l->picked, READ_MAX * sizeof(struct topic *));
	l->stale = l->unblocking = false;
}

static void
on_xread(void *arg, const struct redis_reply *r)
{
	struct live *l = arg;

	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&l->read, "not ready");
	else if (redis_type(r) == REDIS_ERROR)
		find_trouble(l, r);
	else if (r != NULL)
		hand_out_all(l, r);
	end_reading(l);
	live_step(l);
}

/* ---- The next read ---- */

static void
pick(struct live *l, struct topic *t)
{
	if (buf_add(&l->picked, &t, sizeof(struct topic *)) == 0)
		t->reading = true;
}

static void
pick_known(struct topic *t, const void *arg)
{
	(void)arg;
	if (t->nlive > 0 && t->head.known)
		pick(t->list->live, t);
}

static void
ask_unknown_head(struct topic *t, const void *arg)
{
	(void)arg;
	if (!t->head.known)
		live_ask_head(t);
}

/* All topics, once all their heads are known. */
static void
pick_all(struct live *l)
{
	topics_each(l->topics, ask_unknown_head, NULL);
	if (l->asking == 0)
		topics_each(l->topics, pick_known, NULL);
}

/*
 * Those that changed. A head that is asked for is read from once it is known:
 * what changes until then is said because XINFO has read the key.
 */
static void
pick_due(struct live *l)
{
	struct topic *t;

	while (npicked(l) < READ_MAX && (t = take_due(l)) != NULL) {
		topic_hold(t);
		if (t->careful) {
			t->again = true;
		} else if (t->head.known && t->nlive > 0) {
			pick(l, t);
		} else if (t->nlive > 0) {
			t->again |= t->asked;
			live_ask_head(t);
		}
		topic_release(t);
	}
}

static struct str
next_id(struct live *l, const struct topic *t)
{
	char *p = buf_room(&l->ids, ID_TEXT);
	size_t n = id_format(p, t->head.id);

	buf_used(&l->ids, n);
	return str_n(p, n);
}

/* XREAD COUNT count [BLOCK ms] STREAMS key... id... */
static int
send_xread(struct live *l)
{
	char count[NUM_TEXT], block[NUM_TEXT];
	size_t n = npicked(l), i = 0;
	struct str *argv;

	l->asked = l->count / n + ASKED_MIN;
	buf_clear(&l->args);
	buf_clear(&l->ids);
	argv = (struct str *)(void *)buf_room(
	    &l->args, (6 + 2 * n) * sizeof(*argv));
	/* What is in it must not move. */
	if (argv == NULL || buf_room(&l->ids, n * ID_TEXT) == NULL)
		return -1;
	argv[i++] = STR("XREAD");
	argv[i++] = STR("COUNT");
	argv[i++] = str_n(count, num_format(count, l->asked));
	if (l->block_ms > 0) {
		argv[i++] = STR("BLOCK");
		argv[i++] =
		    str_n(block, num_format(block, (uint64_t)l->block_ms));
	}
	argv[i++] = STR("STREAMS");
	for (size_t k = 0; k < n; k++, i++) {
		argv[i] = picked(l)[k]->key;
		argv[i + n] = next_id(l, picked(l)[k]);
	}
	return redis_send(&l->read, on_xread, l, l->block_ms, i + n, argv);
}

static void
set_timer(struct live *l, struct ev_timer *w, double seconds)
{
	ev_timer_stop(l->loop, w);
	ev_timer_set(w, seconds, 0.);
	ev_timer_start(l->loop, w);
}

/*
 * How long to wait after this read. Where Redis remembers too few keys it says
 * of those that it forgets that they have changed: reading them makes it forget
 * others.
 */
static double
pause_after(const struct live *l)
{
	size_t n = l->topics->nlive;
	unsigned more = l->fruitless - FRUITLESS;

	if (!l->changes.on)
		return n > MANY ? PAUSE_S * (double)n : 0.;
	if (l->fruitless <= FRUITLESS)
		return 0.;
	return more < 10 ? 1e-3 * (double)(1u << more) : 1.;
}

/* Out of memory. */
static void
pick_again(struct live *l)
{
	for (size_t i = 0; i < npicked(l) && l->changes.on; i++)
		live_make_due(l, picked(l)[i]);
	l->not_before = ev_now(l->loop) + 1.;
	set_timer(l, &l->pause, 1.);
}

static bool
must_pause(struct live *l)
{
	double wait = l->not_before - ev_now(l->loop);

	if (wait <= 0. || wait > 1.)
		return false;
	set_timer(l, &l->pause, wait);
	return true;
}

/* Go on as far as can be. */
void
live_step(struct live *l)
{
	bool can_unblock = l->read.client_id != 0 && !l->no_unblock;

	if (l->read.state != REDIS_READY || npicked(l) > 0)
		return;
	if (l->topics->nlive > MANY)
		changes_want(&l->changes);
	if (must_pause(l))
		return;
	if (l->changes.on) {
		l->block_ms = 0;
		pick_due(l);
	} else {
		l->block_ms = can_unblock ? BLOCK_MS : BLOCK_SHORT_MS;
		pick_all(l);
	}
	if (npicked(l) == 0)
		return;
	l->not_before = ev_now(l->loop) + pause_after(l);
	if (send_xread(l) != 0) {
		pick_again(l);
		end_reading(l);
	}
}

static void
on_pause_over(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	live_step(w->data);
}

/* ---- A topic more while the read is blocked ---- */

void
live_unblock(struct live *l)
{
	if (!l->stale || npicked(l) == 0 || l->block_ms == 0 || l->no_unblock ||
	    l->read.client_id == 0)
		return;
	if (l->events->unblock(l->arg, l->read.client_id) != 0)
		return;
	l->stale = false;
	l->unblocking = true;
}

/* At once, it could be so again and again. */
void
live_not_unblocked(struct live *l)
{
	if (!l->unblocking)
		return;
	l->stale = true;
	set_timer(l, &l->unblock, UNBLOCK_S);
}

static void
on_unblock(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	live_unblock(w->data);
}

void
live_cannot_unblock(struct live *l)
{
	l->no_unblock = true;
}

void
live_join(struct topic *t)
{
	struct live *l = t->list->live;

	redis_open(&l->read);
	/* Nobody has followed it meanwhile. */
	if (t->nlive == 1)
		t->head.known = t->lost = false;
	l->stale |= !t->reading || !t->head.known;
	if (l->changes.on && !t->head.known)
		live_make_due(l, t);
	live_step(l);
	live_unblock(l);
}

/* ---- What changed ---- */

/* Until now nothing was said. */
static void
changes_on(void *arg)
{
	struct live *l = arg;

	l->fruitless = 0;
	topics_each(l->topics, make_live_due, NULL);
	live_step(l);
}

static void
changed(void *arg, struct str key)
{
	struct live *l = arg;
	struct topic *t = topics_find_key(l->topics, key);

	if (key.p == NULL)
		topics_each(l->topics, make_live_due, NULL);
	else if (t != NULL)
		live_make_due(l, t);
}

static void
go_on(void *arg)
{
	live_step(arg);
}

static void
let_answer(void *arg)
{
	struct live *l = arg;

	l->stale = true;
	live_unblock(l);
}

/* ---- The connection ---- */

static void
read_ready(void *arg)
{
	struct live *l = arg;

	l->events->up(l->arg);
	live_step(l);
}

static void
read_lost(void *arg, const char *why)
{
	struct live *l = arg;

	changes_close(&l->changes);
	l->events->down(l->arg, why);
	topics_each(l->topics, live_lose_head, NULL);
}

static void
read_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct live *l = arg;

	l->events->failed(l->arg, trouble, why);
}

void
live_init(struct live *l, const struct redis_conf *redis)
{
	static const struct redis_events read_events = {
	    read_ready, read_lost, read_failed, NULL};
	static const struct changes_events changes_events = {
	    changes_on, go_on, changed, go_on, let_answer};

	l->topics->live = l;
	l->due_end = &l->due;
	l->count = entries_first_count(l->most);
	redis_init(&l->read, l->loop, redis, &read_events, l, true);
	changes_init(&l->changes, l->loop, redis, &l->read, &changes_events, l);
	buf_init(&l->picked, ARGS_MAX);
	buf_init(&l->args, ARGS_MAX);
	buf_init(&l->ids, ARGS_MAX);
	ev_init(&l->pause, on_pause_over);
	ev_init(&l->unblock, on_unblock);
	l->pause.data = l->unblock.data = l;
}

void
live_free(struct live *l)
{
	ev_timer_stop(l->loop, &l->pause);
	ev_timer_stop(l->loop, &l->unblock);
	redis_close(&l->read);
	changes_close(&l->changes);
	buf_free(&l->picked);
	buf_free(&l->args);
	buf_free(&l->ids);
}
