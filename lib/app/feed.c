#include "app/feed.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

/* Those who may take a page that another one has asked for. */
enum { SHARERS = 32 };

static const struct member_events member_events;

static void run(struct feed *f);

static struct feed *
feed_of(struct member *m)
{
	return (
	    struct feed *)(void *)((char *)m - offsetof(struct feed, member));
}

static void
fail(struct feed *f, enum redis_trouble trouble, const char *why)
{
	feed_stop(f);
	f->events->failed(f->arg, trouble, why);
}

/* An answer that is no answer: a refusal, or nonsense. */
static void
fail_reply(struct feed *f, const struct redis_reply *r)
{
	enum redis_trouble trouble = redis_trouble(r);
	char why[REDIS_WHY];

	fail(f, trouble == REDIS_FINE ? REDIS_REFUSED : trouble,
	    redis_why(why, r));
}

static struct str
key(const struct feed *f)
{
	return f->member.topic->key;
}

static struct str
channel(const struct feed *f)
{
	return f->member.topic->channel;
}

/* Who is not live reads history, or will once there is room or Redis. */
static void
set_behind(struct feed *f, bool behind)
{
	struct stats *stats = f->hub->conf->stats;

	if (f->behind == behind)
		return;
	f->behind = behind;
	if (behind) {
		stats->catchups++;
		stats->catching_up++;
	} else {
		stats->catching_up--;
	}
}

/* Entries a page. */
static uint64_t
most(const struct hub *h)
{
	return h->conf->batch < UINT32_MAX ? h->conf->batch : UINT32_MAX;
}

static void
count_history(struct hub *h, size_t n)
{
	h->conf->stats->received[STATS_HISTORY] += n;
}

/* ---- Where to start ---- */

struct feed_search {
	struct feed_start start;
	enum feed_end end;
	struct id until;
	uint64_t missing; /* FEED_LAST: entries still to be counted */
	struct id back;   /* counted down to here */
	bool informed;    /* the end at the start is known */
};

static void
end_search(struct feed *f)
{
	free(f->search);
	f->search = NULL;
}

static void
place(struct feed *f, struct id after, bool cursor)
{
	sub_init(&f->sub, after, cursor, f->search->until);
	end_search(f);
	f->events->started(f->arg, after);
	if (!f->stopped)
		run(f);
}

static void on_back(struct member *m, const struct redis_reply *r);

/* FEED_LAST: count entries down from the end. */
static void
count_back(struct feed *f)
{
	const struct feed_search *s = f->search;
	char from[ID_TEXT], n[NUM_TEXT];
	uint32_t count =
	    s->missing < f->count ? (uint32_t)s->missing : f->count;
	struct str argv[] = {STR("XREVRANGE"), key(f),
	    str_n(from, id_format(from, s->back)), STR("-"), STR("COUNT"),
	    str_n(n, num_format(n, count))};

	f->asked = count;
	hub_ask(f->hub, &f->member, on_back, 6, argv);
}

/*
 * What the start is to be after is the entry before the last n, or the very
 * beginning when there are not so many.
 */
static void
on_back(struct member *m, const struct redis_reply *r)
{
	struct feed *f = feed_of(m);
	size_t n = redis_len(r);
	struct id id;

	if (r == NULL)
		run(f);
	else if (redis_type(r) != REDIS_ARRAY ||
	    (n > 0 && entry_id(&id, redis_at(r, n - 1)) != 0))
		fail_reply(f, r);
	else if (n < f->asked)
		place(f, ID_MIN, false);
	else if ((f->search->missing -= n) == 0)
		place(f, id, true);
	else {
		f->search->back = id_prev(id);
		run(f);
	}
}

static void
place_with(struct feed *f, struct id last)
{
	struct feed_search *s = f->search;

	if (s->end == FEED_NOW && id_cmp(last, s->until) < 0)
		s->until = last;
	s->informed = true;
	if (s->start.from == FEED_LAST && s->start.n > 0) {
		s->missing = s->start.n + (s->start.n < UINT64_MAX);
		s->back = s->until;
		run(f);
	} else if (s->start.from == FEED_LAST || s->start.from == FEED_END) {
		place(f, last, true);
	} else {
		run(f);
	}
}

