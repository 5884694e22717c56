#include "fake_stream.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

enum { REPLY_BYTES = 8 << 20, ADDED_BYTES = 64 << 10 };

static void
stream_check(bool cond)
{
	if (!cond)
		abort();
}

/* ---- Replies ---- */

static void
bulk(struct buf *b, struct str s)
{
	buf_addf(b, "$%zu\r\n", s.n);
	buf_adds(b, s);
	buf_addz(b, "\r\n");
}

static void
bulk_id(struct buf *b, struct id id)
{
	char text[ID_TEXT];

	bulk(b, str_n(text, id_format(text, id)));
}

static void
add_entry(struct buf *b, const struct fake_entry *e)
{
	bool typed = e->type.n > 0;

	buf_addz(b, "*2\r\n");
	bulk_id(b, e->id);
	buf_addf(b, "*%d\r\n", typed ? 4 : 2);
	if (typed) {
		bulk(b, STR("event"));
		bulk(b, e->type);
	}
	bulk(b, STR("data"));
	bulk(b, e->data);
}

/* The entries first to last, at most count of them; the number. */
static size_t
add_range(const struct fake_stream *f, struct buf *b, struct id first,
    struct id last, uint64_t count, bool reversed)
{
	struct buf list;
	size_t n = 0;

	buf_init(&list, REPLY_BYTES);
	for (size_t i = 0; i < f->nentries && n < count; i++) {
		size_t at = reversed ? f->nentries - 1 - i : i;
		const struct fake_entry *e = &f->entries[at];
		if (id_cmp(e->id, first) >= 0 && id_cmp(e->id, last) <= 0) {
			add_entry(&list, e);
			n++;
		}
	}
	buf_addf(b, "*%zu\r\n", n);
	buf_adds(b, buf_str(&list));
	buf_free(&list);
	return n;
}

/* ---- Commands ---- */

static bool
has_key(const struct fake_stream *f, struct str key)
{
	return f->nadded > 0 && key.n >= 4 &&
	    str_eq(str_from(key, key.n - 4), STR("room"));
}

/* `-`, `+`, ID, MS or one of these behind `(`. */
static struct id
bound(struct str s, bool upper)
{
	bool open = str_starts(s, STR("("));
	struct id id = upper ? ID_MAX : ID_MIN;

	if (str_eq(s, STR("-")))
		return ID_MIN;
	if (str_eq(s, STR("+")))
		return ID_MAX;
	stream_check(id_parse_short(
			 str_from(s, open), upper ? UINT64_MAX : 0, &id) == 0);
	if (open)
		id = upper ? id_prev(id) : id_next(id);
	return id;
}

/* X[REV]RANGE key start end [COUNT n] */
static void
xrange(const struct fake_stream *f, struct buf *b, const struct str *argv,
    size_t argc, bool reversed)
{
	uint64_t count = UINT64_MAX;
	struct id from, to;

	stream_check(argc == 4 || argc == 6);
	if (argc == 6)
		stream_check(str_eq(argv[4], STR("COUNT")) &&
		    num_u64(argv[5], &count) == 0 && count > 0);
	from = bound(argv[reversed ? 3 : 2], false);
	to = bound(argv[reversed ? 2 : 3], true);
	if (!has_key(f, argv[1]))
		count = 0;
	add_range(f, b, from, to, count, reversed);
}

static void
xinfo(const struct fake_stream *f, struct buf *b, const struct str *argv,
    size_t argc)
{
	stream_check(argc == 3 && str_eq(argv[1], STR("STREAM")));
	if (!has_key(f, argv[2])) {
		buf_addz(b, "-ERR no such key\r\n");
		return;
	}
	buf_addz(b, "*10\r\n");
	bulk(b, STR("length"));
	buf_addf(b, ":%zu\r\n", f->nentries);
	bulk(b, STR("last-generated-id"));
	bulk_id(b, f->last);
	bulk(b, STR("max-deleted-entry-id"));
	bulk_id(b, f->deleted);
	bulk(b, STR("entries-added"));
	buf_addf(b, ":%llu\r\n", f->nadded);
	bulk(b, STR("first-entry"));
	if (f->nentries > 0)
		add_entry(b, &f->entries[0]);
	else
		buf_addz(b, "$-1\r\n");
}

