#include "answer_check.h"

#include "base/num.h"
#include "sse_parser.h"
#include "wire/id.h"
#include "wire/json.h"
#include "wire/utf8.h"

#include <stdint.h>
#include <stdlib.h>

struct seen {
	size_t events;
	bool merged; /* see answer_traits */
	struct id last;
};

static void
must(bool cond)
{
	if (!cond)
		abort();
}

static bool
is_own(struct str type)
{
	return str_starts(type, STR("chat-"));
}

/* Ids grow, unless a gap says that the stream is another one. */
static void
on_event(void *arg, struct str type, struct str data, struct str last_id)
{
	struct seen *s = arg;
	struct id id;

	if (s->events++ == 0)
		must(is_own(type) && json_valid(data));
	must(utf8_valid(data) && utf8_valid(type));
	if (s->merged || id_parse(last_id, &id) != 0) {
		/* The heart may beat before anything is known. */
		must(s->merged || str_eq(type, STR("chat-beat")));
		return;
	}
	if (str_eq(type, STR("chat-gap")))
		s->last = id;
	must(is_own(type) ? id_cmp(id, s->last) >= 0 : id_cmp(id, s->last) > 0);
	s->last = id;
}

static void
check_events(struct str body, const struct answer_traits *t)
{
	struct seen seen = {.merged = t->merged};
	struct sse_parser parser;

	for (size_t i = 0; i < body.n; i++)
		must(body.p[i] != '\r');
	must(!t->whole || body.n == 0 || body.p[body.n - 1] == '\n');
	sse_parser_init(&parser, on_event, &seen);
	sse_parser_feed(&parser, body);
	/* A frame is written whole or not at all. */
	must(!t->whole || parser.data.n == 0);
	sse_parser_free(&parser);
}

static void
check_lines(struct str body, bool whole)
{
	struct str rest;

	while (body.n > 0) {
		struct str line = str_cut(body, '\n', &rest);
		if (rest.p == NULL) {
			must(!whole);
			return;
		}
		must(line.n == 0 || json_valid(line));
		body = rest;
	}
}

static struct str
head_field(struct str head, struct str name)
{
	struct str value;

	while (head.n > 0) {
		struct str line = str_cut(head, '\n', &head);
		struct str found = str_cut(line, ':', &value);
		if (value.p != NULL && str_ieq(found, name))
			return str_trim(str_n(value.p, value.n - 1));
		if (head.p == NULL)
			break;
	}
	return str_c(NULL);
}

/* The length of the head that s begins with, or 0; *status is that of it. */
static size_t
check_head(struct str s, int *status)
{
	struct str rest = s, line;
	uint64_t n = 0;

	line = str_cut(rest, '\n', &rest);
	if (rest.p == NULL)
		return 0;
	must(line.n >= 14 && str_starts(line, STR("HTTP/1.1 ")) &&
	    line.p[12] == ' ' && line.p[line.n - 1] == '\r' &&
	    num_u64(str_n(line.p + 9, 3), &n) == 0 && n >= 100 && n < 600);
	*status = (int)n;
	for (;;) {
		line = str_cut(rest, '\n', &rest);
		if (rest.p == NULL)
			return 0;
		must(line.n > 0 && line.p[line.n - 1] == '\r');
		if (line.n == 1)
			return s.n - rest.n;
		must(str_find(line, ':') < line.n);
		for (size_t i = 0; i + 1 < line.n; i++)
			must((unsigned char)line.p[i] >= ' ');
	}
}

static void
check_body(struct str head, struct str body, const struct answer_traits *t)
{
	struct str type = head_field(head, STR("Content-Type"));
	struct str length = head_field(head, STR("Content-Length"));
	uint64_t n = 0;

	must(str_eq(head_field(head, STR("Connection")), STR("close")));
	if (t->head_only) {
		must(body.n == 0);
	} else if (length.p != NULL) {
		must(num_u64(length, &n) == 0);
		must(t->whole ? body.n == n : body.n <= n);
	} else if (type.p == NULL) {
		must(body.n == 0);
	} else if (str_eq(type, STR("text/event-stream"))) {
		check_events(body, t);
	} else {
		must(str_eq(type, STR("application/x-ndjson")));
		check_lines(body, t->whole);
	}
}

int
answer_check(struct str out, const struct answer_traits *traits)
{
	int status = 0;
	size_t n;

	while ((n = check_head(out, &status)) > 0 && status == 100)
		out = str_from(out, n);
	if (n > 0)
		check_body(str_n(out.p, n), str_from(out, n), traits);
	else
		must(out.n == 0 || !traits->whole);
	return out.n > 0 ? status : 0;
}
