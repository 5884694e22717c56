#include "app/entry.h"

#include <string.h>

/* Linux: malloc_trim(3). */
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { ENTRY = 2 }; /* [id, [name, value, ...]] */

/* More than any reply holds; what is kept between replies is far less. */
#define ENTRIES_MAX ((size_t)1 << 31)

enum {
	KEEP = 64 << 10,
	FIRST_COUNT = 100,
	PAGE_BYTES = 256 << 10,
};

void
entries_init(struct entries *e)
{
	memset(e, 0, sizeof(*e));
	buf_init(&e->msgs, ENTRIES_MAX);
	buf_init(&e->fields, ENTRIES_MAX);
}

void
entries_free(struct entries *e)
{
	buf_free(&e->msgs);
	buf_free(&e->fields);
}

void
entries_trim(struct entries *e)
{
	e->n = e->bytes = 0;
	buf_shrink(&e->msgs, 0);
	buf_shrink(&e->fields, 0);
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

int
entry_id(struct id *id, const struct redis_reply *entry)
{
	return id_parse(redis_text(redis_at(entry, 0)), id);
}

static size_t
count_fields(const struct redis_reply *list)
{
	size_t n = 0;

	for (size_t i = 0; i < redis_len(list); i++)
		n += redis_len(redis_at(redis_at(list, i), 1)) / 2;
	return n;
}

/* Read the fields of one entry to f, which has room; their number. */
static size_t
read_fields(
    struct entries *e, struct msg_field *f, const struct redis_reply *list)
{
	size_t n = redis_len(list) / 2;

	for (size_t i = 0; i < n; i++) {
		f[i].name = redis_text(redis_at(list, 2 * i));
		f[i].value = redis_text(redis_at(list, 2 * i + 1));
		f[i].role = MSG_HEADER;
		e->bytes += f[i].name.n + f[i].value.n;
	}
	return n;
}

int
entries_read(struct entries *e, const struct redis_reply *list,
    struct str channel, struct str data_name)
{
	size_t n = redis_len(list);
	struct msg_field *f;
	struct msg *m;

	e->n = e->bytes = 0;
	e->serial++;
	buf_shrink(&e->msgs, KEEP);
	buf_shrink(&e->fields, KEEP);
	m = (struct msg *)(void *)buf_room(&e->msgs, n * sizeof(*m) + 1);
	f = (struct msg_field *)(void *)buf_room(
	    &e->fields, count_fields(list) * sizeof(*f) + 1);
	if (m == NULL || f == NULL)
		return -1;
	for (size_t i = 0; i < n; i++, m++) {
		const struct redis_reply *entry = redis_at(list, i);
		size_t nf;
		memset(m, 0, sizeof(*m));
		if (redis_len(entry) != ENTRY || entry_id(&m->id, entry) != 0)
			return -1;
		nf = read_fields(e, f, redis_at(entry, 1));
		msg_bind(m, f, nf, data_name);
		m->has_id = true;
		m->channel = channel;
		m->ts_ms =
		    m->id.ms <= INT64_MAX ? (int64_t)m->id.ms : INT64_MAX;
		f += nf;
	}
	e->n = n;
	return 0;
}

const struct msg *
entries_msgs(const struct entries *e)
{
	return (const struct msg *)(const void *)e->msgs.p;
}

uint64_t
entries_first_count(uint64_t most)
{
	return FIRST_COUNT < most ? FIRST_COUNT : most;
}

uint64_t
entries_next_count(const struct entries *e, uint64_t before, uint64_t most)
{
	uint64_t count = before * 4;

	if (e->n == 0)
		return before;
	if (count > PAGE_BYTES / (e->bytes / e->n + 1))
		count = PAGE_BYTES / (e->bytes / e->n + 1);
	if (count > most)
		count = most;
	return count > 0 ? count : 1;
}

int
entry_info(struct gap_facts *f, const struct redis_reply *info)
{
	const struct redis_reply *added, *deleted, *first;

	memset(f, 0, sizeof(*f));
	if (id_parse(redis_text(redis_get(info, "last-generated-id")),
		&f->last) != 0)
		return -1;
	f->exists = true;
	f->length = (uint64_t)redis_int(redis_get(info, "length"));
	first = redis_get(info, "first-entry");
	if (f->length > 0 && entry_id(&f->first, first) != 0)
		return -1;
	added = redis_get(info, "entries-added");
	deleted = redis_get(info, "max-deleted-entry-id");
	f->has_added = added != NULL && deleted != NULL &&
	    id_parse(redis_text(deleted), &f->max_deleted) == 0;
	if (f->has_added)
		f->added = (uint64_t)redis_int(added);
	return 0;
}

bool
entry_is_missing(const struct redis_reply *r)
{
	return redis_type(r) == REDIS_ERROR &&
	    str_starts(redis_text(r), STR("ERR no such key"));
}
