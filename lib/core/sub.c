#include "core/sub.h"

#include "core/gap.h"

static bool
is_bounded(const struct sub *s)
{
	return !id_eq(s->until, ID_MAX);
}

/*
 * With a head that was learnt after the page was asked for, being past it
 * proves nothing: the stream may have been made anew meanwhile.
 */
static bool
is_level(const struct sub *s, struct sub_head head)
{
	return head.known && id_eq(s->last, head.id);
}

static bool
has_reached(const struct sub *s, struct sub_head head)
{
	return s->asked.known ? head.known && id_cmp(s->last, head.id) >= 0
			      : is_level(s, head);
}

/*
 * All entries up to head have been read, so that it is a cursor. To a start
 * beyond it, from which no gap could be told, it is to be preferred; what lies
 * between is still not wanted.
 */
static void
move_to(struct sub *s, struct id head)
{
	if (gap_is_start(head) || (s->cursor && id_cmp(s->last, head) >= 0))
		return;
	if (id_cmp(s->last, head) > 0)
		s->from = s->last;
	s->last = head;
	s->cursor = true;
}

void
sub_init(struct sub *s, struct id after, bool cursor, struct id until)
{
	/* Redis has no interval after its greatest id. */
	if (id_eq(after, ID_MAX))
		after = id_prev(after);
	*s = (struct sub){
	    .last = after,
	    .until = until,
	    .cursor = cursor && !gap_is_start(after),
	};
}

/* Then all that is to come is what the live read brings. */
static bool
is_at_head(const struct sub *s, struct sub_head head)
{
	return is_level(s, head) && !is_bounded(s) && !s->inflight &&
	    !s->paused && !s->suspect;
}

enum sub_want
sub_want(struct sub *s, struct sub_head head)
{
	if (s->ended)
		return SUB_END;
	s->waiting = s->waiting && !head.known;
	if (is_at_head(s, head)) {
		move_to(s, head.id);
		s->live = true;
		s->stale = false;
	}
	if (s->live || s->inflight || s->paused || s->waiting)
		return SUB_NOTHING;
	if (s->suspect)
		return SUB_CHECK;
	return s->cursor ? SUB_VERIFY : SUB_PAGE;
}

void
sub_asked(struct sub *s, struct sub_head head)
{
	s->asked = head;
	s->inflight = true;
	s->stale = false;
}

bool
sub_pass(struct sub *s, struct id id)
{
	if (s->stale || s->ended || id_cmp(id, s->last) <= 0)
		return false;
	s->ended = is_bounded(s) && id_cmp(id, s->until) >= 0;
	if (id_cmp(id, s->until) > 0)
		return false;
	s->last = id;
	s->cursor = true;
	s->suspect = false;
	return id_cmp(id, s->from) > 0;
}

bool
sub_pass_all(struct sub *s, struct id first, struct id last)
{
	if (s->stale || s->ended || is_bounded(s) ||
	    id_cmp(first, s->last) <= 0 || id_cmp(first, s->from) <= 0)
		return false;
	s->last = last;
	s->cursor = true;
	s->suspect = false;
	return true;
}

void
sub_page(struct sub *s, bool full, struct sub_head head)
{
	s->inflight = false;
	if (s->stale)
		return;
	s->suspect = false;
	if (full)
		return;
	if (is_bounded(s)) {
		s->ended = true;
		return;
	}
	if (s->asked.known)
		move_to(s, s->asked.id);
	s->live = has_reached(s, head);
	s->waiting = !head.known;
}

void
sub_suspect(struct sub *s)
{
	s->inflight = false;
	s->suspect = true;
}

void
sub_resume_at(struct sub *s, struct id resume)
{
	/* A cursor to stay at is not of this stream: it cannot be verified. */
	s->cursor = !id_eq(resume, s->last) && !gap_is_start(resume);
	/* Going back, it is another stream, where the start means nothing. */
	if (id_cmp(resume, s->last) < 0)
		s->from = ID_MIN;
	s->last = resume;
	s->inflight = false;
	s->suspect = false;
	s->ended = is_bounded(s) && id_cmp(resume, s->until) >= 0;
}

bool
sub_rewound(const struct sub *s, struct id newest)
{
	return s->asked.known && !s->stale && id_cmp(newest, s->asked.id) < 0;
}

void
sub_lost(struct sub *s)
{
	s->inflight = false;
}

void
sub_unsure(struct sub *s)
{
	s->live = false;
	s->waiting = false;
	s->stale = true;
}

void
sub_full(struct sub *s, struct id taken)
{
	if (id_cmp(taken, s->last) < 0) {
		s->last = taken;
		s->ended = false;
	}
	s->live = false;
	s->waiting = false;
	s->stale = true;
	s->paused = true;
}

void
sub_drained(struct sub *s)
{
	s->paused = false;
}
