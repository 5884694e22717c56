#include "core/gap.h"

const char *
gap_name(enum gap_reason reason)
{
	static const char *const names[] = {
	    [GAP_NONE] = "none",
	    [GAP_TRIMMED] = "trimmed",
	    [GAP_RESET] = "reset",
	    [GAP_REWOUND] = "rewound",
	    [GAP_DIVERGED] = "diverged",
	    [GAP_BAD_CURSOR] = "bad-cursor",
	    [GAP_HISTORY] = "history",
	};

	return names[reason];
}

static struct gap
verdict(const struct gap_facts *f, struct id cursor, enum gap_reason reason,
    struct id resume)
{
	return (struct gap){
	    .reason = reason,
	    .after = cursor,
	    .first = f->exists && f->length > 0 ? f->first : ID_MIN,
	    .resume = resume,
	    .certain = reason != GAP_NONE,
	};
}

static struct gap
none(const struct gap_facts *f, struct id cursor)
{
	return verdict(f, cursor, GAP_NONE, cursor);
}

/* Where the stream begins now, or would begin with the next entry. */
static struct id
edge(const struct gap_facts *f)
{
	return f->length > 0 ? f->first : id_next(f->last);
}

static struct gap
trimmed(const struct gap_facts *f, struct id cursor, bool certain)
{
	struct gap g = verdict(f, cursor, GAP_TRIMMED, id_prev(edge(f)));

	g.certain = certain;
	return g;
}

static struct gap
trimmed_exactly(const struct gap_facts *f, struct id cursor, uint64_t lost)
{
	struct gap g = trimmed(f, cursor, true);

	g.has_lost = true;
	g.lost = lost;
	return g;
}

/* Ids are 0-1, 0-2 and so on: the distance of two tells what lay between. */
static struct gap
check_dense(const struct gap_facts *f, struct id cursor)
{
	struct id end = edge(f);
	uint64_t between = end.seq - cursor.seq - 1;

	if (id_cmp(f->max_deleted, cursor) <= 0)
		return trimmed_exactly(f, cursor, between);
	if (between == 1 && id_cmp(f->max_deleted, end) < 0)
		return none(f, cursor);
	/* The one before the edge existed. If not deleted, it was trimmed. */
	return trimmed(f, cursor, id_cmp(f->max_deleted, id_prev(end)) < 0);
}

/*
 * All counting rests on this: the cursor and the entries before it are gone,
 * ordinal of them, or at least the one if that is not known.
 */
static struct gap
check_count(const struct gap_facts *f, struct id cursor, uint64_t ordinal)
{
	uint64_t removed = f->added - f->length;
	uint64_t upto = ordinal > 0 ? ordinal : 1;
	bool deleted = id_cmp(f->max_deleted, cursor) > 0;
	bool others = deleted || f->length == 0;

	/* Too few were removed: the cursor was not among them. */
	if (removed < upto || removed - upto < (uint64_t)others)
		return verdict(f, cursor, GAP_RESET, id_prev(edge(f)));
	if (cursor.ms == 0 && edge(f).ms == 0)
		return check_dense(f, cursor);
	if (removed - upto == (uint64_t)deleted)
		return none(f, cursor);
	if (ordinal > 0 && !deleted)
		return trimmed_exactly(f, cursor, removed - ordinal);
	/* In an empty stream the last entry was trimmed, if not deleted. */
	return trimmed(
	    f, cursor, f->length == 0 && id_cmp(f->max_deleted, f->last) < 0);
}

/* The cursor lies before the first entry. */
static struct gap
check_before(const struct gap_facts *f, struct id cursor, uint64_t ordinal)
{
	if (id_eq(id_next(cursor), edge(f)))
		return none(f, cursor);
	if (f->has_added && f->added >= f->length)
		return check_count(f, cursor, ordinal);
	if (cursor.ms == 0 && edge(f).ms == 0)
		return check_dense(f, cursor);
	return trimmed(f, cursor, false);
}

/* The cursor lies among the entries, or is one of them. */
static struct gap
check_within(const struct gap_facts *f, struct id cursor)
{
	/* Without max_deleted a deleted entry looks like one never there. */
	if (f->cursor_exists || !f->has_added ||
	    id_cmp(cursor, f->max_deleted) <= 0)
		return none(f, cursor);
	return verdict(f, cursor, GAP_DIVERGED, cursor);
}

bool
gap_is_start(struct id cursor)
{
	return id_eq(cursor, ID_MIN) || cursor.seq == UINT64_MAX;
}

struct gap
gap_check(const struct gap_facts *f, struct id cursor, uint64_t ordinal)
{
	int order;

	if (gap_is_start(cursor))
		return none(f, cursor);
	if (!f->exists)
		return verdict(f, cursor, GAP_RESET, ID_MIN);
	order = id_cmp(cursor, f->last);
	if (order > 0)
		return verdict(f, cursor, GAP_REWOUND, f->last);
	if (order == 0)
		return none(f, cursor);
	if (f->length > 0 && id_cmp(f->first, cursor) <= 0)
		return check_within(f, cursor);
	return check_before(f, cursor, ordinal);
}
