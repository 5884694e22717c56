#include "app/frame.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { N = 40, DATA = 300 };

/* Messages of 0 to DATA bytes, a few with a type, some of several lines. */
static struct msg msgs[N];
static char text[N][DATA];

static void
make_messages(void)
{
	srand(1);
	for (size_t i = 0; i < N; i++) {
		struct msg *m = &msgs[i];
		size_t n = i % 7 == 0 ? 0 : (size_t)rand() % DATA;

		for (size_t k = 0; k < n; k++)
			text[i][k] =
			    rand() % 20 == 0 ? '\n' : 'a' + (char)i % 26;
		m->id = (struct id){1000 + i, i * i};
		m->data = str_n(text[i], n);
		if (i % 5 == 0)
			m->event = STR("typed");
	}
}

/* What n messages are, one after the other. */
static struct buf
formatted(const struct msg *m, size_t n)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < n; i++)
		frame_message(&b, &m[i]);
	return b;
}

/* ---- Frames ---- */

static void
is_frame(const struct msg *m, struct str want, const char *name)
{
	struct buf b = formatted(m, 1);

	is_str(buf_str(&b), want, name);
	buf_free(&b);
}

static void
frames(void)
{
	struct msg m = {.id = {5, 1}};

	is_frame(&m, STR("id: 5-1\ndata: \n\n"), "no payload");
	m.data = STR("one");
	is_frame(&m, STR("id: 5-1\ndata: one\n\n"), "a payload");
	m.event = STR("e");
	is_frame(&m, STR("id: 5-1\nevent: e\ndata: one\n\n"), "a type");
	m.data = STR("a\nb\r\n");
	is_frame(&m, STR("id: 5-1\nevent: e\ndata: a\ndata: b\ndata: \n\n"),
	    "lines");
}

/* ---- Slices ---- */

static bool
holds(const struct frame_batch *f, const struct frame_slice *s,
    const struct msg *m, size_t n)
{
	struct buf want = formatted(m, n);
	bool same = str_eq(frame_batch_bytes(f, s), buf_str(&want));

	buf_free(&want);
	return same && s->nmarks == n;
}

static void
slices(void)
{
	struct frame_slice all, one, more;
	struct frame_batch f;

	frame_batch_init(&f);
	ok(!frame_batch_has(&f, 0, msgs, N), "nothing is there");
	all = frame_batch_add(&f, 1, msgs, N);
	ok(holds(&f, &all, msgs, N), "the frames of many");
	one = frame_batch_add(&f, 2, msgs + 3, 1);
	ok(holds(&f, &one, msgs + 3, 1), "and of one");
	more = frame_batch_add(&f, 2, msgs + 4, 10);
	ok(holds(&f, &more, msgs + 4, 10), "and of some");
	ok(holds(&f, &all, msgs, N) && holds(&f, &one, msgs + 3, 1),
	    "the first are still there");
	ok(!f.bytes.failed && !f.marks.failed, "all is well");
	frame_batch_free(&f);
	frame_batch_free(&f);
}

static void
once(void)
{
	struct frame_slice a, b;
	struct frame_batch f;
	size_t n;

	frame_batch_init(&f);
	a = frame_batch_add(&f, 7, msgs, 5);
	n = f.bytes.n;
	ok(frame_batch_has(&f, 7, msgs, 5), "these are there");
	b = frame_batch_add(&f, 7, msgs, 5);
	ok(memcmp(&a, &b, sizeof(a)) == 0 && f.bytes.n == n,
	    "and are not formatted again");
	ok(!frame_batch_has(&f, 8, msgs, 5), "another batch is not");
	ok(!frame_batch_has(&f, 7, msgs + 1, 5), "nor are others of it");
	ok(!frame_batch_has(&f, 7, msgs, 4), "nor fewer");
	ok(!frame_batch_has(&f, 7, msgs, 6), "nor more");
	b = frame_batch_add(&f, 8, msgs, 5);
	ok(b.from == a.to && holds(&f, &b, msgs, 5), "which are formatted");
	ok(!frame_batch_has(&f, 7, msgs, 5), "only the last are remembered");
	frame_batch_free(&f);
}

