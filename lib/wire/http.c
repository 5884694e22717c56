#include "wire/http.h"

#include "base/num.h"
#include "wire/chars.h"
#include "wire/uri.h"

/*
 * request-head = *2CRLF request-line CRLF *( field-line CRLF ) CRLF
 * request-line = method SP request-target SP HTTP-version
 * field-line   = field-name ":" OWS field-value OWS
 *
 * All is taken from left to right, and the first byte that cannot be right
 * decides: no later byte changes an answer, so that it may be given at once.
 */

enum { EMPTY_LINES_MAX = 2 };

/* What the steps below return, besides -status. */
enum { MORE = 0, DONE = 1 };

struct reading {
	struct http_request *r;
	struct str in; /* what is not yet taken */
	const char *why;
};

static int
refuse(struct reading *h, int status, const char *why)
{
	h->why = why;
	return -status;
}

/* The byte that comes next may not stand there. */
static int
refuse_byte(struct reading *h, const char *why)
{
	if (h->in.p[0] == '\n')
		why = "line does not end in CR LF";
	return refuse(h, 400, why);
}

/* Take bytes of the class up to another one, which must be there. */
static int
take_span(struct reading *h, bool (*is_member)(char), struct str *taken)
{
	taken->p = h->in.p;
	taken->n = chars_span(h->in, is_member);
	h->in = str_from(h->in, taken->n);
	return h->in.n > 0 ? DONE : MORE;
}

/* Take one or more bytes of the class, and the byte behind them. */
static int
take_word(struct reading *h, bool (*is_member)(char), char end, const char *why,
    struct str *word)
{
	if (take_span(h, is_member, word) == MORE)
		return MORE;
	if (word->n == 0 || h->in.p[0] != end)
		return refuse_byte(h, why);
	h->in = str_from(h->in, 1);
	return DONE;
}

static int
take_crlf(struct reading *h, const char *why)
{
	if (h->in.n == 0)
		return MORE;
	if (h->in.p[0] != '\r')
		return refuse_byte(h, why);
	if (h->in.n == 1)
		return MORE;
	if (h->in.p[1] != '\n')
		return refuse(h, 400, "CR without LF");
	h->in = str_from(h->in, 2);
	return DONE;
}

static int
take_empty_lines(struct reading *h)
{
	int rc = DONE;

	for (int i = 0; rc > 0; i++) {
		if (h->in.n == 0)
			return MORE;
		if (h->in.p[0] != '\r')
			return DONE;
		if (i == EMPTY_LINES_MAX)
			return refuse(h, 400, "no request line");
		rc = take_crlf(h, NULL);
	}
	return rc;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT */
static int
read_version(struct reading *h, struct str s)
{
	if (s.n != 8 || !str_starts(s, STR("HTTP/")) ||
	    !chars_is_digit(s.p[5]) || s.p[6] != '.' || !chars_is_digit(s.p[7]))
		return refuse(h, 400, "malformed HTTP version");
	if (s.p[5] != '1')
		return refuse(h, 505, "only HTTP/1.1 and HTTP/1.0");
	h->r->minor = s.p[7] != '0';
	return DONE;
}

static const char *const methods[] = {
    [HTTP_GET] = "GET",
    [HTTP_HEAD] = "HEAD",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
    [HTTP_PATCH] = "PATCH",
    [HTTP_TRACE] = "TRACE",
};

const char *
http_method_name(enum http_method method)
{
	return methods[method];
}

static int
read_method(struct reading *h, struct str s)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (str_eq(s, str_c(methods[i]))) {
			h->r->method = (enum http_method)i;
			return DONE;
		}
	}
	return refuse(h, 501, "unknown method");
}

/* Take `http://authority` off an absolute-form, which is accepted anywhere. */
static int
read_origin(struct reading *h, struct str *target)
{
	size_t n = uri_origin_len(*target);

	if (n == 0)
		return refuse(h, 400, "malformed request target");
	*target = str_from(*target, n);
	return DONE;
}

/* request-target = origin-form / absolute-form / "*" */
static int
read_target(struct reading *h, struct str target)
{
	struct http_request *r = h->r;
	struct str whole = target;

	r->path = whole;
	if (r->method == HTTP_OPTIONS && str_eq(whole, STR("*")))
		return DONE;
	if (whole.p[0] != '/' && read_origin(h, &target) < 0)
		return -400;
	if (str_find(target, '#') < target.n)
		return refuse(h, 400, "fragment in the request target");
	if (!uri_escapes_ok(target))
		return refuse(h, 400, "bad percent escape");
	r->path = str_cut(target, '?', &r->query);
	if (r->path.n == 0) /* of http://authority: one of its slashes */
		r->path = str_n(whole.p + str_find(whole, '/'), 1);
	return DONE;
}

/* request-line = method SP request-target SP HTTP-version CRLF */
static int
take_request_parts(struct reading *h)
{
	static const char why[] = "malformed request line";
	struct str method, target, version;
	int rc;

	if (h->in.n > 0 && h->in.p[0] == '\x16')
		return refuse(h, 400, "TLS on a plain port");
	rc = take_word(h, chars_is_token, ' ', why, &method);
	if (rc > 0)
		rc = take_word(h, chars_is_visible, ' ', why, &target);
	if (rc > 0)
		rc = take_span(h, chars_is_visible, &version);
	if (rc > 0)
		rc = take_crlf(h, why);
	if (rc > 0)
		rc = read_version(h, version);
	if (rc > 0)
		rc = read_method(h, method);
	return rc > 0 ? read_target(h, target) : rc;
}

