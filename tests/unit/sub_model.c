/*
 * A random model of subscribers and all that goes wrong around them: entries
 * are deleted and trimmed, streams made anew, either connection is lost with
 * what it carried, sinks fill and drain. Nothing may be lost untold, doubled or
 * out of order, and in the end all are live.
 */
#include "core/gap.h"
#include "core/sub.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

enum { ENTRIES = 256, CLIENTS = 4, COUNT = 3, STEPS = 1000 };

/* The right one, and three shortcuts that the model must catch. */
enum policy { RIGHT, SHORT_IS_LIVE, STAY_AT_LAST, NEVER_VERIFY };

enum state { HERE, DELETED, TRIMMED };

struct reply {
	struct gap_facts facts;
	unsigned generation;
	unsigned n, entries[COUNT + 1];
	unsigned total; /* entries ever, and what became of them */
	enum state state[ENTRIES];
};

struct client {
	struct sub sub;
	enum { IDLE, SENT, ANSWERED } request;
	enum sub_want want;
	struct id start;
	struct reply reply;
	struct id begin; /* a place to begin after; 0-0 for a cursor */
	struct id base;  /* what comes after this and that is owed */
	unsigned joined; /* there were so many entries */
	bool reached;    /* it is owed what is trimmed from now on */
	bool got[ENTRIES], excused[ENTRIES];
	struct id prev;
	unsigned gaps;
	enum gap_reason reason;
};

struct world {
	uint64_t random;
	enum policy policy;
	bool calm;          /* sinks do not get full */
	bool early;         /* the loss of the live read is told at once */
	bool lost;          /* it was lost after the head was known */
	bool trims, resets; /* the stream is trimmed, made anew */
	enum { DENSE, SPARSE, MIXED } ids;
	/* The server. */
	uint64_t next;
	unsigned total;
	struct id id[ENTRIES];
	enum state state[ENTRIES];
	unsigned generation;
	struct gap_facts facts; /* without length, first, cursor_exists */
	/* The live read. */
	struct sub_head head;
	bool armed;
	struct id sent; /* by the server */
	unsigned queue[ENTRIES], queued, taken;
	struct client clients[CLIENTS];
	unsigned n;
	const char *fault;
};

static uint64_t
below(struct world *w, uint64_t n)
{
	w->random = w->random * 6364136223846793005u + 1442695040888963407u;
	return (w->random >> 33) % n;
}

static void
fail(struct world *w, const char *fault)
{
	if (w->fault == NULL)
		w->fault = fault;
}

/* ---- The server ---- */

static struct id
make_id(const struct world *w, uint64_t n)
{
	if (w->ids == DENSE)
		return (struct id){0, n};
	if (w->ids == SPARSE)
		return (struct id){n, 0};
	return (struct id){n / 3, n % 3};
}

static void
send_live(struct world *w, unsigned i)
{
	if (!w->armed || id_cmp(w->id[i], w->sent) <= 0)
		return;
	w->queue[w->queued++] = i;
	w->sent = w->id[i];
}

static void
add(struct world *w)
{
	unsigned i = w->total;

	if (i == ENTRIES)
		return;
	w->total++;
	w->id[i] = w->facts.last = make_id(w, w->next++);
	w->facts.exists = true;
	w->facts.added++;
	send_live(w, i);
}

static unsigned
length(const struct world *w)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->total; i++)
		n += w->state[i] == HERE;
	return n;
}

/* The oldest n. Those who only began somewhere have no claim to them. */
static void
trim(struct world *w, uint64_t n)
{
	for (unsigned i = 0; i < w->total && n > 0; i++) {
		if (w->state[i] != HERE)
			continue;
		w->state[i] = TRIMMED;
		n--;
		for (unsigned c = 0; c < w->n; c++)
			if (!w->clients[c].reached)
				w->clients[c].excused[i] = true;
	}
}