/*
 * XREAD COUNT n [BLOCK ms] STREAMS key... id...: false, and nothing appended,
 * if it has to wait.
 */
static bool
xread(const struct fake_stream *f, struct buf *b, const struct str *argv,
    size_t argc)
{
	size_t first = argc > 3 && str_eq(argv[3], STR("BLOCK")) ? 6 : 4;
	size_t n = (argc - first) / 2, found = 0;
	uint64_t count = 0;
	struct buf list;

	stream_check(argc > first && (argc - first) % 2 == 0 &&
	    str_eq(argv[first - 1], STR("STREAMS")) &&
	    num_u64(argv[2], &count) == 0 && count > 0);
	buf_init(&list, REPLY_BYTES);
	for (size_t i = first; i < first + n; i++) {
		struct id after = ID_MIN;
		size_t before = list.n;
		stream_check(id_parse(argv[i + n], &after) == 0);
		buf_addz(&list, "*2\r\n");
		bulk(&list, argv[i]);
		if (has_key(f, argv[i]) && !id_eq(after, ID_MAX) &&
		    add_range(f, &list, id_next(after), ID_MAX, count, false))
			found++;
		else
			buf_cut(&list, before);
	}
	if (found > 0) {
		buf_addf(b, "*%zu\r\n", found);
		buf_adds(b, buf_str(&list));
	} else if (first == 4) {
		buf_addz(b, "*-1\r\n");
	}
	buf_free(&list);
	return found > 0 || first == 4;
}

static struct str
fake_keep(struct fake_stream *f, struct str s)
{
	size_t at = f->added.n;

	if (at + s.n > f->added.cap)
		return STR("");
	buf_adds(&f->added, s);
	return str_n(f->added.p + at, s.n);
}

/* XADD key ... * name value... */
static void
xadd(struct fake_stream *f, struct buf *b, const struct str *argv, size_t argc)
{
	struct str data = STR("");
	size_t i = 2;

	while (i < argc && !str_eq(argv[i], STR("*")))
		i++;
	stream_check(i < argc && (argc - i) % 2 == 1 && argc - i >= 3);
	for (i++; i < argc; i += 2)
		if (str_eq(argv[i], STR("data")))
			data = fake_keep(f, argv[i + 1]);
	fake_stream_add(f, STR(""), data);
	bulk_id(b, f->last);
}

bool
fake_stream_reply(
    struct fake_stream *f, struct buf *b, const struct str *argv, size_t argc)
{
	struct str name = argv[0];

	if (str_eq(name, STR("XINFO")))
		xinfo(f, b, argv, argc);
	else if (str_eq(name, STR("XRANGE")))
		xrange(f, b, argv, argc, false);
	else if (str_eq(name, STR("XREVRANGE")))
		xrange(f, b, argv, argc, true);
	else if (str_eq(name, STR("XREAD")))
		return xread(f, b, argv, argc);
	else if (str_eq(name, STR("XADD")))
		xadd(f, b, argv, argc);
	else
		buf_addz(b, "-ERR unknown command\r\n");
	return true;
}

/* ---- ---- */

void
fake_stream_init(struct fake_stream *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->added, ADDED_BYTES);
	(void)buf_room(&f->added, ADDED_BYTES);
	fake_stream_delete(f);
}

void
fake_stream_delete(struct fake_stream *f)
{
	f->nentries = 0;
	f->nadded = 0;
	f->last = (struct id){1000, 0};
	f->deleted = ID_MIN;
}

void
fake_stream_reset(struct fake_stream *f)
{
	fake_stream_delete(f);
	buf_clear(&f->added);
}

void
fake_stream_trim(struct fake_stream *f)
{
	if (f->nentries == 0)
		return;
	f->nentries--;
	memmove(f->entries, f->entries + 1, f->nentries * sizeof(*f->entries));
}

void
fake_stream_add(struct fake_stream *f, struct str type, struct str data)
{
	if (f->nentries == FAKE_ENTRIES)
		fake_stream_trim(f);
	f->last.seq++;
	f->nadded++;
	f->entries[f->nentries++] = (struct fake_entry){f->last, type, data};
}
