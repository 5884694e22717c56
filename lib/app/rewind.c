#include "app/rewind.h"

#include "base/num.h"

#include <stddef.h>
#include <string.h>

static void run(struct rewind *w);

static struct rewind *
rewind_of(struct member *m)
{
	return (struct rewind *)(void *)((char *)m -
	    offsetof(struct rewind, member));
}

static void
fail(struct rewind *w, enum redis_trouble trouble, const char *why)
{
	rewind_stop(w);
	w->events->failed(w->arg, trouble, why);
}

static void
take(struct rewind *w, const struct entries *e)
{
	size_t n = e->n < w->left ? e->n : (size_t)w->left;
	int verdict = 0;

	w->count = entries_next_count(e, w->count, w->hub->conf->batch);
	w->left -= n;
	if (e->n < w->asked)
		w->left = 0;
	if (n > 0) {
		struct id id = entries_msgs(e)[n - 1].id;
		if (id_cmp(id, w->oldest) <= 0)
			w->left = 0;
		w->newest = id_prev(id);
		verdict = w->events->messages(w->arg, entries_msgs(e), n);
	}
	if (verdict < 0)
		rewind_stop(w);
	w->paused = verdict > 0;
	run(w);
}

static void
on_page(struct member *m, const struct redis_reply *r)
{
	struct rewind *w = rewind_of(m);
	struct entries *e = &w->hub->entries;
	char why[REDIS_WHY];

	if (r == NULL)
		run(w);
	else if (redis_type(r) == REDIS_ARRAY &&
	    entries_read(e, r, m->topic->channel, w->hub->conf->field) == 0)
		take(w, e);
	else if (redis_type(r) == REDIS_ERROR)
		fail(w, redis_trouble(r), redis_why(why, r));
	else
		fail(w, REDIS_REFUSED, "unexpected reply");
}

static void
ask_page(struct rewind *w)
{
	char from[ID_TEXT], to[ID_TEXT], n[NUM_TEXT];
	struct str argv[] = {STR("XREVRANGE"), w->member.topic->key,
	    str_n(from, id_format(from, w->newest)),
	    str_n(to, id_format(to, w->oldest)), STR("COUNT"), STR("")};

	w->asked = w->count < w->left ? w->count : w->left;
	argv[5] = str_n(n, num_format(n, w->asked));
	hub_ask(w->hub, &w->member, on_page, 6, argv);
}

static void
run(struct rewind *w)
{
	if (w->stopped || w->paused || w->member.ask != NULL)
		return;
	if (w->left > 0) {
		if (hub_turn(w->hub, &w->member))
			ask_page(w);
		return;
	}
	rewind_stop(w);
	w->events->ended(w->arg);
}

static void
on_entries(struct member *m, const struct msg *msgs, size_t n)
{
	(void)m;
	(void)msgs;
	(void)n;
}

static void
on_look(struct member *m)
{
	run(rewind_of(m));
}

static void
on_unsure(struct member *m)
{
	(void)m;
}

static void
on_trouble(struct member *m, enum redis_trouble trouble, const char *why)
{
	fail(rewind_of(m), trouble, why);
}

static void
bound(struct rewind *w, struct feed_start start)
{
	w->left = UINT64_MAX;
	w->oldest = ID_MIN;
	if (start.from == FEED_LAST)
		w->left = start.n;
	else if (start.from == FEED_END)
		w->left = 0;
	else if (start.from == FEED_SINCE)
		w->oldest = start.id;
	else if (start.from == FEED_AFTER)
		w->oldest = id_next(start.id);
}

int
rewind_start(struct rewind *w, struct hub *h, struct str channel,
    struct feed_start start, struct id until, const struct feed_events *events,
    void *arg)
{
	static const struct member_events member_events = {
	    on_entries, on_look, on_unsure, on_trouble};

	memset(w, 0, sizeof(*w));
	w->member.events = &member_events;
	w->hub = h;
	w->events = events;
	w->arg = arg;
	w->newest = until;
	w->count = entries_first_count(h->conf->batch);
	bound(w, start);
	return hub_join(h, &w->member, channel, false);
}

void
rewind_stop(struct rewind *w)
{
	if (w->hub == NULL || w->stopped)
		return;
	w->stopped = true;
	hub_leave(&w->member);
}

void
rewind_drained(struct rewind *w)
{
	w->paused = false;
	run(w);
}
