#include "app/topic.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 5000, NAME = 64 };

static struct topic *made[MANY];

/* ---- Topics ---- */

static struct str
name(char out[NAME], size_t i)
{
	int n = snprintf(out, NAME, "room-%zx", i * 2654435761u);

	return str_n(out, (size_t)n);
}

static struct topics
begin(const char *prefix)
{
	struct topics ts;

	memset(&ts, 0, sizeof(ts));
	ts.prefix = str_c(prefix);
	return ts;
}

static void
make_many(struct topics *ts, size_t n)
{
	char text[NAME];

	for (size_t i = 0; i < n; i++)
		made[i] = topics_make(ts, name(text, i));
}

static void
drop_many(struct topics *ts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (made[i] != NULL)
			topic_release(made[i]);
	memset(made, 0, sizeof(made));
	is_int((long long)ts->n, 0, "all are gone");
	ok(ts->first == NULL, "and not in the list");
	topics_free(ts);
}

/* Is each of the first n found just if it is there? */
static size_t
badly_found(const struct topics *ts, size_t n)
{
	char text[NAME], key[2 * NAME];
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct str channel = name(text, i);
		int nkey = snprintf(key, sizeof(key), "%.*s%s",
		    (int)ts->prefix.n, ts->prefix.p, text);
		struct str k = str_n(key, (size_t)nkey);

		bad += topics_find(ts, channel) != made[i];
		bad += topics_find_key(ts, k) != made[i];
		bad += made[i] != NULL &&
		    (!str_eq(made[i]->channel, channel) ||
			!str_eq(made[i]->key, k));
	}
	return bad;
}

static void
found(const char *prefix)
{
	struct topics ts = begin(prefix);

	ok(topics_find(&ts, STR("x")) == NULL, "none, with `%s`", prefix);
	ok(topics_find_key(&ts, STR("chat:x")) == NULL, "not by key, either");
	for (size_t n = 0; n < 100; n++) {
		char text[NAME];
		made[n] = topics_make(&ts, name(text, n));
		if (badly_found(&ts, 100) != 0)
			break;
	}
	ok(made[99] != NULL, "found as they come");
	for (size_t i = 0; i < 100; i++)
		topic_release(made[i]);
	make_many(&ts, MANY);
	is_int((long long)ts.n, MANY, "many");
	ok(ts.nrows >= ts.n / 2, "the table has grown");
	is_int((long long)badly_found(&ts, MANY), 0, "each is found");
	for (size_t i = 0; i < MANY; i += 3) {
		topic_release(made[i]);
		made[i] = NULL;
	}
	is_int((long long)badly_found(&ts, MANY), 0, "but not those dropped");
	is_int((long long)ts.n, MANY - (MANY + 2) / 3, "they are counted");
	drop_many(&ts, MANY);
}

static void
keys(void)
{
	struct topics ts = begin("chat:");
	struct topic *a = topics_make(&ts, STR("a"));
	struct topic *none = topics_make(&ts, STR(""));
	struct topic *nul = topics_make(&ts, STR("a\0b"));
	struct topic *twice = topics_make(&ts, STR("chat:a"));

	ok(topics_find_key(&ts, STR("chat:a")) == a, "a key");
	ok(topics_find_key(&ts, STR("chat:chat:a")) == twice,
	    "one prefix of two");
	ok(topics_find_key(&ts, STR("chat:")) == none, "the prefix alone");
	ok(topics_find_key(&ts, STR("chat:a\0b")) == nul, "with NUL");
	ok(topics_find_key(&ts, STR("a")) == NULL, "without prefix");
	ok(topics_find_key(&ts, STR("CHAT:a")) == NULL, "with another");
	ok(topics_find_key(&ts, STR("chat")) == NULL, "with a part of it");
	ok(topics_find_key(&ts, STR("")) == NULL, "no key");
	ok(topics_find(&ts, STR("a\0c")) == NULL, "NUL does not end a name");
	ok(topics_find(&ts, str_c(NULL)) != a, "absent is not `a`");
	topic_release(a);
	ok(topics_find(&ts, STR("a")) == NULL, "it is gone");
	topic_release(none);
	topic_release(nul);
	topic_release(twice);
	topics_free(&ts);
	topics_free(&ts);
}