static void
on_info(struct member *m, const struct redis_reply *r)
{
	struct feed *f = feed_of(m);
	struct gap_facts facts;

	if (r == NULL) {
		run(f);
		return;
	}
	if (entry_is_missing(r))
		facts.last = ID_MIN;
	else if (entry_info(&facts, r) != 0) {
		fail_reply(f, r);
		return;
	}
	place_with(f, facts.last);
	if (!f->stopped)
		live_learn(f->member.topic, facts.last);
}

static bool
wants_info(const struct feed_search *s)
{
	return !s->informed &&
	    (s->end == FEED_NOW || s->start.from == FEED_END ||
		s->start.from == FEED_LAST);
}

static void
ask_start(struct feed *f)
{
	struct str argv[] = {STR("XINFO"), STR("STREAM"), key(f)};

	if (!hub_turn(f->hub, &f->member))
		return;
	if (!f->search->informed)
		hub_ask(f->hub, &f->member, on_info, 3, argv);
	else
		count_back(f);
}

/* What the live read goes on from is the end, too. */
static void
find_start(struct feed *f)
{
	const struct feed_search *s = f->search;
	struct sub_head head = f->member.topic->head;

	if (wants_info(s) && s->end == FEED_LIVE && head.known)
		place_with(f, head.id);
	else if (wants_info(s) || s->start.from == FEED_LAST)
		ask_start(f);
	else if (s->start.from == FEED_AFTER)
		place(f, s->start.id, true);
	else if (s->start.from == FEED_SINCE)
		place(f, id_prev(s->start.id), false);
	else
		place(f, ID_MIN, false);
}

/* ---- Messages ---- */

/* What a slow sink does not take would be read again and again. */
static void
ask_less(struct feed *f, const struct msg *m, size_t n)
{
	size_t taken = 0;

	if (!f->sub.paused)
		return;
	while (taken < n && id_cmp(m[taken].id, f->sub.last) <= 0)
		taken++;
	if (f->count > 2 * taken)
		f->count = 2 * (uint32_t)taken + 1;
}

/* Those that pass the gate; ids ascend, so they stand together. */
static size_t
passing(struct sub *s, const struct msg **m, size_t n)
{
	size_t from = 0, to;

	if (sub_pass_all(s, (*m)[0].id, (*m)[n - 1].id))
		return n;
	while (from < n && !sub_pass(s, (*m)[from].id))
		from++;
	for (to = from; to < n && (to == from || sub_pass(s, (*m)[to].id));)
		to++;
	*m += from;
	return to - from;
}

static void
deliver(struct feed *f, const struct msg *m, size_t n)
{
	const struct sub before = f->sub;
	int verdict;

	n = passing(&f->sub, &m, n);
	if (n == 0)
		return;
	verdict = f->events->messages(f->arg, m, n);
	if (verdict == 2) {
		f->sub = before;
		feed_full(f, before.last);
	}
	ask_less(f, m, n);
	if (verdict < 0)
		feed_stop(f);
	else if (verdict == 1)
		feed_full(f, f->sub.last);
}

/* The entries that the hub holds, as the answer to one request. */
struct page {
	const struct topic *topic;
	enum sub_want want;
	struct id after, until;
	struct sub_head head; /* when it was asked for */
	size_t skip; /* its first entries, which have been dealt with */
	bool full;
};

static void
take_page(struct feed *f, const struct page *p)
{
	const struct entries *e = &f->hub->entries;

	f->count = (uint32_t)entries_next_count(e, f->count, most(f->hub));
	if (e->n > p->skip)
		deliver(f, entries_msgs(e) + p->skip, e->n - p->skip);
	if (f->stopped)
		return;
	sub_page(&f->sub, p->full, f->member.topic->head);
	run(f);
}

