#include "app/publish.h"
#include "app/publish_impl.h"

#include "app/entry.h"

#include <stdio.h>

/* Entries of others may be large or many; an entry is taken to be larger. */
enum { FIRST_COUNT = 64, MAX_COUNT = 1000, PAGE_BYTES = 256 << 10, ENTRY = 64 };

static void on_page(void *arg, const struct redis_reply *rep);

/* ---- What was found out ---- */

/* What is still LOST of a stream that was read to its end is not there. */
static void
not_stored(struct publish *p, const struct publish_stream *s)
{
	struct publish_msg *pm;

	for (pm = p->queue.head; pm != NULL; pm = pm->next)
		if (pm->stream == s && pm->state == PUBLISH_LOST)
			publish_queue_set(&p->queue, pm, PUBLISH_UNSENT);
}

static void
give_up(struct publish *p, const struct publish_stream *s, struct str reason)
{
	struct publish_msg *pm;
	char text[300];

	snprintf(text, sizeof(text),
	    "connection lost, and reading back failed: %.*s", (int)reason.n,
	    reason.p);
	for (pm = p->queue.head; pm != NULL; pm = pm->next)
		if (pm->stream == s && pm->state == PUBLISH_LOST)
			publish_queue_given_up(&p->queue, pm, PUBLISH_UNSURE,
			    REDIS_LOST, str_c(publish_why(s, str_c(text))));
}

static uint64_t
next_count(const struct entries *e)
{
	uint64_t n = e->n * PAGE_BYTES / (e->bytes + e->n * ENTRY + 1);

	return n < 1 ? 1 : n > MAX_COUNT ? MAX_COUNT : n;
}

/* One page; were there more, it would be full. -1: it makes no sense. */
static int
look_for(struct publish *p, struct publish_stream *s,
    const struct redis_reply *rep, bool *more)
{
	const struct msg *m;
	struct entries e;
	int r;

	entries_init(&e);
	r = entries_read(&e, rep, s->channel, p->conf->field);
	m = entries_msgs(&e);
	for (size_t i = 0; r == 0 && i < e.n; i++) {
		publish_queue_found(&p->queue, s, m[i].mid, m[i].id);
		s->floor = m[i].id;
	}
	*more = e.n == s->count;
	s->count = next_count(&e);
	entries_free(&e);
	return r;
}

/* ---- Reading ---- */

static int
ask_page(struct publish *p, struct publish_stream *s)
{
	char id[ID_TEXT + 1] = "(", count[NUM_TEXT];
	size_t n = id_format(id + 1, s->floor);

	return redis_send(&p->redis, on_page, s, 0, 6,
	    (struct str[]){STR("XRANGE"), s->key, str_n(id, n + 1), STR("+"),
		STR("COUNT"), str_n(count, num_format(count, s->count))});
}

static void
leave(struct publish *p, struct publish_stream *s)
{
	s->reading = false;
	p->reading--;
	publish_stream_release(s);
}

static void
on_page(void *arg, const struct redis_reply *rep)
{
	struct publish_stream *s = arg;
	struct publish *p = s->owner;
	bool more = false;

	switch (redis_trouble(rep)) {
	case REDIS_LOST:
		leave(p, s);
		return;
	case REDIS_DOWN:
		redis_restart(&p->redis, publish_why(s, redis_text(rep)));
		leave(p, s);
		return;
	case REDIS_FINE:
		if (look_for(p, s, rep, &more) != 0)
			give_up(p, s, STR("unexpected reply"));
		else if (!more)
			not_stored(p, s);
		else if (ask_page(p, s) == 0)
			return;
		else
			give_up(p, s, STR("out of memory"));
		break;
	case REDIS_WRONGTYPE:
		/* Whatever is there now, it is not what was sent. */
		not_stored(p, s);
		break;
	default:
		give_up(p, s, redis_text(rep));
		break;
	}
	leave(p, s);
	if (p->reading == 0)
		p->read_back(p);
}

static void
read_stream(struct publish *p, struct publish_stream *s)
{
	s->count = FIRST_COUNT;
	if (s->blind)
		give_up(p, s, STR("permission denied"));
	else if (ask_page(p, s) != 0)
		give_up(p, s, STR("out of memory"));
	else {
		publish_stream_hold(s);
		s->reading = true;
		p->reading++;
	}
}

static void
read_all(struct publish *p)
{
	struct publish_msg *pm;

	for (pm = p->queue.head; pm != NULL; pm = pm->next)
		if (pm->state == PUBLISH_LOST && !pm->stream->reading)
			read_stream(p, pm->stream);
	if (p->reading == 0)
		p->read_back(p);
}

/* ---- The old connection ---- */

static void
on_killed(void *arg, const struct redis_reply *rep)
{
	if (rep != NULL)
		read_all(arg);
}

static int
ask_client(struct publish *p, redis_fn *fn, const char *what)
{
	char id[NUM_TEXT];
	size_t n = num_format(id, (uint64_t)p->writer);

	return redis_send(&p->redis, fn, p, 0, 4,
	    (struct str[]){
		STR("CLIENT"), str_c(what), STR("ID"), str_n(id, n)});
}

/* Is it the name in `id=7 addr=... name=chat-pub:123 age=0 ...`? */
static bool
has_name(struct str client, const char *name)
{
	while (client.p != NULL) {
		struct str word = str_cut(client, ' ', &client);
		if (str_starts(word, STR("name=")))
			return str_eq(str_from(word, 5), str_c(name));
	}
	return false;
}

/* A Redis started anew counts from 1: the id may be somebody else's now. */
static void
on_old_client(void *arg, const struct redis_reply *rep)
{
	struct publish *p = arg;

	if (rep == NULL)
		return;
	if (redis_trouble(rep) != REDIS_FINE ||
	    !has_name(redis_text(rep), p->conf->redis->name) ||
	    ask_client(p, on_killed, "KILL") != 0)
		read_all(p);
}

void
publish_readback(struct publish *p, void (*done)(struct publish *p))
{
	p->read_back = done;
	if (p->writer == 0 || p->conf->redis->name == NULL ||
	    ask_client(p, on_old_client, "LIST") != 0)
		read_all(p);
}
