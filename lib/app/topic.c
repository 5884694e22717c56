#include "app/topic.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MIN = 16 };

/* A walk over the members; topic_leave moves it past one that leaves. */
struct topic_walk {
	struct member *next;
	struct topic_walk *outer;
};

/* ---- The table of topics ---- */

static struct topic **
row_of(const struct topics *ts, struct str channel)
{
	return &ts->rows[str_hash(channel) & (ts->nrows - 1)];
}

struct topic *
topics_find(const struct topics *ts, struct str channel)
{
	struct topic *t = ts->n > 0 ? *row_of(ts, channel) : NULL;

	while (t != NULL && !str_eq(t->channel, channel))
		t = t->next_in_row;
	return t;
}

struct topic *
topics_find_key(const struct topics *ts, struct str key)
{
	if (!str_starts(key, ts->prefix))
		return NULL;
	return topics_find(ts, str_from(key, ts->prefix.n));
}

/* Rows stay few enough to be found in at once. */
static int
grow(struct topics *ts)
{
	size_t n = ts->nrows > 0 ? 2 * ts->nrows : ROWS_MIN;
	struct topic **rows;

	if (ts->n < ts->nrows)
		return 0;
	rows = calloc(n, sizeof(struct topic *));
	if (rows == NULL)
		return -1;
	free(ts->rows);
	ts->rows = rows;
	ts->nrows = n;
	for (struct topic *t = ts->first; t != NULL; t = t->next) {
		struct topic **row = row_of(ts, t->channel);
		t->next_in_row = *row;
		*row = t;
	}
	return 0;
}

static void
enter(struct topics *ts, struct topic *t)
{
	struct topic **row = row_of(ts, t->channel);

	t->next_in_row = *row;
	*row = t;
	t->next = ts->first;
	if (t->next != NULL)
		t->next->prev = t;
	ts->first = t;
	ts->n++;
}

static void
leave(struct topics *ts, struct topic *t)
{
	struct topic **at = row_of(ts, t->channel);

	while (*at != t)
		at = &(*at)->next_in_row;
	*at = t->next_in_row;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		ts->first = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	ts->n--;
}

struct topic *
topics_make(struct topics *ts, struct str channel)
{
	size_t n = ts->prefix.n + channel.n;
	struct topic *t;

	if (grow(ts) != 0 || (t = calloc(1, sizeof(*t) + n)) == NULL)
		return NULL;
	t->list = ts;
	t->holds = 1;
	if (ts->prefix.n > 0)
		memcpy(t->text, ts->prefix.p, ts->prefix.n);
	if (channel.n > 0)
		memcpy(t->text + ts->prefix.n, channel.p, channel.n);
	t->key = str_n(t->text, n);
	t->channel = str_from(t->key, ts->prefix.n);
	enter(ts, t);
	return t;
}

void
topics_free(struct topics *ts)
{
	free(ts->rows);
	ts->rows = NULL;
	ts->nrows = 0;
}

void
topics_each(struct topics *ts, void (*fn)(struct topic *t, const void *arg),
    const void *arg)
{
	struct topic *t = ts->first, *next;

	for (; t != NULL; t = next) {
		topic_hold(t);
		fn(t, arg);
		next = t->next;
		topic_release(t);
	}
}

/* ---- A topic and its members ---- */

void
topic_hold(struct topic *t)
{
	t->holds++;
}

void
topic_release(struct topic *t)
{
	if (--t->holds > 0 || t->members != NULL || t->reading || t->asked ||
	    t->careful || t->due)
		return;
	leave(t->list, t);
	free(t);
}

void
topic_each_member(struct topic *t,
    void (*fn)(struct member *m, const void *arg), const void *arg)
{
	struct topic_walk walk = {t->members, t->walks};

	topic_hold(t);
	t->walks = &walk;
	while (walk.next != NULL) {
		struct member *m = walk.next;
		walk.next = m->next;
		fn(m, arg);
	}
	t->walks = walk.outer;
	topic_release(t);
}

/* Its list counts the topics with members that want the live read. */
static void
count_live(struct topic *t, bool more)
{
	t->list->nlive -= t->nlive > 0;
	if (more)
		t->nlive++;
	else
		t->nlive--;
	t->list->nlive += t->nlive > 0;
}

void
topic_enter(struct topic *t, struct member *m, bool live)
{
	m->topic = t;
	m->live = live;
	m->ask = NULL;
	m->next = NULL;
	m->prev = t->last_member;
	if (m->prev != NULL)
		m->prev->next = m;
	else
		t->members = m;
	t->last_member = m;
	t->nmembers++;
	if (live)
		count_live(t, true);
}

void
topic_leave(struct member *m)
{
	struct topic *t = m->topic;

	for (struct topic_walk *w = t->walks; w != NULL; w = w->outer)
		if (w->next == m)
			w->next = m->next;
	if (m->prev != NULL)
		m->prev->next = m->next;
	else
		t->members = m->next;
	if (m->next != NULL)
		m->next->prev = m->prev;
	else
		t->last_member = m->prev;
	t->nmembers--;
	if (m->live)
		count_live(t, false);
	m->topic = NULL;
	topic_hold(t);
	topic_release(t);
}