static int
take_request_line(struct reading *h)
{
	struct str all = h->in;
	int rc;

	if (h->in.n > HTTP_LINE_MAX)
		h->in.n = HTTP_LINE_MAX;
	rc = take_request_parts(h);
	if (rc == MORE && all.n >= HTTP_LINE_MAX)
		return refuse(h, 414, "request line too long");
	h->in = str_from(all, (size_t)(h->in.p - all.p));
	return rc;
}

/* Host = uri-host [ ":" port ], once */
static int
read_host(struct reading *h, struct str value)
{
	if (http_field(h->r, STR("Host")).p != NULL)
		return refuse(h, 400, "more than one Host");
	if (!uri_is_authority(value))
		return refuse(h, 400, "malformed Host");
	return DONE;
}

/* Content-Length = 1*DIGIT, once */
static int
read_length(struct reading *h, struct str value)
{
	uint64_t n;

	if (h->r->length >= 0)
		return refuse(h, 400, "more than one Content-Length");
	if (num_u64(value, &n) != 0 || n > INT64_MAX)
		return refuse(h, 400, "malformed Content-Length");
	h->r->length = (int64_t)n;
	return DONE;
}

/* Transfer-Encoding = #transfer-coding, of which chunked alone is known */
static int
read_codings(struct reading *h, struct str value)
{
	struct http_request *r = h->r;

	if (r->minor == 0)
		return refuse(h, 400, "Transfer-Encoding in HTTP/1.0");
	while (value.p != NULL) {
		struct str coding = str_trim(str_cut(value, ',', &value));
		if (coding.n == 0 || r->chunked)
			return refuse(h, 400, "malformed Transfer-Encoding");
		if (!str_ieq(coding, STR("chunked")))
			return refuse(h, 501, "unknown transfer coding");
		r->chunked = true;
	}
	return DONE;
}

/* Expect = "100-continue", ignored in HTTP/1.0 */
static int
read_expect(struct reading *h, struct str value)
{
	if (h->r->minor == 0)
		return DONE;
	if (!str_ieq(value, STR("100-continue")))
		return refuse(h, 417, "unknown expectation");
	h->r->expect = true;
	return DONE;
}

/* The fields that say something about the message itself. */
static int
read_field(struct reading *h, const struct http_field *f)
{
	static const struct {
		const char *name;
		int (*read)(struct reading *h, struct str value);
	} known[] = {
	    {"Host", read_host},
	    {"Content-Length", read_length},
	    {"Transfer-Encoding", read_codings},
	    {"Expect", read_expect},
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_ieq(f->name, str_c(known[i].name)))
			return known[i].read(h, f->value);
	return DONE;
}

/* field-line = field-name ":" OWS field-value OWS CRLF; no line folding */
static int
take_field(struct reading *h)
{
	struct http_field f;
	int rc;

	if (h->r->nfields == HTTP_FIELDS_MAX)
		return refuse(h, 431, "too many header lines");
	rc =
	    take_word(h, chars_is_token, ':', "malformed header line", &f.name);
	if (rc > 0)
		rc = take_span(h, chars_is_text, &f.value);
	if (rc > 0)
		rc = take_crlf(h, "control character in a header line");
	if (rc <= 0)
		return rc;
	f.value = str_trim(f.value);
	rc = read_field(h, &f);
	h->r->fields[h->r->nfields++] = f;
	return rc;
}

static int
take_fields(struct reading *h)
{
	int rc = DONE;

	while (rc > 0) {
		if (h->in.n == 0)
			return MORE;
		if (h->in.p[0] == '\r')
			return take_crlf(h, NULL);
		rc = take_field(h);
	}
	return rc;
}

/* What can be said only of the whole head. */
static int
read_message(struct reading *h)
{
	struct http_request *r = h->r;

	if (r->minor > 0 && http_field(r, STR("Host")).p == NULL)
		return refuse(h, 400, "no Host");
	if (r->chunked && r->length >= 0)
		return refuse(
		    h, 400, "both Content-Length and Transfer-Encoding");
	r->has_body = r->chunked || r->length > 0;
	if (r->has_body &&
	    (r->method == HTTP_GET || r->method == HTTP_HEAD ||
		r->method == HTTP_OPTIONS))
		return refuse(h, 400, "body not wanted");
	return DONE;
}

static int
take_head(struct reading *h)
{
	int rc = take_empty_lines(h);

	if (rc > 0)
		rc = take_request_line(h);
	if (rc > 0)
		rc = take_fields(h);
	return rc > 0 ? read_message(h) : rc;
}

int
http_request(struct http_request *r, const char *p, size_t n, const char **why)
{
	struct reading h = {.r = r, .in = {p, n}};
	int rc;

	if (n > HTTP_HEAD_MAX)
		h.in.n = HTTP_HEAD_MAX;
	*r = (struct http_request){.length = -1};
	rc = take_head(&h);
	if (rc == MORE && n >= HTTP_HEAD_MAX)
		rc = refuse(&h, 431, "head too large");
	*why = h.why;
	return rc > 0 ? (int)(h.in.p - p) : rc;
}

struct str
http_field(const struct http_request *r, struct str name)
{
	for (size_t i = 0; i < r->nfields; i++)
		if (str_ieq(r->fields[i].name, name))
			return r->fields[i].value;
	return (struct str){NULL, 0};
}
