#include "app/publish_queue.h"

#include "base/num.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Streams remembered although nothing is on its way to them. */
enum { STREAMS_KEPT = 256 };

enum { MID_TEXT = 10 + NUM_TEXT };

static struct str
copy(char **at, struct str s)
{
	struct str t = {*at, s.n};

	if (s.p == NULL)
		return s;
	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return t;
}

/* ---- Streams ---- */

static int
compare(const void *va, const void *vb)
{
	const struct publish_stream *a = va, *b = vb;

	if (a->channel.n != b->channel.n)
		return a->channel.n < b->channel.n ? -1 : 1;
	return memcmp(a->channel.p, b->channel.p, a->channel.n);
}

static struct publish_stream *
stream_make(struct publish_queue *q, struct str prefix, struct str channel)
{
	struct publish_stream *s;
	char *at;

	s = calloc(1, sizeof(*s) + prefix.n + channel.n);
	if (s == NULL)
		return NULL;
	s->queue = q;
	s->owner = q->owner;
	at = (char *)(s + 1);
	s->key = copy(&at, prefix);
	s->channel = copy(&at, channel);
	s->key = str_n(s + 1, prefix.n + channel.n);
	if (tsearch(s, &q->streams, compare) == NULL) {
		free(s);
		return NULL;
	}
	q->nstreams++;
	return s;
}

static struct publish_stream *
stream_get(struct publish_queue *q, struct str prefix, struct str channel)
{
	struct publish_stream key = {.channel = channel}, **found;

	found = tfind(&key, &q->streams, compare);
	return found != NULL ? *found : stream_make(q, prefix, channel);
}

static void
stream_drop(struct publish_queue *q, struct publish_stream *s)
{
	tdelete(s, &q->streams, compare);
	q->nstreams--;
	free(s);
}

void
publish_stream_hold(struct publish_stream *s)
{
	s->refs++;
}

void
publish_stream_release(struct publish_stream *s)
{
	struct publish_queue *q = s->queue;

	if (--s->refs == 0 && q->nstreams > STREAMS_KEPT)
		stream_drop(q, s);
}

/* ---- Message ids ---- */

/* 62^8 runs: two of them are not going to be the same. */
static void
make_run(char run[9])
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		r = (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid();
	for (int i = 0; i < 8; i++, r /= 62)
		run[i] = digits[r % 62];
	run[8] = '\0';
}

static struct str
make_mid(struct publish_queue *q, char out[MID_TEXT])
{
	char number[NUM_TEXT];
	size_t n = num_format(number, ++q->serial);
	char *at = out;

	copy(&at, str_c(q->run));
	copy(&at, STR("-"));
	copy(&at, str_n(number, n));
	return str_n(out, (size_t)(at - out));
}

/* ---- Messages ---- */

/* Of what add_fields makes of m: how many, and their bytes. */
static size_t
count_fields(const struct msg *m, struct str data_name, size_t *bytes)
{
	static const size_t names = sizeof("event"
					   "mid"
					   "key") -
	    1;
	size_t n = 4;

	*bytes =
	    data_name.n + names + m->data.n + m->event.n + m->mid.n + m->key.n;
	for (size_t i = 0; i < m->nfields; i++) {
		if (m->fields[i].role != MSG_HEADER)
			continue;
		*bytes += m->fields[i].name.n + m->fields[i].value.n;
		n++;
	}
	return n;
}

static void
add_field(struct publish_msg *pm, char **at, struct str name, struct str value)
{
	struct msg_field *f = &pm->fields[pm->m.nfields];

	if (value.p == NULL)
		return;
	f->name = copy(at, name);
	f->value = copy(at, value);
	pm->m.nfields++;
}

/* In the order of the entry: data, event, mid, key, headers. */
static void
add_fields(struct publish_msg *pm, const struct msg *m, struct str data_name)
{
	char *at;
	size_t ignored;

	at = (char *)&pm->fields[count_fields(m, data_name, &ignored)];
	add_field(pm, &at, data_name, m->data);
	add_field(pm, &at, STR("event"), m->event);
	add_field(pm, &at, STR("mid"), m->mid);
	add_field(pm, &at, STR("key"), m->key);
	for (size_t i = 0; i < m->nfields; i++)
		if (m->fields[i].role == MSG_HEADER)
			add_field(
			    pm, &at, m->fields[i].name, m->fields[i].value);
	msg_bind(&pm->m, pm->fields, pm->m.nfields, data_name);
}