/*
 * In a stream made anew, one entry that was trimmed cannot be told from the
 * cursor's own.
 */
static void
trim_some(struct world *w)
{
	uint64_t n = 1 + below(w, 12), there = length(w);

	n = n < there ? n : there;
	if (w->trims && (n > 1 || w->generation == 0))
		trim(w, n);
}

/* Deletions would hide that a cursor was never in a stream made anew. */
static void
delete_one(struct world *w)
{
	uint64_t back = below(w, 2) * below(w, 12);
	unsigned i = w->total - 1 - (unsigned)back;

	if (back >= w->total || w->generation > 0 || w->state[i] != HERE)
		return;
	w->state[i] = DELETED;
	if (id_cmp(w->id[i], w->facts.max_deleted) > 0)
		w->facts.max_deleted = w->id[i];
}

/* DEL; the ids to come are greater, or as after a restore of old data. */
static void
make_anew(struct world *w, bool older)
{
	trim(w, ENTRIES);
	w->facts = (struct gap_facts){.has_added = true};
	w->generation++;
	w->next = older ? w->next - 100000 : w->next + 50;
}

static struct gap_facts
facts(const struct world *w, struct id cursor)
{
	struct gap_facts f = w->facts;

	for (unsigned i = w->total; i-- > 0;) {
		if (w->state[i] != HERE)
			continue;
		f.first = w->id[i];
		f.cursor_exists |= id_eq(w->id[i], cursor);
	}
	f.length = length(w);
	return f;
}

static void
execute(struct world *w, struct client *c)
{
	struct reply *r = &c->reply;
	unsigned own = c->want == SUB_VERIFY;

	r->n = 0;
	for (unsigned i = 0; i < w->total && r->n < COUNT + own; i++)
		if (w->state[i] == HERE &&
		    id_cmp(w->id[i], c->start) >= (own ? 0 : 1) &&
		    id_cmp(w->id[i], c->sub.until) <= 0)
			r->entries[r->n++] = i;
	r->facts = facts(w, c->start);
	r->generation = w->generation;
	r->total = w->total;
	memcpy(r->state, w->state, sizeof(r->state));
	c->request = ANSWERED;
}

/* ---- The live read ---- */

static void
all_unsure(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++)
		sub_unsure(&w->clients[i].sub);
}

static void
drop_live(struct world *w)
{
	w->armed = false;
	w->queued = w->taken = 0;
	w->lost |= w->head.known;
	w->head.known = false;
	if (w->early)
		all_unsure(w);
}

/* From the newest id, which is learnt with it. */
static void
arm(struct world *w)
{
	w->head = (struct sub_head){true, w->facts.last};
	if (w->lost)
		all_unsure(w);
	w->lost = false;
	w->armed = true;
	w->sent = w->head.id;
	for (unsigned i = 0; i < w->total; i++)
		if (w->state[i] == HERE)
			send_live(w, i);
}

static void
set_back(struct world *w)
{
	if (!w->head.known)
		return;
	drop_live(w);
	arm(w);
}

/* The blocked read came back with nothing. */
static void
time_out(struct world *w)
{
	if (w->armed && w->taken == w->queued &&
	    id_cmp(w->facts.last, w->head.id) < 0)
		set_back(w);
}

/* ---- Subscribers ---- */

static bool
is_bounded(const struct client *c)
{
	return !id_eq(c->sub.until, ID_MAX);
}

static bool
is_wanted(const struct client *c, struct id id)
{
	return id_cmp(id, c->begin) > 0 && id_cmp(id, c->base) > 0 &&
	    id_cmp(id, c->sub.until) <= 0;
}

static void
take(struct world *w, struct client *c, unsigned i)
{
	if (c->got[i])
		fail(w, "doubled");
	if (id_cmp(w->id[i], c->prev) <= 0)
		fail(w, "out of order");
	if (!is_wanted(c, w->id[i]))
		fail(w, "out of range");
	c->got[i] = true;
	c->prev = w->id[i];
	c->reached = true;
}

