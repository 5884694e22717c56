#include "core/sub.h"

#include "tap.h"

static const struct sub_head unknown;

static struct id
at(uint64_t ms)
{
	return (struct id){ms, 0};
}

static struct sub_head
head(uint64_t ms)
{
	return (struct sub_head){true, at(ms)};
}

static bool
wants(struct sub *s, struct sub_head h, enum sub_want want)
{
	return sub_want(s, h) == want;
}

/* A page with these two heads, of one entry unless that is 0. */
static void
page(struct sub *s, struct sub_head asked, uint64_t ms, struct sub_head now)
{
	sub_asked(s, asked);
	if (ms != 0)
		(void)sub_pass(s, at(ms));
	sub_page(s, false, now);
}

static void
test_catch_up(void)
{
	struct sub s;

	sub_init(&s, ID_MIN, false, ID_MAX);
	ok(wants(&s, head(9), SUB_PAGE), "a start: a page");
	sub_asked(&s, head(9));
	ok(wants(&s, head(9), SUB_NOTHING), "one page at a time");
	ok(sub_pass(&s, at(5)) && !sub_pass(&s, at(5)) && !sub_pass(&s, at(4)),
	    "the gate passes what is new");
	sub_page(&s, true, head(9));
	ok(wants(&s, head(9), SUB_VERIFY), "full: a next page, verified");
	page(&s, head(9), 7, head(10));
	ok(id_eq(s.last, at(9)), "short: all up to the head has been seen");
	ok(!s.live && wants(&s, head(10), SUB_VERIFY), "the head has moved on");
	page(&s, head(10), 10, head(10));
	ok(s.live && wants(&s, head(10), SUB_NOTHING), "short again: live");
	page(&s, head(10), 12, head(11));
	ok(s.live, "a page may be ahead of the live read");
}

static void
test_unknown_head(void)
{
	struct sub s;

	sub_init(&s, at(5), true, ID_MAX);
	page(&s, unknown, 6, unknown);
	ok(!s.live && wants(&s, unknown, SUB_NOTHING), "wait for the head");
	ok(wants(&s, head(6), SUB_NOTHING) && s.live, "it is no newer: live");
	sub_init(&s, at(5), true, ID_MAX);
	page(&s, unknown, 6, unknown);
	ok(wants(&s, head(7), SUB_VERIFY) && !s.live, "it is newer: read");
	sub_init(&s, at(5), true, ID_MAX);
	page(&s, unknown, 6, unknown);
	ok(wants(&s, head(4), SUB_VERIFY) && !s.live, "it is older: verify");
	page(&s, unknown, 0, head(7));
	ok(!s.live && id_eq(s.last, at(6)),
	    "a head learnt later proves nothing");
	sub_init(&s, at(6), true, ID_MAX);
	page(&s, unknown, 0, unknown);
	sub_full(&s, s.last);
	ok(wants(&s, head(6), SUB_NOTHING) && !s.live, "full while waiting");
	sub_drained(&s);
	ok(wants(&s, head(7), SUB_VERIFY), "drained: read again");
}

/* All that is to come then comes live. */
static void
test_at_head(void)
{
	struct sub s;

	sub_init(&s, at(5), true, ID_MAX);
	ok(wants(&s, head(5), SUB_NOTHING) && s.live, "at the head: live");
	ok(sub_pass(&s, at(6)), "live at once");
	sub_unsure(&s);
	ok(wants(&s, unknown, SUB_VERIFY), "unsure: verify");
	ok(wants(&s, head(6), SUB_NOTHING) && s.live, "unsure, at the head");
	sub_init(&s, at(5), true, at(9));
	ok(wants(&s, head(5), SUB_VERIFY) && !s.live, "with an end: never");
	sub_init(&s, at(5), false, ID_MAX);
	ok(wants(&s, head(5), SUB_NOTHING) && s.live && s.cursor,
	    "a start at the head is a cursor");
	sub_init(&s, at(5), true, ID_MAX);
	sub_asked(&s, head(5));
	ok(wants(&s, head(5), SUB_NOTHING) && !s.live, "not while reading");
	sub_suspect(&s);
	ok(wants(&s, head(5), SUB_CHECK), "nor when suspect");
}

static void
test_pass_all(void)
{
	struct sub s;

	sub_init(&s, at(5), true, ID_MAX);
	ok(!sub_pass_all(&s, at(5), at(7)) && id_eq(s.last, at(5)),
	    "one of them has been seen");
	ok(sub_pass_all(&s, at(6), at(7)) && id_eq(s.last, at(7)), "all");
	ok(!sub_pass(&s, at(7)) && sub_pass(&s, at(8)), "and no more");
	sub_unsure(&s);
	ok(!sub_pass_all(&s, at(9), at(9)), "not what is out of date");
	sub_init(&s, at(5), true, at(9));
	ok(!sub_pass_all(&s, at(6), at(7)), "until: one by one");
	sub_init(&s, at(20), true, ID_MAX);
	page(&s, head(10), 0, head(10));
	ok(!sub_pass_all(&s, at(15), at(25)) &&
		sub_pass_all(&s, at(25), at(26)),
	    "none before the start");
}