static struct publish_msg *
msg_make(struct publish_stream *s, const struct msg *m, struct str data_name)
{
	struct publish_msg *pm;
	size_t bytes, n;

	n = count_fields(m, data_name, &bytes);
	pm = malloc(sizeof(*pm) + n * sizeof(*pm->fields) + bytes);
	if (pm == NULL)
		return NULL;
	*pm = (struct publish_msg){.stream = s, .bytes = bytes};
	pm->m.channel = s->channel;
	pm->m.ts_ms = -1;
	add_fields(pm, m, data_name);
	publish_stream_hold(s);
	return pm;
}

void
publish_msg_free(struct publish_msg *pm)
{
	publish_stream_release(pm->stream);
	free(pm->why);
	buf_give_back(pm->once);
	free(pm);
}

/* ---- The queue ---- */

void
publish_queue_init(struct publish_queue *q, struct publish *owner)
{
	memset(q, 0, sizeof(*q));
	q->owner = owner;
	q->tail = &q->head;
	make_run(q->run);
}

void
publish_queue_free(struct publish_queue *q)
{
	struct publish_msg *pm;

	while ((pm = q->head) != NULL) {
		q->head = pm->next;
		publish_msg_free(pm);
	}
	while (q->streams != NULL)
		stream_drop(q, *(struct publish_stream **)q->streams);
}

struct publish_msg *
publish_queue_add(struct publish_queue *q, struct str prefix, struct str field,
    const struct msg *m)
{
	struct publish_stream *s;
	struct publish_msg *pm = NULL;
	struct msg with_mid = *m;
	char mid[MID_TEXT];

	if (m->mid.p == NULL)
		with_mid.mid = make_mid(q, mid);
	s = stream_get(q, prefix, m->channel);
	if (s != NULL)
		pm = msg_make(s, &with_mid, field);
	if (pm == NULL)
		return NULL;
	*q->tail = pm;
	q->tail = &pm->next;
	q->n[PUBLISH_UNSENT]++;
	q->bytes += pm->bytes;
	return pm;
}

size_t
publish_queue_open(const struct publish_queue *q)
{
	return q->n[PUBLISH_UNSENT] + q->n[PUBLISH_SENT] + q->n[PUBLISH_LOST];
}

size_t
publish_queue_len(const struct publish_queue *q)
{
	return publish_queue_open(q) + q->n[PUBLISH_SETTLED];
}

void
publish_queue_set(
    struct publish_queue *q, struct publish_msg *pm, enum publish_state state)
{
	q->n[pm->state]--;
	pm->state = state;
	q->n[state]++;
}

void
publish_queue_stored(
    struct publish_queue *q, struct publish_msg *pm, const struct id *id)
{
	publish_queue_set(q, pm, PUBLISH_SETTLED);
	pm->result.end = PUBLISH_STORED;
	if (id == NULL)
		return;
	pm->m.has_id = true;
	pm->m.id = *id;
	pm->m.ts_ms = id->ms <= INT64_MAX ? (int64_t)id->ms : INT64_MAX;
	/* Lower than before when the stream was made anew. */
	if (!pm->result.before)
		pm->stream->floor = *id;
}

void
publish_queue_given_up(struct publish_queue *q, struct publish_msg *pm,
    enum publish_end end, enum redis_trouble trouble, struct str why)
{
	publish_queue_set(q, pm, PUBLISH_SETTLED);
	pm->why = malloc(why.n + 1);
	if (pm->why != NULL) {
		memcpy(pm->why, why.p, why.n);
		pm->why[why.n] = '\0';
	}
	pm->result = (struct publish_result){.end = end,
	    .trouble = trouble,
	    .why = pm->why != NULL ? pm->why : "out of memory"};
}

void
publish_queue_found(struct publish_queue *q, struct publish_stream *s,
    struct str mid, struct id id)
{
	struct publish_msg *pm, *before;

	for (pm = q->head; pm != NULL; pm = pm->next)
		if (pm->stream == s && pm->state == PUBLISH_LOST &&
		    str_eq(pm->m.mid, mid))
			break;
	if (pm == NULL)
		return;
	for (before = q->head; before != pm; before = before->next)
		if (before->stream == s && before->state == PUBLISH_LOST)
			publish_queue_stored(q, before, NULL);
	publish_queue_stored(q, pm, &id);
}

struct publish_msg *
publish_queue_shift(struct publish_queue *q)
{
	struct publish_msg *pm = q->head;

	if (pm == NULL || pm->state != PUBLISH_SETTLED)
		return NULL;
	q->head = pm->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->n[PUBLISH_SETTLED]--;
	q->bytes -= pm->bytes;
	return pm;
}
