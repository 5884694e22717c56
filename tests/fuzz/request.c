#include "wire/chunked.h"
#include "wire/http.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A request as a server reads it, head and body in pieces as they come: what it
 * makes of them is the same however they are cut.
 */

enum { BODY_MAX = 64 << 10, CUTS_MAX = 16 };

struct reader {
	int verdict; /* bytes of the head, or -status */
	bool chunked, done;
	uint64_t left; /* of a body that is not chunked */
	struct chunked chunks;
	struct buf head, body;
};

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static void
take_body(struct reader *r, struct str s)
{
	long n = 0;

	if (r->done || r->verdict < 0)
		return;
	if (r->chunked) {
		n = chunked_take(&r->chunks, s.p, s.n, &r->body, &r->done);
	} else {
		s.n = s.n < r->left ? s.n : (size_t)r->left;
		buf_adds(&r->body, s);
		r->left -= s.n;
		r->done = r->left == 0;
	}
	if (n < 0)
		r->verdict = -400;
	else if (r->body.failed)
		r->verdict = -413;
}

static void
take_head(struct reader *r, struct str s)
{
	struct http_request req;
	const char *why = NULL;

	buf_adds(&r->head, s);
	r->verdict = http_request(&req, r->head.p, r->head.n, &why);
	check((r->verdict < 0) == (why != NULL));
	/* The first to come that does not fit is noticed before the last. */
	check(r->verdict != 0 || r->head.n <= HTTP_HEAD_MAX);
	if (r->verdict <= 0)
		return;
	r->chunked = req.chunked;
	r->left = req.length > 0 ? (uint64_t)req.length : 0;
	take_body(r, str_from(buf_str(&r->head), (size_t)r->verdict));
	buf_cut(&r->head, (size_t)r->verdict);
}

static void
take(struct reader *r, struct str s)
{
	if (r->verdict == 0)
		take_head(r, s);
	else
		take_body(r, s);
}

static void
begin(struct reader *r, size_t size)
{
	*r = (struct reader){0};
	buf_init(&r->head, size + 1);
	buf_init(&r->body, BODY_MAX);
}

static void
end(struct reader *r)
{
	buf_free(&r->head);
	buf_free(&r->body);
}

/* What can be said of both: a refusal may come before all has been read. */
static void
compare(const struct reader *a, const struct reader *b)
{
	check(a->verdict == b->verdict);
	if (a->verdict <= 0)
		return;
	check(str_eq(buf_str(&a->head), buf_str(&b->head)));
	check(a->done == b->done && a->left == b->left);
	check(str_eq(buf_str(&a->body), buf_str(&b->body)));
}

/* The first bytes, up to a NUL, are the lengths of the pieces, in turn. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = size == 0 ? STR("") : str_n(data, size), cuts;
	struct reader whole, pieces;

	cuts = str_cut(rest, '\0', &rest);
	if (rest.p == NULL || cuts.n == 0 || cuts.n > CUTS_MAX)
		return 0;
	begin(&whole, size);
	begin(&pieces, size);
	take(&whole, rest);
	for (size_t i = 0; rest.n > 0; i++) {
		size_t n = (unsigned char)cuts.p[i % cuts.n];
		n = n < rest.n ? n : rest.n;
		take(&pieces, str_n(rest.p, n));
		rest = str_from(rest, n);
	}
	compare(&whole, &pieces);
	end(&whole);
	end(&pieces);
	return 0;
}
