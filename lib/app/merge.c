#include "app/merge.h"

#include <string.h>

/* A page of the largest messages. */
#define BYTES_MAX ((size_t)1 << 31)

void
merge_init(struct merge_queue *q)
{
	memset(q, 0, sizeof(*q));
	buf_init(&q->msgs, BYTES_MAX);
	buf_init(&q->fields, BYTES_MAX);
	buf_init(&q->bytes, BYTES_MAX);
}

void
merge_free(struct merge_queue *q)
{
	buf_free(&q->msgs);
	buf_free(&q->fields);
	buf_free(&q->bytes);
}

static struct str
copy(struct merge_queue *q, struct str s)
{
	size_t at = q->bytes.n;

	if (s.p == NULL)
		return s;
	buf_adds(&q->bytes, s);
	/* Room was made for all beforehand, and one byte for an empty one. */
	return str_n(q->bytes.p + at, s.n);
}

static size_t
size(const struct msg *m)
{
	size_t n = m->channel.n;

	for (size_t i = 0; i < m->nfields; i++)
		n += m->fields[i].name.n + m->fields[i].value.n;
	return n;
}

static void
bind(struct msg *m, const struct msg_field *f)
{
	struct str *const member[] = {[MSG_DATA] = &m->data,
	    [MSG_EVENT] = &m->event,
	    [MSG_MID] = &m->mid,
	    [MSG_KEY] = &m->key};

	if (f->role != MSG_HEADER)
		*member[f->role] = f->value;
}

static void
copy_msg(struct merge_queue *q, struct msg *to, const struct msg *from)
{
	struct msg_field *f =
	    (struct msg_field *)(void *)(q->fields.p + q->fields.n);

	*to = *from;
	to->channel = copy(q, from->channel);
	to->fields = f;
	for (size_t i = 0; i < from->nfields; i++, f++) {
		f->role = from->fields[i].role;
		f->name = copy(q, from->fields[i].name);
		f->value = copy(q, from->fields[i].value);
		bind(to, f);
	}
	buf_used(&q->fields, from->nfields * sizeof(*f));
}

int
merge_fill(struct merge_queue *q, const struct msg *m, size_t n)
{
	size_t bytes = 1, fields = 1;
	struct msg *to;

	buf_clear(&q->msgs);
	buf_clear(&q->fields);
	buf_clear(&q->bytes);
	q->at = q->n = 0;
	for (size_t i = 0; i < n; i++) {
		bytes += size(&m[i]);
		fields += m[i].nfields;
	}
	to = (struct msg *)(void *)buf_room(&q->msgs, n * sizeof(*to) + 1);
	if (to == NULL || buf_room(&q->bytes, bytes) == NULL ||
	    buf_room(&q->fields, fields * sizeof(struct msg_field)) == NULL)
		return -1;
	for (size_t i = 0; i < n; i++)
		copy_msg(q, to + i, m + i);
	q->n = n;
	return 0;
}

const struct msg *
merge_peek(const struct merge_queue *q)
{
	const struct msg *m = (const struct msg *)(const void *)q->msgs.p;

	return q->at < q->n ? m + q->at : NULL;
}

void
merge_next(struct merge_queue *q)
{
	q->at++;
}
