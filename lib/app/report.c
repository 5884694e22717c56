#include "app/report.h"

#include "base/num.h"
#include "wire/json_string.h"
#include "wire/metrics.h"

#include <stdlib.h>

enum {
	BODY_MAX = 3 << 20,
	/* The list of channels ends there, so that the rest fits. */
	LIST_MAX = 2 << 20,
	TOPICS_MAX = 64 << 20,
};

/* ---- The present ---- */

/* Pointers to the topics that have members. */
struct census {
	struct buf *topics;
	uint64_t *members;
};

static size_t
count(const struct buf *topics)
{
	return topics->n / sizeof(struct topic *);
}

static void
note_topic(struct topic *t, const void *arg)
{
	const struct census *c = arg;

	if (t->nmembers == 0)
		return;
	*c->members += t->nmembers;
	buf_add(c->topics, &t, sizeof(t));
}

/* What open connections have done is told, too. */
static void
look(const struct report *r, struct stats *s, struct buf *topics)
{
	struct stats_now *now = &s->now;

	*s = *r->stats;
	server_tally(r->server, s);
	topics_each(&r->hub->topics, note_topic,
	    &(struct census){topics, &now->members});
	process_read(&now->process);
	now->connections = r->server->nclients;
	now->clients = s->streams - r->stats->streams;
	now->topics = count(topics);
	now->redis_up = hub_is_up(r->hub);
	now->started_ms = (uint64_t)r->started_ms;
}

/* ---- Of both forms ---- */

static const void *
cell(const struct stats_row *row, const struct stats *s)
{
	return (const char *)s + row->at;
}

static struct str
number(char text[NUM_TEXT], uint64_t v, bool ms)
{
	return str_n(
	    text, ms ? num_format_milli(text, v) : num_format(text, v));
}

/* ---- Text for Prometheus ---- */

static void
add_samples(struct buf *b, const struct stats_row *row, const uint64_t *v)
{
	char text[NUM_TEXT];

	for (size_t i = 0; i < row->n; i++)
		metrics_sample(b, row->name, row->label,
		    str_c(row->label != NULL ? row->value(i) : NULL),
		    number(text, v[i], row->ms));
}

static void
add_metrics(struct buf *b, const struct stats *s)
{
	static const char build[] = "chat_build_info";

	for (const struct stats_row *row = stats_rows; row->name; row++) {
		metrics_family(b, row->name, row->type, str_c(row->help));
		if (row->type == METRICS_HISTOGRAM)
			metrics_hist(b, row->name, cell(row, s));
		else
			add_samples(b, row, cell(row, s));
	}
	metrics_family(b, build, METRICS_GAUGE, STR("The program, as 1."));
	metrics_sample(b, build, "version", STR(CHAT_VERSION), STR("1"));
}

/* ---- JSON ---- */

/* The name of a metric without what only says that it is one. */
static struct str
short_name(const char *name)
{
	struct str s = str_c(name), prefix = STR("chat_"), end = STR("_total");

	if (str_starts(s, prefix))
		s = str_from(s, prefix.n);
	if (s.n > end.n && str_eq(str_from(s, s.n - end.n), end))
		s.n -= end.n;
	return s;
}

static void
add_key(struct buf *b, struct str name)
{
	if (b->n > 0 && b->p[b->n - 1] != '{')
		buf_addc(b, ',');
	json_quote(b, name);
	buf_addc(b, ':');
}

static void
add_number(struct buf *b, const char *name, uint64_t v, bool ms)
{
	char text[NUM_TEXT];

	add_key(b, str_c(name));
	buf_adds(b, number(text, v, ms));
}

static void
add_labelled(struct buf *b, const struct stats_row *row, const uint64_t *v)
{
	buf_addc(b, '{');
	for (size_t i = 0; i < row->n; i++)
		add_number(b, row->value(i), v[i], row->ms);
	buf_addc(b, '}');
}

static void
add_hist(struct buf *b, const struct hist *h)
{
	char le[NUM_TEXT];

	buf_addc(b, '{');
	add_number(b, "count", hist_at_most(h, HIST_STEPS), false);
	add_number(b, "sum", h->sum_ms, true);
	add_key(b, STR("le"));
	buf_addc(b, '{');
	for (size_t i = 0; i < HIST_STEPS; i++) {
		num_format_milli(le, hist_steps_ms[i]);
		add_number(b, le, hist_at_most(h, i), false);
	}
	buf_addz(b, "}}");
}

static void
add_row(struct buf *b, const struct stats_row *row, const struct stats *s)
{
	const uint64_t *v = cell(row, s);
	char text[NUM_TEXT];

	add_key(b, short_name(row->name));
	if (row->type == METRICS_HISTOGRAM)
		add_hist(b, cell(row, s));
	else if (row->label != NULL)
		add_labelled(b, row, v);
	else
		buf_adds(b, number(text, *v, row->ms));
}

static void
add_channel(struct buf *b, const struct topic *t)
{
	char head[ID_TEXT];

	buf_addc(b, '{');
	add_key(b, STR("channel"));
	json_quote(b, t->channel);
	add_number(b, "subscribers", t->nmembers, false);
	add_key(b, STR("head"));
	if (t->head.known)
		json_quote(b, str_n(head, id_format(head, t->head.id)));
	else
		buf_addz(b, "null");
	buf_addc(b, '}');
}

static void
add_channels(struct buf *b, struct topic *const *topics, size_t n)
{
	add_key(b, STR("channels"));
	buf_addc(b, '[');
	for (size_t i = 0; i < n && b->n < LIST_MAX; i++) {
		if (i > 0)
			buf_addc(b, ',');
		add_channel(b, topics[i]);
	}
	buf_addc(b, ']');
}

static int
more_members(const void *a, const void *b)
{
	const struct topic *const *x = a, *const *y = b;

	return ((*x)->nmembers < (*y)->nmembers) -
	    ((*x)->nmembers > (*y)->nmembers);
}

static void
add_json(
    struct buf *b, const struct stats *s, struct buf *topics, uint64_t limit)
{
	size_t n = count(topics);

	if (n > 0)
		qsort(topics->p, n, sizeof(struct topic *), more_members);
	buf_addc(b, '{');
	add_key(b, STR("version"));
	json_quote(b, STR(CHAT_VERSION));
	for (const struct stats_row *row = stats_rows; row->name; row++)
		add_row(b, row, s);
	add_number(b, "channels_total", n, false);
	add_channels(b, (struct topic *const *)(void *)topics->p,
	    n < limit ? n : (size_t)limit);
	buf_addz(b, "}\n");
}

/* ---- ---- */

static void
answer(struct client *c, const char *type, const struct buf *body)
{
	static const struct client_field fields[] = {
	    {"Cache-Control", {"no-store", 8}}, {NULL, {NULL, 0}}};

	if (body->failed)
		client_refuse_now(c, "out of memory");
	else
		client_answer(c,
		    &(struct client_answer){200, type, buf_str(body), fields});
}

void
report_answer(
    const struct report *r, struct client *c, const struct route *route)
{
	bool text = route->kind == ROUTE_METRICS;
	struct buf body, topics;
	struct stats s;

	buf_init(&body, BODY_MAX);
	buf_init(&topics, TOPICS_MAX);
	look(r, &s, &topics);
	if (text)
		add_metrics(&body, &s);
	else
		add_json(&body, &s, &topics, route->limit);
	answer(c, text ? METRICS_CONTENT_TYPE : "application/json", &body);
	buf_free(&body);
	buf_free(&topics);
}