/*
 * All pass at once, or one by one. A sink gets full at some entry, which is
 * known when it is handed all that has passed.
 */
static void
offer(struct world *w, struct client *c, const unsigned *entries, unsigned n)
{
	struct id taken;
	bool all = n > 0 && below(w, 2) == 0 &&
	    sub_pass_all(&c->sub, w->id[entries[0]], w->id[entries[n - 1]]);
	bool full = false;

	for (unsigned i = 0; i < n; i++) {
		if (full || (!all && !sub_pass(&c->sub, w->id[entries[i]])))
			continue;
		take(w, c, entries[i]);
		taken = w->id[entries[i]];
		full = !w->calm && below(w, 16) == 0;
	}
	if (full)
		sub_full(&c->sub, taken);
}

static void
deliver_live(struct world *w)
{
	unsigned *i = &w->queue[w->taken];

	if (w->taken == w->queued)
		return;
	w->taken++;
	if (id_cmp(w->id[*i], w->head.id) > 0)
		w->head.id = w->id[*i];
	for (unsigned c = 0; c < w->n; c++)
		if (w->clients[c].sub.live)
			offer(w, &w->clients[c], i, 1);
}

/* Does what a gap says hold? Only where ids are never used again. */
static void
judge(struct world *w, const struct reply *r, const struct gap *g)
{
	uint64_t lost = 0;

	if (r->generation > 0)
		return;
	for (unsigned i = 0; i < r->total; i++)
		lost +=
		    r->state[i] == TRIMMED && id_cmp(w->id[i], g->after) > 0;
	if (g->reason != GAP_TRIMMED || (g->certain && lost == 0) ||
	    (g->has_lost && g->lost != lost))
		fail(w, "false gap");
}

static void
tell(struct world *w, struct client *c, const struct gap *g)
{
	const struct reply *r = &c->reply;

	judge(w, r, g);
	for (unsigned i = 0; i < r->total; i++)
		if (r->state[i] == TRIMMED || id_cmp(w->id[i], g->resume) <= 0)
			c->excused[i] = true;
	/* When there was no key, it starts over with a page yet to be read. */
	for (unsigned i = r->total; !r->facts.exists && i < w->total; i++)
		if (w->state[i] == TRIMMED)
			c->excused[i] = true;
	c->base = c->prev = g->resume;
	if (id_cmp(g->resume, g->after) < 0)
		c->begin = ID_MIN;
	c->gaps++;
	c->reason = g->reason;
	c->reached = !gap_is_start(g->resume);
}

static void
end_page(struct world *w, struct client *c, bool full)
{
	struct sub before = c->sub;

	sub_page(&c->sub, full, w->head);
	if (full || before.stale || is_bounded(c))
		return;
	if (before.asked.known && !gap_is_start(before.asked.id))
		c->reached = true;
	if (w->policy == SHORT_IS_LIVE) {
		c->sub.live = true;
	} else if (w->policy == STAY_AT_LAST) {
		c->sub.last = before.last;
		c->sub.from = before.from;
		c->sub.cursor = before.cursor;
		c->sub.live =
		    w->head.known && id_cmp(before.last, w->head.id) >= 0;
	}
}

/* Tell a gap if there is one; is the page still of use? */
static bool
check(struct world *w, struct client *c)
{
	struct gap g = gap_check(&c->reply.facts, c->start, 0);

	if (g.reason == GAP_NONE)
		return true;
	tell(w, c, &g);
	sub_resume_at(&c->sub, g.resume);
	return id_cmp(g.resume, g.after) >= 0;
}

