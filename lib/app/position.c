#include "app/position.h"

#include "base/num.h"
#include "wire/cursor.h"

enum { SHOWN = 500 };

#define AT(member) offsetof(struct position, member)

const struct opt position_opts[] = {
    {'o', "offset", "SPEC", OPT_LIST, AT(offsets),
	"beginning, end, -N (the last N), ID (inclusive), s@TIME, e@TIME "
	"(end)",
	NULL, NULL, 0},
    {'n', "lines", "N|all", OPT_STR, AT(lines), "start with the last N", NULL,
	NULL, 0},
    {'a', "after", "CURSOR", OPT_STR, AT(after),
	"start after a cursor, such as an id: what is missing is told", NULL,
	NULL, 0},
    {'S', "since", "TIME", OPT_STR, AT(since),
	"start at TIME: now, -2h, 2026-09-01T10:00, epoch s or ms", NULL, NULL,
	0},
    {'U', "until", "TIME", OPT_STR, AT(until), "end before TIME", NULL, NULL,
	0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

struct reading {
	int64_t now_ms;
	struct feed_start *start;
	struct id *until;
	struct str *cursor;
	unsigned starts, ends;
	struct buf *err;
};

static int
bad(struct reading *r, const char *what, struct str text)
{
	int shown = text.n < SHOWN ? (int)text.n : SHOWN;

	buf_addf(r->err, "%s: %.*s", what, shown, text.p);
	return -1;
}

static int
id_at(struct str time, int64_t now_ms, struct id *id)
{
	int64_t ms;

	if (num_time(time, now_ms, &ms) != 0)
		return -1;
	*id = (struct id){ms > 0 ? (uint64_t)ms : 0, 0};
	return 0;
}

int
position_since(struct str time, int64_t now_ms, struct feed_start *start)
{
	start->from = FEED_SINCE;
	return id_at(time, now_ms, &start->id);
}

static int
start_since(struct reading *r, struct str text)
{
	r->starts++;
	if (position_since(text, r->now_ms, r->start) != 0)
		return bad(r, "not a time", text);
	return 0;
}

static int
end_before(struct reading *r, struct str text)
{
	r->ends++;
	if (id_at(text, r->now_ms, r->until) != 0)
		return bad(r, "not a time", text);
	*r->until = id_prev(*r->until);
	return 0;
}

static int
start_last(struct reading *r, struct str text)
{
	r->starts++;
	r->start->from = FEED_LAST;
	if (str_eq(text, STR("all"))) {
		r->start->from = FEED_BEGINNING;
		return 0;
	}
	if (num_u64(text, &r->start->n) != 0)
		return bad(r, "not a number of messages", text);
	return 0;
}

static int
start_id(
    struct reading *r, struct str text, enum feed_from from, const char *what)
{
	struct id id;

	if (id_parse_short(text, 0, &id) != 0)
		return bad(r, what, text);
	r->starts++;
	r->start->from = id_eq(id, ID_MIN) ? FEED_BEGINNING : from;
	r->start->id = id;
	return 0;
}

static int
start_after(struct reading *r, struct str text)
{
	if (cursor_parse(text, NULL, 0) != 0)
		return start_id(r, text, FEED_AFTER, "not a cursor");
	r->starts++;
	*r->cursor = text;
	return 0;
}

static int
read_offset(struct reading *r, struct str text)
{
	if (str_starts(text, STR("s@")))
		return start_since(r, str_from(text, 2));
	if (str_starts(text, STR("e@")))
		return end_before(r, str_from(text, 2));
	if (str_starts(text, STR("-")))
		return start_last(r, str_from(text, 1));
	if (!str_eq(text, STR("beginning")) && !str_eq(text, STR("end")))
		return start_id(r, text, FEED_SINCE, "not an offset");
	r->starts++;
	r->start->from = text.p[0] == 'b' ? FEED_BEGINNING : FEED_END;
	return 0;
}

static int
read_options(struct reading *r, const struct position *p)
{
	for (size_t i = 0; i < p->offsets.n; i++)
		if (read_offset(r, str_c(p->offsets.v[i])) != 0)
			return -1;
	if (p->lines != NULL && start_last(r, str_c(p->lines)) != 0)
		return -1;
	if (p->after != NULL && start_after(r, str_c(p->after)) != 0)
		return -1;
	if (p->since != NULL && start_since(r, str_c(p->since)) != 0)
		return -1;
	if (p->until != NULL && end_before(r, str_c(p->until)) != 0)
		return -1;
	if (r->starts > 1)
		buf_addz(r->err, "more than one start position");
	else if (r->ends > 1)
		buf_addz(r->err, "more than one end position");
	return r->starts > 1 || r->ends > 1 ? -1 : 0;
}

int
position_read(const struct position *p, int64_t now_ms,
    struct feed_start *start, struct id *until, struct str *cursor,
    struct buf *err)
{
	struct reading r = {now_ms, start, until, cursor, 0, 0, err};

	*until = ID_MAX;
	*cursor = str_c(NULL);
	return read_options(&r, p);
}

void
position_free(struct position *p)
{
	opt_list_free(&p->offsets);
}