static void
test_bounds(void)
{
	struct sub s;

	sub_init(&s, at(1), false, at(5));
	sub_asked(&s, unknown);
	ok(sub_pass(&s, at(5)) && !sub_pass(&s, at(6)), "until is inclusive");
	sub_page(&s, true, unknown);
	ok(wants(&s, unknown, SUB_END), "until was met: the end");
	sub_init(&s, at(1), false, at(5));
	sub_asked(&s, unknown);
	ok(!sub_pass(&s, at(6)) && id_eq(s.last, at(1)), "past until");
	sub_page(&s, true, unknown);
	ok(wants(&s, unknown, SUB_END), "until was passed: the end");
	sub_init(&s, at(1), false, at(5));
	page(&s, unknown, 3, unknown);
	ok(wants(&s, head(9), SUB_END) && !s.live, "a short page: the end");
	sub_init(&s, at(1), true, at(5));
	sub_asked(&s, unknown);
	sub_resume_at(&s, at(7));
	ok(wants(&s, unknown, SUB_END), "a gap beyond until: the end");
	sub_init(&s, ID_MAX, true, ID_MAX);
	ok(id_cmp(s.last, ID_MAX) < 0, "never after the greatest id");
}

static void
test_full(void)
{
	struct sub s;

	sub_init(&s, ID_MIN, false, at(9));
	sub_asked(&s, unknown);
	ok(sub_pass(&s, at(5)), "the last that the sink takes");
	sub_full(&s, s.last);
	ok(!sub_pass(&s, at(6)), "full: no more");
	sub_drained(&s);
	ok(!sub_pass(&s, at(7)), "drained: not the rest of the same page");
	sub_page(&s, false, unknown);
	ok(wants(&s, unknown, SUB_VERIFY),
	    "a page cut short is not a short one");

	sub_init(&s, ID_MIN, false, at(7));
	sub_asked(&s, unknown);
	ok(sub_pass(&s, at(5)) && sub_pass(&s, at(6)) && sub_pass(&s, at(7)),
	    "a page is passed");
	sub_full(&s, at(5));
	sub_page(&s, false, unknown);
	sub_drained(&s);
	ok(wants(&s, unknown, SUB_VERIFY) && id_eq(s.last, at(5)),
	    "its first entry only was taken: go on behind that");

	sub_init(&s, at(5), true, ID_MAX);
	page(&s, head(5), 0, head(5));
	ok(s.live && sub_pass(&s, at(6)), "live");
	sub_full(&s, s.last);
	ok(!s.live && wants(&s, head(6), SUB_NOTHING), "full: paused");
	sub_drained(&s);
	ok(wants(&s, head(7), SUB_VERIFY), "drained: catching up");
	ok(wants(&s, head(6), SUB_NOTHING) && s.live && sub_pass(&s, at(7)),
	    "drained, and nothing came meanwhile: live");
}

static void
test_checks(void)
{
	struct sub s;

	sub_init(&s, at(5), true, ID_MAX);
	sub_asked(&s, head(5));
	sub_suspect(&s);
	ok(wants(&s, head(5), SUB_CHECK), "the cursor is gone: look closer");
	sub_asked(&s, head(5));
	sub_lost(&s);
	ok(wants(&s, head(5), SUB_CHECK), "lost: the same again");
	page(&s, head(5), 0, head(5));
	ok(s.live, "no gap: the checked page counts");
	sub_unsure(&s);
	ok(wants(&s, head(6), SUB_VERIFY), "unsure: verify");
	sub_asked(&s, head(9));
	sub_unsure(&s);
	ok(!sub_rewound(&s, at(8)), "unsure: the head of then may be wrong");
	sub_asked(&s, head(5));
	sub_unsure(&s);
	sub_page(&s, false, head(5));
	ok(!s.live && wants(&s, head(6), SUB_VERIFY),
	    "a page asked for before that does not count");
	sub_suspect(&s);
	sub_asked(&s, head(9));
	ok(sub_pass(&s, at(6)), "an entry of a checked page");
	sub_full(&s, s.last);
	sub_page(&s, true, head(9));
	sub_drained(&s);
	ok(wants(&s, head(9), SUB_VERIFY), "there is a cursor once more");
	sub_asked(&s, head(9));
	ok(!sub_rewound(&s, at(9)) && sub_rewound(&s, at(8)), "rewound");
	sub_resume_at(&s, at(3));
	ok(id_eq(s.last, at(3)) && wants(&s, head(4), SUB_VERIFY),
	    "go on before the cursor, and lose nothing there either");
	sub_asked(&s, head(9));
	sub_resume_at(&s, at(3));
	ok(wants(&s, head(9), SUB_PAGE), "a diverged cursor is but a start");
}

/* A start beyond the head, such as a time when nothing was said since. */
static void
test_start_beyond(void)
{
	struct sub s;

	sub_init(&s, at(50), false, ID_MAX);
	page(&s, head(40), 0, head(40));
	ok(s.live && id_eq(s.last, at(40)), "the head is the better cursor");
	sub_unsure(&s);
	ok(wants(&s, head(41), SUB_VERIFY), "so that a gap will be seen");
	sub_asked(&s, head(40));
	ok(!sub_pass(&s, at(50)) && sub_pass(&s, at(51)),
	    "what lies between is not wanted");
	sub_init(&s, at(50), false, ID_MAX);
	page(&s, (struct sub_head){true, ID_MIN}, 0, unknown);
	ok(id_eq(s.last, at(50)), "nothing to be preferred in no stream");
}

/* What gap_check can say nothing about is not verified. */
static void
test_starts(void)
{
	struct sub s;

	sub_init(&s, ID_MIN, true, ID_MAX);
	ok(wants(&s, unknown, SUB_PAGE), "a cursor of 0-0 is but a start");
	sub_init(&s, at(5), true, ID_MAX);
	sub_asked(&s, head(9));
	sub_resume_at(&s, id_prev(at(8)));
	ok(wants(&s, head(9), SUB_PAGE), "and so is the end of a time");
}

int
main(void)
{
	test_catch_up();
	test_unknown_head();
	test_at_head();
	test_pass_all();
	test_bounds();
	test_full();
	test_checks();
	test_start_beyond();
	test_starts();
	return done();
}