/* The same room again and again; the list may hold it at any place. */
static void
any_order(void)
{
	struct topics ts = begin("p:");
	char text[NAME];
	size_t n = 0, bad = 0;

	for (size_t i = 0; i < 200000; i++) {
		size_t k = (size_t)rand() % 300;

		if (made[k] == NULL) {
			made[k] = topics_make(&ts, name(text, k));
			n++;
		} else {
			topic_release(made[k]);
			made[k] = NULL;
			n--;
		}
		bad += ts.n != n || topics_find(&ts, name(text, k)) != made[k];
		if (i % 5000 == 0)
			bad += badly_found(&ts, 300);
	}
	is_int((long long)bad, 0, "made and dropped in any order");
	drop_many(&ts, 300);
}

static void
held(void)
{
	struct topics ts = begin("");
	struct topic *t = topics_make(&ts, STR("a"));

	topic_hold(t);
	topic_release(t);
	ok(topics_find(&ts, STR("a")) == t, "it is still held");
	t->reading = true;
	topic_release(t);
	ok(topics_find(&ts, STR("a")) == t, "a reply refers to it");
	t->reading = false;
	topic_hold(t);
	topic_release(t);
	ok(topics_find(&ts, STR("a")) == NULL, "nothing does any more");
	topics_free(&ts);
}

/* ---- A walk over topics ---- */

/* What the walk does at each topic. */
enum deed { NOTHING, DROP_SELF, DROP_NEXT, DROP_PREV, DROP_ALL, MAKE };

struct walk {
	struct topics *ts;
	enum deed deed;
	size_t *seen; /* a count for each of made[] */
};

static size_t
index_of(const struct topic *t)
{
	size_t i = 0;

	while (i < MANY && made[i] != t)
		i++;
	return i;
}

static void
drop(struct topic *t)
{
	if (t == NULL)
		return;
	made[index_of(t)] = NULL;
	topic_release(t);
}

static void
visit(struct topic *t, const void *arg)
{
	const struct walk *w = arg;
	size_t i = index_of(t);
	char text[NAME];

	if (i == MANY) /* made meanwhile */
		return;
	w->seen[i]++;
	if (w->deed == DROP_SELF)
		drop(t);
	else if (w->deed == DROP_NEXT)
		drop(t->next);
	else if (w->deed == DROP_PREV)
		drop(t->prev);
	else if (w->deed == MAKE && w->ts->n < 2 * 100)
		made[w->ts->n] = topics_make(w->ts, name(text, w->ts->n));
	for (size_t k = 0; w->deed == DROP_ALL && k < 100; k++)
		drop(made[k]);
}

/* Each is seen once, unless it was dropped before. */
static void
walked(enum deed deed, size_t nseen, size_t nleft, const char *what)
{
	static size_t seen[MANY];
	struct topics ts = begin("p:");
	struct walk w = {&ts, deed, seen};
	size_t n = 0, most = 0;

	memset(seen, 0, sizeof(seen));
	make_many(&ts, 100);
	topics_each(&ts, visit, &w);
	for (size_t i = 0; i < 100; i++) {
		n += seen[i];
		most = seen[i] > most ? seen[i] : most;
	}
	is_int((long long)n, (long long)nseen, what);
	is_int((long long)most, 1, "none twice");
	is_int((long long)ts.n, (long long)nleft, "and these are left");
	is_int((long long)badly_found(&ts, 200), 0, "and found");
	drop_many(&ts, MANY);
}

static void
walks(void)
{
	struct topics ts = begin("");

	topics_each(&ts, visit, NULL);
	walked(NOTHING, 100, 100, "a walk over all");
	walked(DROP_SELF, 100, 0, "each is dropped when it is seen");
	walked(DROP_NEXT, 50, 50, "each drops the next");
	walked(DROP_PREV, 100, 1, "each drops the one before");
	walked(DROP_ALL, 1, 0, "the first drops all");
	walked(MAKE, 100, 200, "others are made meanwhile");
}

/* ---- Members ---- */

enum { CROWD = 50 };

static struct member crowd[CROWD];
static size_t seen[CROWD];
static bool is_in[CROWD];

static void
enter_crowd(struct topic *t)
{
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < CROWD; i++) {
		topic_enter(t, &crowd[i], false);
		is_in[i] = true;
	}
}

static void
go(struct member *m)
{
	if (m == NULL || !is_in[m - crowd])
		return;
	is_in[m - crowd] = false;
	topic_leave(m);
}

static void
look(struct member *m, const void *arg)
{
	const enum deed *deed = arg;

	seen[m - crowd]++;
	if (*deed == DROP_SELF)
		go(m);
	else if (*deed == DROP_NEXT)
		go(m->next);
	else if (*deed == DROP_PREV)
		go(m->prev);
	for (size_t i = 0; *deed == DROP_ALL && i < CROWD; i++)
		go(&crowd[i]);
}

