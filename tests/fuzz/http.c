#include "wire/http.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static int
parse(struct http_request *r, struct str s)
{
	const char *why = NULL;
	int rc = http_request(r, s.p, s.n, &why);

	check((rc < 0) == (why != NULL));
	check(rc <= (int)s.n && rc <= HTTP_HEAD_MAX);
	return rc;
}

/* What the first n bytes give is what all give, or that more are needed. */
static void
check_prefix(struct str s, size_t n, int rc)
{
	struct http_request r;
	int got = parse(&r, str_n(s.p, n));

	if (rc > 0)
		check(got == (n < (size_t)rc ? 0 : rc));
	else
		check(got == 0 || got == rc);
}

static void
check_prefixes(struct str s, int rc)
{
	size_t step = 1 + s.n / 512;

	for (size_t n = 0; n < s.n; n += step)
		check_prefix(s, n, rc);
	if (rc > 0)
		check_prefix(s, (size_t)rc - 1, rc);
}

static void
check_inside(struct str part, struct str s)
{
	if (part.p != NULL)
		check(part.p >= s.p && part.n <= s.n &&
		    (size_t)(part.p - s.p) <= s.n - part.n);
}

static void
check_field(const struct http_field *f, struct str head)
{
	struct str trimmed = str_trim(f->value);

	check_inside(f->name, head);
	check_inside(f->value, head);
	check(f->name.n > 0 && str_find(f->name, ' ') == f->name.n);
	check(f->value.p != NULL && trimmed.n == f->value.n);
	for (size_t i = 0; i < f->value.n; i++) {
		unsigned char c = (unsigned char)f->value.p[i];
		check((c >= ' ' && c != 0x7f) || c == '\t');
	}
}

static void
check_request(const struct http_request *r, struct str head)
{
	struct str host = http_field(r, STR("hOST"));

	check_inside(r->path, head);
	check_inside(r->query, head);
	check(r->nfields <= HTTP_FIELDS_MAX);
	for (size_t i = 0; i < r->nfields; i++)
		check_field(&r->fields[i], head);
	check(r->path.n > 0);
	check(r->path.p[0] == '/' ||
	    (r->method == HTTP_OPTIONS && str_eq(r->path, STR("*"))));
	check(host.p != NULL ? host.n > 0 : r->minor == 0);
	check(r->length == -1 || !r->chunked);
	check(r->has_body == (r->chunked || r->length > 0));
	check(
	    !r->has_body || (r->method != HTTP_GET && r->method != HTTP_HEAD));
	check(r->minor == 1 || (!r->chunked && !r->expect));
}

static void
write_request(struct buf *b, const struct http_request *r, struct str method)
{
	buf_adds(b, method);
	buf_addc(b, ' ');
	buf_adds(b, r->path);
	if (r->query.p != NULL) {
		buf_addc(b, '?');
		buf_adds(b, r->query);
	}
	buf_addf(b, " HTTP/1.%d\r\n", r->minor);
	for (size_t i = 0; i < r->nfields; i++) {
		buf_adds(b, r->fields[i].name);
		buf_addc(b, ':');
		buf_adds(b, r->fields[i].value);
		buf_addz(b, "\r\n");
	}
	buf_addz(b, "\r\n");
}

/* What was read, written again, is read as the same. */
static void
check_again(const struct http_request *r, struct str head)
{
	struct http_request again;
	struct str method, rest;
	struct buf b;

	while (str_starts(head, STR("\r\n")))
		head = str_from(head, 2);
	method = str_cut(head, ' ', &rest);
	buf_init(&b, HTTP_HEAD_MAX);
	write_request(&b, r, method);
	check(parse(&again, buf_str(&b)) == (int)b.n);
	check(again.method == r->method && again.minor == r->minor);
	check(str_eq(again.path, r->path) && str_eq(again.query, r->query));
	check(again.length == r->length && again.chunked == r->chunked);
	check(again.nfields == r->nfields && again.expect == r->expect);
	for (size_t i = 0; i < r->nfields; i++)
		check(str_eq(again.fields[i].value, r->fields[i].value));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n(data, size);
	struct http_request r;
	int rc = parse(&r, s);

	if (rc > 0) {
		struct str head = {s.p, (size_t)rc};
		check(size >= 4 && memcmp(s.p + rc - 4, "\r\n\r\n", 4) == 0);
		check_request(&r, head);
		check_again(&r, head);
	}
	check_prefixes(s, rc);
	return 0;
}