static void
answer(struct world *w, struct client *c)
{
	const struct reply *r = &c->reply;
	unsigned own = c->want == SUB_VERIFY;
	bool rewound = sub_rewound(&c->sub, r->facts.last);

	c->request = IDLE;
	if (c->sub.stale) {
		sub_lost(&c->sub);
		return;
	}
	if (own && (r->n == 0 || !id_eq(w->id[r->entries[0]], c->start))) {
		sub_suspect(&c->sub);
		return;
	}
	if (c->want != SUB_CHECK || check(w, c)) {
		offer(w, c, r->entries + own, r->n - own);
		end_page(w, c, r->n == COUNT + own);
	}
	if (c->want == SUB_CHECK && rewound)
		set_back(w);
}

static void
drop_cmd(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		struct client *c = &w->clients[i];
		if (c->request != IDLE)
			sub_lost(&c->sub);
		c->request = IDLE;
	}
}

static void
ask(struct world *w, struct client *c)
{
	enum sub_want want = sub_want(&c->sub, w->head);

	if (want == SUB_NOTHING || want == SUB_END)
		return;
	if (c->request != IDLE)
		fail(w, "asked twice");
	if (want == SUB_VERIFY && w->policy == NEVER_VERIFY)
		want = SUB_PAGE;
	c->want = want;
	c->start = c->sub.last;
	c->request = SENT;
	sub_asked(&c->sub, w->head);
}

static struct id
about_now(struct world *w)
{
	return make_id(w, w->next + 10 - below(w, 20));
}

/* At an entry of some time, which it had got, or at any place. */
static void
join(struct world *w)
{
	struct client *c = &w->clients[w->n];
	unsigned known = w->total > 0 ? (unsigned)below(w, w->total) : 0;
	bool cursor = w->total > 0 && below(w, 2);
	struct id until = ID_MAX;

	if (w->n == CLIENTS)
		return;
	w->n++;
	if (cursor)
		c->base = w->id[known];
	else if (below(w, 3) > 0)
		c->begin = about_now(w);
	if (below(w, 4) == 0)
		until = about_now(w);
	c->prev = c->base;
	c->joined = w->total;
	c->reached = cursor;
	for (unsigned i = 0; i < w->total; i++)
		c->excused[i] = cursor ? i <= known : w->state[i] != HERE;
	sub_init(&c->sub, cursor ? c->base : c->begin, cursor, until);
}

/* ---- Runs ---- */

static void
disturb(struct world *w)
{
	switch (below(w, 8)) {
	case 0:
		drop_cmd(w);
		break;
	case 1:
		drop_live(w);
		break;
	case 2:
		trim_some(w);
		break;
	case 3:
		if (w->resets && w->ids != DENSE && below(w, 4) == 0)
			make_anew(w, below(w, 2));
		break;
	default:
		delete_one(w);
		break;
	}
}

static void
act(struct world *w, struct client *c)
{
	if (c->request == SENT)
		execute(w, c);
	else if (c->request == ANSWERED)
		answer(w, c);
	else if (below(w, 2))
		sub_drained(&c->sub);
}

static void
step(struct world *w)
{
	uint64_t k = below(w, 20);

	if (k < 3)
		add(w);
	else if (k < 5)
		disturb(w);
	else if (k < 9)
		deliver_live(w);
	else if (k == 9 && !w->armed)
		arm(w);
	else if (k == 9)
		time_out(w);
	else if (k == 10 && below(w, 4) == 0)
		join(w);
	else if (w->n > 0)
		act(w, &w->clients[below(w, w->n)]);
	for (unsigned i = 0; i < w->n; i++)
		ask(w, &w->clients[i]);
}

/* All is well from now on. */
static void
settle(struct world *w)
{
	w->calm = true;
	for (unsigned round = 0; round < ENTRIES * 4; round++) {
		if (!w->armed)
			arm(w);
		deliver_live(w);
		time_out(w);
		for (unsigned i = 0; i < w->n; i++) {
			struct client *c = &w->clients[i];
			sub_drained(&c->sub);
			ask(w, c);
			if (c->request == SENT)
				execute(w, c);
			if (c->request == ANSWERED)
				answer(w, c);
			ask(w, c);
		}
	}
}

