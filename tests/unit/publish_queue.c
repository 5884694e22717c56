#include "app/publish_queue.h"

#include "tap.h"

#include <stdio.h>

static struct publish_queue q;

static struct publish_msg *
add(const char *channel, const char *mid)
{
	struct msg m = {.channel = str_c(channel), .mid = str_c(mid)};

	m.data = STR("text");
	return publish_queue_add(&q, STR("chat:"), STR("data"), &m);
}

static void
lose_all(void)
{
	for (struct publish_msg *pm = q.head; pm != NULL; pm = pm->next)
		publish_queue_set(&q, pm, PUBLISH_LOST);
}

/* `L` lost, `u` unsent, `s` stored, `t` stored but trimmed, in order. */
static void
states(const char *want, const char *name)
{
	struct buf b;

	buf_init(&b, 1000);
	for (struct publish_msg *pm = q.head; pm != NULL; pm = pm->next)
		buf_addc(&b,
		    pm->state == PUBLISH_LOST         ? 'L'
			: pm->state == PUBLISH_UNSENT ? 'u'
			: pm->m.has_id                ? 's'
						      : 't');
	is_str(buf_str(&b), str_c(want), name);
	buf_free(&b);
}

static void
begin(void)
{
	publish_queue_free(&q);
	publish_queue_init(&q, NULL);
}

static void
fields(void)
{
	const struct msg_field with[] = {
	    {STR("lang"), STR("en"), MSG_HEADER},
	    {STR("data"), STR("ignored"), MSG_DATA},
	    {STR("empty"), STR(""), MSG_HEADER},
	};
	struct msg m = {.fields = with, .nfields = 3};
	struct publish_msg *pm;
	struct buf b;

	m.channel = STR("room");
	m.data = STR("a\0b");
	m.event = STR("");
	begin();
	pm = publish_queue_add(&q, STR("p:"), STR("body"), &m);
	is_str(pm->stream->key, STR("p:room"), "the key");
	is_str(pm->m.channel, STR("room"), "the channel");
	buf_init(&b, 1000);
	for (size_t i = 0; i < pm->m.nfields; i++) {
		buf_adds(&b, pm->fields[i].name);
		buf_addc(&b, ' ');
	}
	is_str(buf_str(&b), STR("body event mid lang empty "), "its fields");
	is_str(pm->m.data, STR("a\0b"), "the payload");
	is_str(pm->m.event, STR(""), "an empty type is kept");
	ok(pm->m.key.p == NULL, "no key is no field");
	ok(pm->m.data.p != m.data.p, "all is copied");
	buf_free(&b);
}

static void
mids(void)
{
	struct publish_msg *a, *b, *c;

	begin();
	a = add("room", NULL);
	b = add("room", "mine");
	c = add("other", NULL);
	ok(a->m.mid.n == 10 && str_starts(a->m.mid, str_c(q.run)),
	    "a mid of this run");
	is_str(b->m.mid, STR("mine"), "the message's own mid");
	is_str(str_from(c->m.mid, 8), STR("-2"), "counted over the channels");
	begin();
	ok(!str_eq(str_n(add("room", NULL)->m.mid.p, 8), str_n(q.run, 0)),
	    "another run");
}

static void
found_in_order(void)
{
	struct publish_stream *s;

	begin();
	s = add("room", "1")->stream;
	add("room", "2");
	add("room", "3");
	lose_all();
	publish_queue_found(&q, s, STR("x"), (struct id){1, 0});
	publish_queue_found(&q, s, (struct str){NULL, 0}, (struct id){2, 0});
	states("LLL", "entries of others mean nothing");
	publish_queue_found(&q, s, STR("1"), (struct id){3, 0});
	publish_queue_found(&q, s, STR("2"), (struct id){4, 0});
	states("ssL", "what was found was stored");
	ok(id_eq(s->floor, (struct id){4, 0}), "and moves the floor");
	ok(id_eq(q.head->m.id, (struct id){3, 0}) && q.head->m.ts_ms == 3,
	    "under its id");
}

static void
found_trimmed(void)
{
	struct publish_stream *s;
	struct publish_msg *refused;

	begin();
	s = add("room", "1")->stream;
	refused = add("room", "2");
	add("other", "3");
	add("room", "4");
	add("room", "5");
	lose_all();
	publish_queue_set(&q, refused, PUBLISH_UNSENT);
	publish_queue_found(&q, s, STR("4"), (struct id){9, 9});
	states("tuLsL", "what was sent before it there was stored, too");
}

static void
found_twice(void)
{
	struct publish_stream *s;

	begin();
	s = add("room", "same")->stream;
	add("room", "same");
	add("room", "same");
	lose_all();
	publish_queue_found(&q, s, STR("same"), (struct id){1, 0});
	publish_queue_found(&q, s, STR("same"), (struct id){2, 0});
	states("ssL", "equal mids are found one by one");
}

static void
reported(void)
{
	struct publish_msg *a, *b, *pm;
	struct id id = {5, 1};

	begin();
	a = add("room", NULL);
	b = add("room", NULL);
	ok(publish_queue_shift(&q) == NULL, "nothing is settled yet");
	publish_queue_given_up(
	    &q, b, PUBLISH_REFUSED, REDIS_DENIED, STR("because"));
	ok(publish_queue_shift(&q) == NULL, "the second waits for the first");
	is_int((long long)publish_queue_open(&q), 1, "one is open");
	is_int((long long)publish_queue_len(&q), 2, "of two");
	publish_queue_stored(&q, a, &id);
	pm = publish_queue_shift(&q);
	ok(pm == a && pm->result.end == PUBLISH_STORED, "the first");
	publish_msg_free(pm);
	pm = publish_queue_shift(&q);
	ok(pm == b && pm->result.trouble == REDIS_DENIED, "the second");
	is_str(str_c(pm->result.why), STR("because"), "and why");
	publish_msg_free(pm);
	is_int((long long)(publish_queue_len(&q) + q.bytes), 0, "all is gone");
	ok(add("room", NULL) == q.head, "and can begin anew");
}

static void
streams(void)
{
	struct publish_msg *pm, *a, *b;
	char name[20];

	begin();
	a = add("a", NULL);
	b = add("b", NULL);
	ok(a->stream != b->stream, "a stream for each channel");
	ok(add("a", NULL)->stream == a->stream, "and only one");
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		add(name, NULL);
	}
	is_int((long long)q.nstreams, 2002, "as many as there are messages to");
	for (pm = q.head; pm != NULL; pm = pm->next)
		publish_queue_stored(&q, pm, &(struct id){1, 1});
	while ((pm = publish_queue_shift(&q)) != NULL)
		publish_msg_free(pm);
	ok(q.nstreams < 1000, "but not for ever");
}

int
main(void)
{
	publish_queue_init(&q, NULL);
	fields();
	mids();
	found_in_order();
	found_trimmed();
	found_twice();
	reported();
	streams();
	publish_queue_free(&q);
	return done();
}