static size_t
total(void)
{
	size_t n = 0;

	for (size_t i = 0; i < CROWD; i++)
		n += seen[i] == 1 ? 1 : seen[i] * 1000;
	return n;
}

static void
members(enum deed deed, size_t nseen, size_t nleft, const char *what)
{
	struct topics ts = begin("p:");
	struct topic *t = topics_make(&ts, STR("a"));

	enter_crowd(t);
	topic_each_member(t, look, &deed);
	is_int((long long)total(), (long long)nseen, what);
	is_int((long long)t->nmembers, (long long)nleft, "these are left");
	ok(t->walks == NULL, "the walk is over");
	for (size_t i = 0; i < CROWD; i++)
		go(&crowd[i]);
	is_int((long long)ts.n, 1, "the topic is held");
	topic_release(t);
	is_int((long long)ts.n, 0, "until it is released");
	topics_free(&ts);
}

/* The last member takes its topic along, also from within a walk. */
static void
last_leaves(void)
{
	struct topics ts = begin("p:");
	struct topic *t = topics_make(&ts, STR("a"));
	enum deed deed = DROP_SELF;

	topic_enter(t, &crowd[0], true);
	topic_release(t);
	is_int((long long)ts.n, 1, "a topic with a member stays");
	topic_leave(&crowd[0]);
	is_int((long long)ts.n, 0, "and goes with it");
	ok(crowd[0].topic == NULL, "which knows that");
	t = topics_make(&ts, STR("a"));
	enter_crowd(t);
	topic_release(t);
	topic_each_member(t, look, &deed);
	is_int((long long)total(), CROWD, "all leave as they are walked");
	is_int((long long)ts.n, 0, "and the topic goes");
	topics_free(&ts);
}

/* Outer walk: from each member another walk, in which some leave. */
static void
look_within(struct member *m, const void *arg)
{
	size_t i = (size_t)(m - crowd);

	(void)arg;
	if (i % 5 == 3)
		go(m);
	else if (i % 5 == 4)
		go(&crowd[(i + 7) % CROWD]);
}

static void
look_around(struct member *m, const void *arg)
{
	struct topic *t = m->topic;

	seen[m - crowd] += 1;
	if (m - crowd == *(const int *)arg)
		topic_each_member(t, look_within, NULL);
}

static void
walks_within(void)
{
	size_t bad = 0;

	for (int at = 0; at < CROWD; at++) {
		struct topics ts = begin("p:");
		struct topic *t = topics_make(&ts, STR("a"));

		enter_crowd(t);
		topic_each_member(t, look_around, &at);
		/* In the order of their coming: those before it were seen. */
		for (int i = 0; i < CROWD; i++)
			bad += seen[i] != (is_in[i] || i <= at ? 1 : 0);
		for (size_t i = 0; i < CROWD; i++)
			go(&crowd[i]);
		topic_release(t);
		bad += ts.n != 0;
		topics_free(&ts);
	}
	is_int((long long)bad, 0, "walks within walks, while some leave");
}

static void
live(void)
{
	struct topics ts = begin("p:");
	struct topic *a = topics_make(&ts, STR("a"));
	struct topic *b = topics_make(&ts, STR("b"));

	topic_enter(a, &crowd[0], false);
	is_int((long long)ts.nlive, 0, "no member wants the live read");
	topic_enter(a, &crowd[1], true);
	topic_enter(a, &crowd[2], true);
	topic_enter(b, &crowd[3], true);
	is_int((long long)ts.nlive, 2, "those of two topics do");
	is_int((long long)a->nlive, 2, "two of the first");
	topic_leave(&crowd[1]);
	topic_leave(&crowd[0]);
	is_int((long long)ts.nlive, 2, "one of them is enough");
	topic_leave(&crowd[2]);
	is_int((long long)ts.nlive, 1, "none is not");
	topic_leave(&crowd[3]);
	is_int((long long)ts.nlive, 0, "all are gone");
	topic_release(a);
	topic_release(b);
	topics_free(&ts);
}

int
main(void)
{
	srand(1);
	found("chat:");
	found("");
	found("a much longer prefix, with a blank:");
	keys();
	any_order();
	held();
	walks();
	members(NOTHING, CROWD, CROWD, "members");
	members(DROP_SELF, CROWD, 0, "each leaves when it is seen");
	members(DROP_NEXT, CROWD / 2, CROWD / 2, "each sends the next away");
	members(DROP_PREV, CROWD, 1, "each sends the one before away");
	members(DROP_ALL, 1, 0, "the first sends all away");
	last_leaves();
	walks_within();
	live();
	return done();
}
