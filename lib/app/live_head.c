/* The part of app/live that knows the heads of its topics. */
#include "app/live_impl.h"

#include "base/num.h"

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

/*
 * The cursors are looked at again when the read goes on, not before: until then
 * more can be lost.
 */
void
live_lose_head(struct topic *t, const void *arg)
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
live_learn(struct topic *t, struct id last)
{
	if (t->head.known || t->lost)
		return;
	/* What comes between this answer and ours will not be said. */
	t->again |= t->asked;
	set_head(t, last);
}

void
live_rewind(struct topic *t)
{
	struct live *l = t->list->live;

	live_lose_head(t, NULL);
	l->stale = true;
	if (l->changes.on)
		live_make_due(l, t);
	live_step(l);
	live_unblock(l);
}

/* What this connection says, holds for the read that follows on it. */
static void
learn(struct topic *t, struct id last)
{
	t->lost |= t->head.known && id_cmp(last, t->head.id) < 0;
	if (!t->head.known || t->lost)
		set_head(t, last);
}

/* ---- Counts ---- */

static void
count(struct topic *t, const struct gap_facts *f)
{
	t->length = f->length;
	t->since = 0;
	t->counted = f->has_added ? f->last : ID_MIN;
	t->added = f->added;
	t->max_deleted = f->max_deleted;
}

/*
 * n entries are handed out, which are behind the head, and up to this id. Are
 * the numbers still good?
 */
static bool
count_on(struct topic *t, uint64_t n, struct id last)
{
	bool none = id_eq(t->counted, ID_MIN);
	bool good = none || id_eq(t->counted, t->head.id);

	if (good && !none) {
		t->added += n;
		t->counted = last;
	}
	t->since += n;
	return good && t->since <= t->length / 2;
}

/* Entries that were deleted before we saw them would not have been counted. */
uint64_t
live_ordinal(const struct topic *t, struct id id, const struct gap_facts *facts)
{
	bool counted = id_eq(t->counted, id) && !id_eq(id, ID_MIN);

	return counted && id_eq(t->max_deleted, facts->max_deleted) ? t->added
								    : 0;
}

/* ---- Trouble ---- */

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

void
live_say_trouble(struct topic *t, const struct redis_reply *r)
{
	char why[REDIS_WHY];

	topic_each_member(t, tell_trouble,
	    &(struct trouble){redis_trouble(r), redis_why(why, r)});
}

/* ---- Asking ---- */

/* The answer to what was asked: what waited for it may be done. */
static void
answered(struct topic *t, bool *what, const struct redis_reply *r)
{
	struct live *l = t->list->live;

	*what = false;
	l->asking--;
	if (t->again && l->changes.on)
		live_make_due(l, t);
	t->again = false;
	if (redis_trouble(r) == REDIS_DOWN)
		redis_restart(&l->read, "not ready");
}

static void
on_head(void *arg, const struct redis_reply *r)
{
	struct topic *t = arg;
	struct live *l = t->list->live;
	struct gap_facts facts;

	topic_hold(t);
	answered(t, &t->asked, r);
	if (entry_info(&facts, r) == 0) {
		learn(t, facts.last);
		count(t, &facts);
	} else if (entry_is_missing(r)) {
		learn(t, ID_MIN);
		count(t, &(struct gap_facts){0});
	} else if (r != NULL && redis_trouble(r) != REDIS_DOWN) {
		live_say_trouble(t, r);
	}
	topic_release(t);
	live_step(l);
}

void
live_ask_head(struct topic *t)
{
	struct live *l = t->list->live;
	struct str argv[] = {STR("XINFO"), STR("STREAM"), t->key};

	if (t->nlive == 0 || t->asked)
		return;
	if (redis_send(&l->read, on_head, t, 0, 3, argv) != 0)
		return;
	t->asked = true;
	l->asking++;
}

/* ---- What a read brings ---- */

static void
hand_to(struct member *m, const void *arg)
{
	const struct entries *e = arg;

	if (m->live)
		m->events->entries(m, entries_msgs(e), e->n);
}