static void
cleared(size_t keep)
{
	struct frame_slice s;
	struct frame_batch f;

	frame_batch_init(&f);
	frame_batch_add(&f, 1, msgs, N);
	frame_batch_clear(&f, keep);
	is_int((long long)(f.bytes.n + f.marks.n), 0, "all is forgotten");
	ok(f.bytes.cap <= keep && f.marks.cap <= keep, "and given back");
	ok(!frame_batch_has(&f, 1, msgs, N), "nothing is there");
	s = frame_batch_add(&f, 1, msgs, N);
	ok(s.from == 0 && holds(&f, &s, msgs, N), "it begins anew");
	frame_batch_free(&f);
}

static void
too_much(void)
{
	struct frame_slice s;
	struct frame_batch f;

	frame_batch_init(&f);
	f.bytes.max = 1000;
	s = frame_batch_add(&f, 1, msgs + 1, 1);
	ok(!f.bytes.failed, "there is room for one");
	frame_batch_add(&f, 1, msgs, N);
	ok(f.bytes.failed, "but not for all");
	ok(holds(&f, &s, msgs + 1, 1), "what was there still is");
	frame_batch_clear(&f, 0);
	s = frame_batch_add(&f, 1, msgs + 1, 1);
	ok(!f.bytes.failed && holds(&f, &s, msgs + 1, 1), "it begins anew");
	frame_batch_free(&f);
}

/* ---- How far a write has come ---- */

/* By the frames themselves: the first that ends at n or behind it. */
static size_t
begun_by(const struct msg *m, size_t nm, size_t n, size_t *end)
{
	size_t i = 0;

	for (*end = 0; i < nm; i++) {
		struct buf b = formatted(m + i, 1);
		*end += b.n;
		buf_free(&b);
		if (*end >= n)
			return i + 1;
	}
	return nm;
}

static void
begun_in(const struct frame_batch *f, const struct frame_slice *s,
    const struct msg *m, size_t nm, const char *name)
{
	size_t length = s->to - s->from, bad = 0;

	for (size_t n = 0; n <= length; n++) {
		struct frame_mark last = {{0, 0}, 0};
		size_t begun = frame_batch_begun(f, s, n, &last), end;
		size_t want = begun_by(m, nm, n, &end);

		bad += begun != want || last.end != s->from + end ||
		    !id_eq(last.id, m[want - 1].id);
	}
	is_int((long long)bad, 0, name);
}

static void
begun(void)
{
	struct frame_slice all, one, more;
	struct frame_batch f;
	struct frame_mark last;
	size_t end;

	frame_batch_init(&f);
	all = frame_batch_add(&f, 1, msgs, N);
	one = frame_batch_add(&f, 2, msgs + 7, 1);
	more = frame_batch_add(&f, 3, msgs + 8, 9);
	begun_in(&f, &all, msgs, N, "begun of many, up to every byte");
	begun_in(&f, &one, msgs + 7, 1, "of one");
	begun_in(&f, &more, msgs + 8, 9, "of some in the midst of others");
	is_int((long long)frame_batch_begun(&f, &more, 0, &last), 1,
	    "who has nothing has begun the first");
	ok(id_eq(last.id, msgs[8].id), "that one");
	end = last.end - more.from;
	is_int((long long)frame_batch_begun(&f, &more, end, &last), 1,
	    "at its end it is the only one");
	is_int((long long)frame_batch_begun(&f, &more, end + 1, &last), 2,
	    "a byte later it is not");
	ok(id_eq(last.id, msgs[9].id), "but the next");
	end = frame_batch_bytes(&f, &more).n;
	is_int((long long)frame_batch_begun(&f, &more, end, &last), 9,
	    "who has all has begun all");
	ok(last.end == more.to && id_eq(last.id, msgs[16].id), "to the last");
	frame_batch_free(&f);
}

int
main(void)
{
	struct frame_batch zeroed;

	memset(&zeroed, 0, sizeof(zeroed));
	frame_batch_free(&zeroed);
	make_messages();
	frames();
	slices();
	once();
	cleared(0);
	cleared(100);
	too_much();
	begun();
	return done();
}
