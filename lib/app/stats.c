#include "app/stats.h"

#include "base/num.h"

#include <string.h>

/*
 * Ids are times unless the publisher has chosen them. One that is further away
 * is none.
 */
enum { LATENCY_MAX_MS = 24 * 3600 * 1000 };

/* ---- Labels; the last of a list stands for what it does not name ---- */

static const char *const reasons[STATS_REASONS] = {"answered", "client-gone",
    "end", "expired", "gap", "lifetime", "no-request", "outage", "stalled",
    "terminated", "too-many", "too-much-input", "too-much-output", "trouble",
    "other"};

static const char *const statuses[STATS_STATUSES] = {"200", "202", "204", "207",
    "400", "401", "403", "404", "405", "408", "411", "413", "414", "415", "417",
    "429", "431", "500", "501", "503", "505", "other"};

static const char *const posts[STATS_POSTS] = {
    "stored", "repeated", "refused", "abandoned"};

static const char *const sources[STATS_SOURCES] = {"live", "history"};

static size_t
find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n - 1 && strcmp(names[i], name) != 0)
		i++;
	return i;
}

static const char *
reason_name(size_t i)
{
	return reasons[i];
}

static const char *
status_name(size_t i)
{
	return statuses[i];
}

static const char *
post_name(size_t i)
{
	return posts[i];
}

static const char *
source_name(size_t i)
{
	return sources[i];
}

/* GAP_NONE is not told. */
static const char *
reason_of_gap(size_t i)
{
	return gap_name((enum gap_reason)(i + 1));
}

/* ---- ---- */

void
stats_end(struct stats *s, const char *reason)
{
	s->ended[find(
	    reasons, STATS_REASONS, reason != NULL ? reason : reasons[0])]++;
}

void
stats_answer(struct stats *s, int status)
{
	char text[NUM_TEXT];

	num_format(text, (uint64_t)status);
	s->answers[find(statuses, STATS_STATUSES, text)]++;
}

void
stats_live(struct stats *s, const struct msg *m, size_t n, double now_s)
{
	uint64_t now_ms = (uint64_t)(now_s * 1000.);

	s->received[STATS_LIVE] += n;
	for (size_t i = 0; i < n; i++) {
		/* The clock of Redis may be ahead of ours. */
		uint64_t then_ms = m[i].id.ms, ms = 0;
		if (then_ms < now_ms)
			ms = now_ms - then_ms;
		if (ms <= LATENCY_MAX_MS && then_ms <= now_ms + LATENCY_MAX_MS)
			hist_add(&s->latency, ms);
	}
}

/* ---- How they are shown ---- */

#define AT(member) offsetof(struct stats, member)
#define ONE NULL, NULL, 1

const struct stats_row stats_rows[] = {
    {"chat_clients", METRICS_GAUGE, AT(now.clients), false, ONE,
	"Clients that follow a channel."},
    {"chat_streams_total", METRICS_COUNTER, AT(streams), false, ONE,
	"Streams begun."},
    {"chat_connections", METRICS_GAUGE, AT(now.connections), false, ONE,
	"Open connections of clients."},
    {"chat_connections_accepted_total", METRICS_COUNTER, AT(accepted), false,
	ONE, "Connections accepted."},
    {"chat_connections_ended_total", METRICS_COUNTER, AT(ended), false,
	"reason", reason_name, STATS_REASONS, "Connections that have ended."},
    {"chat_declined_total", METRICS_COUNTER, AT(declined), false, ONE,
	"Clients turned away because there were too many."},
    {"chat_requests_total", METRICS_COUNTER, AT(answers), false, "status",
	status_name, STATS_STATUSES, "Requests answered."},
    {"chat_posts_total", METRICS_COUNTER, AT(posts), false, "result", post_name,
	STATS_POSTS, "Messages that were to be stored."},
    {"chat_sent_bytes_total", METRICS_COUNTER, AT(sent_bytes), false, ONE,
	"Bytes written to clients."},
    {"chat_deliveries_total", METRICS_COUNTER, AT(deliveries), false, ONE,
	"Messages written to clients, each time counted."},
    {"chat_gaps_total", METRICS_COUNTER, AT(gaps[1]), false, "reason",
	reason_of_gap, GAP_REASONS - 1, "Gaps told to clients."},
    {"chat_topics", METRICS_GAUGE, AT(now.topics), false, ONE,
	"Channels that are followed."},
    {"chat_members", METRICS_GAUGE, AT(now.members), false, ONE,
	"Readers of these channels."},
    {"chat_messages_received_total", METRICS_COUNTER, AT(received), false,
	"source", source_name, STATS_SOURCES, "Messages read from Redis."},
    {"chat_catching_up", METRICS_GAUGE, AT(catching_up), false, ONE,
	"Readers that are not live, but read history."},
    {"chat_catchups_total", METRICS_COUNTER, AT(catchups), false, ONE,
	"Times that a reader began to read history."},
    {"chat_publish_to_write_seconds", METRICS_HISTOGRAM, AT(latency), true, ONE,
	"From the time in a message's id until it was written to all clients "
	"that were live."},
    {"chat_redis_up", METRICS_GAUGE, AT(now.redis_up), false, ONE,
	"Whether Redis answers."},
    {"chat_redis_reconnects_total", METRICS_COUNTER, AT(reconnects), false, ONE,
	"Times that Redis answered again."},
    {"process_start_time_seconds", METRICS_GAUGE, AT(now.started_ms), true, ONE,
	"Start of the process, Unix time."},
    {"process_cpu_seconds_total", METRICS_COUNTER, AT(now.process.cpu_ms), true,
	ONE, "Processor time used."},
    {"process_resident_memory_bytes", METRICS_GAUGE,
	AT(now.process.resident_bytes), false, ONE, "Memory in use."},
    {"process_open_fds", METRICS_GAUGE, AT(now.process.fds), false, ONE,
	"Open files."},
    {"process_max_fds", METRICS_GAUGE, AT(now.process.max_fds), false, ONE,
	"Most open files."},
    {NULL, METRICS_GAUGE, 0, false, NULL, NULL, 0, NULL},
};