static void
hand_out(struct topic *t)
{
	struct live *l = t->list->live;
	struct entries *e = l->entries;
	struct id last = entries_msgs(e)[e->n - 1].id;
	bool counted = count_on(t, e->n, last);

	t->head.known = true;
	t->head.id = last;
	/* Lost: they are yet to be told that the stream was rewound. */
	if (t->lost || !counted)
		live_ask_head(t);
	/* There may be more, of which nothing will be said. */
	if (l->changes.on && e->n >= l->asked)
		live_make_due(l, t);
	topic_each_member(t, hand_to, e);
	stats_live(l->stats, entries_msgs(e), e->n, ev_time());
}

/*
 * In one transaction: how the stream is, and what stands behind the head. Did
 * trimming overtake us, the members look at their cursors, and tell of it.
 */
static void
judge(struct topic *t, const struct redis_reply *info,
    const struct redis_reply *list)
{
	struct live *l = t->list->live;
	struct gap_facts facts = {0};
	struct gap gap;

	if (entry_info(&facts, info) != 0 && !entry_is_missing(info)) {
		live_say_trouble(t, info);
		return;
	}
	/* The head was part of it, even if its entry has been deleted. */
	facts.cursor_exists = true;
	gap =
	    gap_check(&facts, t->head.id, live_ordinal(t, t->head.id, &facts));
	if (gap.reason != GAP_NONE) {
		t->lost = true;
		set_head(t, facts.last);
		return;
	}
	if (entries_read(l->entries, list, t->channel, l->field) == 0 &&
	    l->entries->n > 0)
		hand_out(t);
	count(t, &facts);
}

static void
on_careful(void *arg, const struct redis_reply *r)
{
	struct topic *t = arg;
	struct live *l = t->list->live;

	topic_hold(t);
	answered(t, &t->careful, r);
	if (redis_len(r) == 2 && t->head.known)
		judge(t, redis_at(r, 0), redis_at(r, 1));
	else if (r != NULL && redis_trouble(r) != REDIS_FINE &&
	    redis_trouble(r) != REDIS_DOWN)
		live_say_trouble(t, r);
	topic_release(t);
	live_step(l);
}

static void
ignore(void *arg, const struct redis_reply *r)
{
	(void)arg;
	(void)r;
}

/* XRANGE behind the head: other than XREAD it answers with a list. */
static void
read_carefully(struct topic *t)
{
	struct live *l = t->list->live;
	char after[ID_TEXT + 1] = "(", n[NUM_TEXT];
	size_t after_n = 1 + id_format(after + 1, t->head.id);
	struct str argv[] = {STR("XRANGE"), t->key, str_n(after, after_n),
	    STR("+"), STR("COUNT"), str_n(n, num_format(n, l->count))};

	(void)redis_sendz(&l->read, ignore, NULL, "MULTI");
	(void)redis_send(&l->read, ignore, NULL, 0, 3,
	    (struct str[]){STR("XINFO"), STR("STREAM"), t->key});
	(void)redis_send(&l->read, ignore, NULL, 0, 6, argv);
	if (redis_sendz(&l->read, on_careful, t, "EXEC") != 0)
		return;
	t->careful = true;
	l->asking++;
}

/*
 * What comes behind the head may not be what follows it: more may have been
 * added and trimmed than the stream keeps. That takes a good part of what it
 * keeps to come at once.
 */
static bool
is_suspect(const struct topic *t)
{
	const struct live *l = t->list->live;
	size_t n = l->entries->n;

	return !t->lost && (n >= l->asked || 2 * n > t->length);
}

int
live_take(struct topic *t, const struct redis_reply *list)
{
	struct live *l = t->list->live;

	if (entries_read(l->entries, list, t->channel, l->field) != 0 ||
	    l->entries->n == 0)
		return -1;
	if (is_suspect(t))
		read_carefully(t);
	else
		hand_out(t);
	return 0;
}