/* One that waits to ask for the same has its answer, too. */
static void
share_page(struct member *m, const void *arg)
{
	const struct page *p = arg;
	struct feed *f = feed_of(m);

	if (m->topic != p->topic || m->events != &member_events ||
	    f->search != NULL || !id_eq(f->sub.last, p->after) ||
	    !id_eq(f->sub.until, p->until) ||
	    sub_want(&f->sub, m->topic->head) != p->want)
		return;
	sub_asked(&f->sub, p->head);
	take_page(f, p);
}

/* Is the reply lost, or out of date? Then it is asked for again. */
static bool
is_lost(struct feed *f, const struct redis_reply *r)
{
	if (r != NULL && !f->sub.stale)
		return false;
	sub_lost(&f->sub);
	run(f);
	return true;
}

static void
on_page(struct member *m, const struct redis_reply *r)
{
	struct feed *f = feed_of(m);
	struct hub *h = f->hub;
	struct entries *e = &h->entries;
	struct page p = {m->topic, (enum sub_want)f->want, f->sub.last,
	    f->sub.until, f->sub.asked, f->want == SUB_VERIFY, false};

	if (is_lost(f, r))
		return;
	if (redis_type(r) != REDIS_ARRAY ||
	    entries_read(e, r, channel(f), h->conf->field) != 0) {
		fail_reply(f, r);
		return;
	}
	if (p.skip > 0 && (e->n == 0 || !id_eq(entries_msgs(e)->id, p.after))) {
		sub_suspect(&f->sub);
		run(f);
		return;
	}
	count_history(h, e->n - p.skip);
	p.full = e->n - p.skip >= f->asked;
	take_page(f, &p);
	hub_each_waiting(h, SHARERS, share_page, &p);
}

/* Tell a gap, if there is one. Is the page that came with it of use? */
static bool
judge(struct feed *f, const struct gap_facts *facts)
{
	struct gap gap = gap_check(facts, f->sub.last,
	    live_ordinal(f->member.topic, f->sub.last, facts));

	if (gap.reason == GAP_NONE)
		return true;
	if (f->events->gap(f->arg, &gap) != 0)
		feed_stop(f);
	if (f->stopped)
		return false;
	sub_resume_at(&f->sub, gap.resume);
	return id_cmp(gap.resume, gap.after) >= 0;
}

/* EXEC of XINFO STREAM, XRANGE cursor cursor, XRANGE (cursor. */
static void
on_check(struct member *m, const struct redis_reply *r)
{
	struct feed *f = feed_of(m);
	const struct redis_reply *info = redis_at(r, 0), *page = redis_at(r, 2);
	struct entries *e = &f->hub->entries;
	struct gap_facts facts = {0};
	bool rewound;

	if (is_lost(f, r))
		return;
	if (redis_len(r) != 3 || redis_type(page) != REDIS_ARRAY ||
	    (entry_info(&facts, info) != 0 && !entry_is_missing(info)) ||
	    entries_read(e, page, channel(f), f->hub->conf->field) != 0) {
		fail_reply(f, redis_type(r) == REDIS_ARRAY ? page : r);
		return;
	}
	count_history(f->hub, e->n);
	facts.cursor_exists = redis_len(redis_at(r, 1)) > 0;
	rewound = m->live && sub_rewound(&f->sub, facts.last);
	if (judge(f, &facts))
		take_page(f, &(struct page){.full = e->n >= f->asked});
	if (rewound && !f->stopped)
		live_rewind(m->topic);
	run(f);
}

static bool
ask_check(struct feed *f, struct str cursor, struct str after, struct str until,
    struct str count)
{
	struct hub *h = f->hub;

	hub_send(h, 1, &STR("MULTI"));
	hub_send(h, 3, (struct str[]){STR("XINFO"), STR("STREAM"), key(f)});
	hub_send(h, 4, (struct str[]){STR("XRANGE"), key(f), cursor, cursor});
	hub_send(h, 6,
	    (struct str[]){
		STR("XRANGE"), key(f), after, until, STR("COUNT"), count});
	return hub_ask(h, &f->member, on_check, 1, &STR("EXEC"));
}

