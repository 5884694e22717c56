#include "app/stats.h"

#include "tap.h"

#include <string.h>

/* The counter of that row and label. */
static uint64_t
value(const struct stats *s, const char *name, const char *label)
{
	const struct stats_row *row = stats_rows;
	const uint64_t *v;

	while (strcmp(row->name, name) != 0)
		row++;
	v = (const uint64_t *)(const void *)((const char *)s + row->at);
	for (size_t i = 0; i < row->n; i++)
		if (strcmp(row->value(i), label) == 0)
			return v[i];
	return UINT64_MAX;
}

static void
is_ended(const char *reason, const char *label)
{
	struct stats s;

	memset(&s, 0, sizeof(s));
	stats_end(&s, reason);
	ok(value(&s, "chat_connections_ended_total", label) == 1,
	    "an end is counted as %s", label);
}

static void
is_answered(int status, const char *label)
{
	struct stats s;

	memset(&s, 0, sizeof(s));
	stats_answer(&s, status);
	ok(value(&s, "chat_requests_total", label) == 1, "%d is counted as %s",
	    status, label);
}

/* The step in which a message of that time is counted, or -1. */
static void
is_late(uint64_t ms, double now_s, int step)
{
	struct msg m = {.id = {ms, 0}};
	struct stats s;
	int got = -1;

	memset(&s, 0, sizeof(s));
	stats_live(&s, &m, 1, now_s);
	for (int i = 0; i <= HIST_STEPS; i++)
		if (s.latency.counts[i] > 0)
			got = i;
	ok(got == step && s.received[STATS_LIVE] == 1,
	    "a message of %llu at %.3f", (unsigned long long)ms, now_s);
}

static void
latency(void)
{
	const uint64_t t = 1756735200000;
	const double now_s = 1756735200.;

	is_late(t, now_s, 0);
	is_late(t - 1, now_s, 0);
	is_late(t - 2, now_s, 1);
	is_late(t - 10000, now_s, HIST_STEPS - 1);
	is_late(t - 10001, now_s, HIST_STEPS);
	is_late(t - 24 * 3600 * 1000, now_s, HIST_STEPS);
	is_late(t - 24 * 3600 * 1000 - 1, now_s, -1);
	is_late(t + 5000, now_s, 0);
	is_late(t + 25 * 3600 * 1000, now_s, -1);
	is_late(0, now_s, -1);
	is_late(1, now_s, -1);
	is_late(UINT64_MAX, now_s, -1);
}

static void
rows(void)
{
	for (const struct stats_row *r = stats_rows; r->name != NULL; r++) {
		size_t n = strlen(r->name);
		bool total = strcmp(r->name + n - 6, "_total") == 0;
		ok(total == (r->type == METRICS_COUNTER),
		    "%s: a counter is a total", r->name);
		ok(strncmp(r->name, "chat_", 5) == 0 ||
			strncmp(r->name, "process_", 8) == 0,
		    "%s: whose it is", r->name);
		ok((r->label == NULL) == (r->n == 1) && r->help != NULL,
		    "%s: has a label for more than one", r->name);
		for (size_t i = 0; r->label != NULL && i < r->n; i++)
			ok(r->value(i) != NULL, "%s: %s", r->name, r->value(i));
	}
}

int
main(void)
{
	is_ended(NULL, "answered");
	is_ended("client-gone", "client-gone");
	is_ended("trouble", "trouble");
	is_ended("what nobody has heard of", "other");
	is_ended("", "other");
	is_answered(200, "200");
	is_answered(505, "505");
	is_answered(418, "other");
	latency();
	rows();
	return done();
}
