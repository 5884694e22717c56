#include "app/topic.h"

#include <stdlib.h>

enum { KEY_MAX = 4096 };

/* A walk over the members; topic_leave moves it past one that leaves. */
struct topic_walk {
	struct member *next;
	struct topic_walk *outer;
};

struct topic *
topics_find(const struct topics *ts, struct str channel)
{
	struct topic *t = ts->first;

	while (t != NULL && !str_eq(buf_str(&t->channel), channel))
		t = t->next;
	return t;
}

static void
free_topic(struct topic *t)
{
	buf_free(&t->channel);
	buf_free(&t->key);
	free(t);
}

struct topic *
topics_make(struct topics *ts, struct hub *h, struct str channel)
{
	struct topic *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->hub = h;
	t->list = ts;
	t->holds = 1;
	buf_init(&t->channel, KEY_MAX);
	buf_init(&t->key, KEY_MAX);
	buf_adds(&t->channel, channel);
	buf_adds(&t->key, ts->prefix);
	buf_adds(&t->key, channel);
	if (t->channel.failed || t->key.failed) {
		free_topic(t);
		return NULL;
	}
	/* At the end: the order of the blocked read must not change. */
	t->prev = ts->last;
	if (ts->last != NULL)
		ts->last->next = t;
	else
		ts->first = t;
	ts->last = t;
	return t;
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

void
topic_hold(struct topic *t)
{
	t->holds++;
}

void
topic_release(struct topic *t)
{
	struct topics *ts = t->list;

	if (--t->holds > 0 || t->members != NULL || t->reading || t->asked)
		return;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		ts->first = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	else
		ts->last = t->prev;
	free_topic(t);
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

void
topic_enter(struct topic *t, struct member *m, bool live)
{
	m->topic = t;
	m->live = live;
	m->ask = NULL;
	m->prev = NULL;
	m->next = t->members;
	if (m->next != NULL)
		m->next->prev = m;
	t->members = m;
	t->nlive += live;
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
	t->nlive -= m->live;
	m->topic = NULL;
	topic_hold(t);
	topic_release(t);
}