static void
ask_page(struct feed *f, enum sub_want want)
{
	char after[ID_TEXT + 1] = "(", until[ID_TEXT], n[NUM_TEXT];
	size_t after_n = 1 + id_format(after + 1, f->sub.last);
	bool whole = want == SUB_VERIFY;
	struct str a = str_n(after + whole, after_n - whole);
	struct str u = str_n(until, id_format(until, f->sub.until));
	struct str c = str_n(n, num_format(n, f->count + whole));
	bool sent;

	if (want == SUB_CHECK)
		sent = ask_check(f, str_from(a, 1), a, u, c);
	else
		sent = hub_ask(f->hub, &f->member, on_page, 6,
		    (struct str[]){
			STR("XRANGE"), key(f), a, u, STR("COUNT"), c});
	if (!sent)
		return;
	f->want = (unsigned char)want;
	f->asked = f->count;
	sub_asked(&f->sub, f->member.topic->head);
}

/* Do what is to be done next, if anything. */
static void
run(struct feed *f)
{
	enum sub_want want;

	if (f->stopped || f->member.ask != NULL)
		return;
	if (f->search != NULL) {
		find_start(f);
		return;
	}
	want = sub_want(&f->sub, f->member.topic->head);
	set_behind(f, !f->sub.live);
	if (want == SUB_END) {
		feed_stop(f);
		f->events->ended(f->arg);
	} else if (want != SUB_NOTHING) {
		if (hub_turn(f->hub, &f->member))
			ask_page(f, want);
	} else if (f->sub.live && !f->went_live) {
		f->went_live = true;
		f->events->live(f->arg);
	}
}

/* ---- As a member of the topic ---- */

static void
on_entries(struct member *m, const struct msg *msgs, size_t n)
{
	struct feed *f = feed_of(m);

	if (f->search == NULL && f->sub.live)
		deliver(f, msgs, n);
	run(f);
}

static void
on_look(struct member *m)
{
	run(feed_of(m));
}

static void
on_unsure(struct member *m)
{
	struct feed *f = feed_of(m);

	if (f->search == NULL)
		sub_unsure(&f->sub);
	run(f);
}

static void
on_trouble(struct member *m, enum redis_trouble trouble, const char *why)
{
	fail(feed_of(m), trouble, why);
}

static const struct member_events member_events = {
    on_entries, on_look, on_unsure, on_trouble};

/* ---- Life ---- */

int
feed_start(struct feed *f, struct hub *h, struct str name,
    struct feed_start start, enum feed_end end, struct id until,
    const struct feed_events *events, void *arg)
{
	memset(f, 0, sizeof(*f));
	f->member.events = &member_events;
	f->hub = h;
	f->events = events;
	f->arg = arg;
	f->count = (uint32_t)entries_first_count(most(h));
	f->search = calloc(1, sizeof(*f->search));
	if (f->search == NULL)
		return -1;
	f->search->start = start;
	f->search->end = end;
	f->search->until = until;
	if (hub_join(h, &f->member, name, end == FEED_LIVE) == 0)
		return 0;
	end_search(f);
	return -1;
}

void
feed_stop(struct feed *f)
{
	if (f->hub == NULL || f->stopped)
		return;
	f->stopped = true;
	set_behind(f, false);
	end_search(f);
	hub_leave(&f->member);
}

void
feed_full(struct feed *f, struct id taken)
{
	if (!f->stopped)
		sub_full(&f->sub, taken);
}

void
feed_drained(struct feed *f)
{
	if (f->stopped)
		return;
	sub_drained(&f->sub);
	run(f);
}

void
feed_seek(struct feed *f, struct id after)
{
	if (!f->stopped && !id_eq(after, f->sub.last))
		sub_resume_at(&f->sub, after);
}

struct id
feed_cursor(const struct feed *f)
{
	return f->sub.last;
}