static void
audit(struct world *w, const struct client *c)
{
	unsigned total = is_bounded(c) ? c->joined : w->total;

	if (is_bounded(c) ? !c->sub.ended : !c->sub.live)
		fail(w, "unsettled");
	for (unsigned i = 0; i < total; i++)
		if (!c->got[i] && !c->excused[i] && w->state[i] != DELETED &&
		    is_wanted(c, w->id[i]))
			fail(w, "lost");
}

static void
begin(struct world *w, uint64_t seed, enum policy policy)
{
	memset(w, 0, sizeof(*w));
	w->random = seed;
	w->policy = policy;
	w->early = below(w, 2);
	w->trims = below(w, 2);
	w->resets = below(w, 3) == 0;
	w->ids = below(w, 3);
	w->next = w->ids == DENSE ? 10 : 10000000;
	w->facts.has_added = true;
}

static const char *
run(uint64_t seed, enum policy policy)
{
	static struct world w;

	begin(&w, seed, policy);
	for (unsigned i = 0; i < STEPS && w.fault == NULL; i++)
		step(&w);
	settle(&w);
	for (unsigned i = 0; i < w.n; i++)
		audit(&w, &w.clients[i]);
	return w.fault;
}

static void
test_right(void)
{
	const char *fault = NULL;
	uint64_t seed;

	for (seed = 0; seed < 6000 && fault == NULL; seed++)
		fault = run(seed, RIGHT);
	if (!ok(fault == NULL, "nothing is lost, doubled or stuck"))
		printf("# seed %ju: %s\n", (uintmax_t)seed - 1, fault);
}

static void
add_some(struct world *w)
{
	for (unsigned i = 0; i < 10; i++)
		add(w);
	settle(w);
}

/*
 * One that has been live learns of it once, unless it misses nothing, and then
 * gets what is new.
 */
static void
test_anew(bool older, bool drop, unsigned gaps, const char *name)
{
	static struct world w;
	struct client *c = &w.clients[0];
	unsigned got = 0;

	begin(&w, 0, RIGHT);
	w.ids = SPARSE;
	w.next = 10000000;
	w.n = 1;
	sub_init(&c->sub, ID_MIN, false, ID_MAX);
	add_some(&w);
	if (drop)
		drop_live(&w);
	make_anew(&w, older);
	add_some(&w);
	add_some(&w);
	audit(&w, c);
	ok(w.fault == NULL && c->gaps == gaps &&
		(gaps == 0 || c->reason == (older ? GAP_REWOUND : GAP_RESET)),
	    "%s: told %u times", name, gaps);
	for (unsigned i = 0; i < w.total; i++)
		got += c->got[i];
	/* Old ids are not read again: where it goes on is the new end. */
	ok(got == (older ? 20 : 30), "%s: what is new arrives", name);
}

/* A wrong policy is caught, by its own fault. */
static void
test_wrong(enum policy policy, const char *fault, const char *name)
{
	unsigned caught = 0;

	for (uint64_t seed = 0; seed < 300; seed++) {
		const char *f = run(seed, policy);
		caught += f != NULL && strcmp(f, fault) == 0;
	}
	ok(caught > 10, "%s: %s in %u of 300", name, fault, caught);
}

int
main(void)
{
	test_right();
	test_anew(false, false, 0, "made anew while live");
	test_anew(false, true, 1, "made anew meanwhile");
	test_anew(true, false, 1, "rewound while live");
	test_anew(true, true, 1, "rewound meanwhile");
	test_wrong(SHORT_IS_LIVE, "lost", "live after any short page");
	test_wrong(STAY_AT_LAST, "unsettled", "not moving to the head");
	test_wrong(NEVER_VERIFY, "lost", "never looking at the cursor");
	return done();
}
