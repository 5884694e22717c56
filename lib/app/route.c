#include "app/route.h"

#include "base/num.h"
#include "core/filter.h"
#include "wire/accept.h"
#include "wire/msg.h"
#include "wire/uri.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT = 1000, LIMIT_MAX = 10000 };

#define BIT(method) (1u << (method))

/* ---- Methods ---- */

struct methods {
	unsigned set;
	const char *allow;
};

static const struct methods none = {BIT(HTTP_OPTIONS), "OPTIONS"};
static const struct methods read_only = {
    BIT(HTTP_GET) | BIT(HTTP_HEAD) | BIT(HTTP_OPTIONS), "GET, HEAD, OPTIONS"};
static const struct methods write_only = {
    BIT(HTTP_POST) | BIT(HTTP_OPTIONS), "POST, OPTIONS"};
static const struct methods any = {
    BIT(HTTP_OPTIONS), "GET, HEAD, POST, OPTIONS"};

static const struct methods *
methods(enum route_kind kind, const struct route_conf *conf)
{
	switch (kind) {
	case ROUTE_MESSAGES:
		return conf->publish ? &write_only : &none;
	case ROUTE_SERVER:
		return &any;
	default:
		return &read_only;
	}
}

/* ---- Paths ---- */

/*
 * With a suffix, the path has one segment in between: the channel. Without one
 * a stream's channels are in the query.
 */
static const struct path {
	const char *prefix, *suffix;
	enum route_kind kind;
} paths[] = {
    {"/chat/", "/events", ROUTE_EVENTS},
    {"/chat/", "/messages", ROUTE_MESSAGES},
    {"/events", NULL, ROUTE_EVENTS},
    {"/health", NULL, ROUTE_LIVE},
    {"/health/live", NULL, ROUTE_LIVE},
    {"/health/ready", NULL, ROUTE_READY},
    {"/ready", NULL, ROUTE_READY},
    {"/", NULL, ROUTE_PAGE},
    {"/metrics", NULL, ROUTE_METRICS},
    {"/stats", NULL, ROUTE_STATS},
    {"*", NULL, ROUTE_SERVER},
};

/* No normalisation: the path is data. */
static bool
path_matches(const struct path *p, struct str path, struct str *channel)
{
	struct str rest;

	if (p->suffix == NULL)
		return str_eq(path, str_c(p->prefix));
	if (!str_starts(path, str_c(p->prefix)))
		return false;
	path = str_from(path, strlen(p->prefix));
	rest = str_from(path, str_find(path, '/'));
	*channel = str_n(path.p, path.n - rest.n);
	return str_eq(rest, str_c(p->suffix));
}

static const struct path *
find_path(struct str path, struct str *channel)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (path_matches(&paths[i], path, channel))
			return &paths[i];
	return NULL;
}

static bool
is_offered(const struct path *p, const struct route_conf *conf)
{
	switch (p->kind) {
	case ROUTE_PAGE:
		return conf->page;
	case ROUTE_METRICS:
	case ROUTE_STATS:
		return conf->stats;
	default:
		return true;
	}
}

/* ---- Channels ---- */

static bool
is_served(const struct route_conf *conf, struct str channel)
{
	for (size_t i = 0; i < conf->nchannels; i++)
		if (str_glob(str_c(conf->channels[i]), channel))
			return true;
	return false;
}

static bool
has_channel(const struct route *r, struct str name)
{
	struct str rest = buf_str(&r->names);

	for (size_t i = 0; i < r->nchannels; i++)
		if (str_eq(str_cut(rest, '\0', &rest), name))
			return true;
	return false;
}

/* One that is there already counts once; those beyond the limit are refused. */
static int
add_channel(struct route *r, struct str name)
{
	if (!msg_channel_ok(name))
		return -1;
	if (r->too_many || has_channel(r, name))
		return 0;
	r->too_many = r->nchannels == r->max_channels;
	if (r->too_many)
		return 0;
	if (r->nchannels++ > 0)
		buf_addc(&r->names, '\0');
	return buf_adds(&r->names, name);
}

/* Of the path. The reason to refuse it, or NULL. */
static const char *
decode_channel(struct route *r, struct str raw)
{
	struct buf name;
	int result = -1;

	buf_init(&name, HTTP_LINE_MAX);
	if (uri_decode(&name, raw, false) == 0)
		result = add_channel(r, buf_str(&name));
	buf_free(&name);
	return result == 0 ? NULL : "not the name of a channel";
}

/* Who names none means all those that are served by name. */
static void
add_served(struct route *r, const struct route_conf *conf)
{
	for (size_t i = 0; i < conf->nchannels; i++)
		if (strpbrk(conf->channels[i], "*?[\\") == NULL)
			(void)add_channel(r, str_c(conf->channels[i]));
}

/* Status and reason, once all are known; 0: they are good. */
static int
check_channels(
    const struct route *r, const struct route_conf *conf, const char **why)
{
	struct str rest = buf_str(&r->names);

	if (r->names.failed) {
		*why = "out of memory";
		return 503;
	}
	if (r->nchannels == 0 || r->too_many) {
		*why = !r->too_many          ? "which channel?"
		    : conf->max_channels > 1 ? "too many channels"
					     : "one channel only";
		return 400;
	}
	for (size_t i = 0; i < r->nchannels; i++)
		if (!is_served(conf, str_cut(rest, '\0', &rest))) {
			*why = "no such channel";
			return 404;
		}
	return 0;
}

/* ---- Cursors ---- */

static int
make_places(struct route *r)
{
	struct str rest = buf_str(&r->names);

	r->places = calloc(r->nchannels, sizeof(*r->places));
	for (size_t i = 0; i < r->nchannels && r->places != NULL; i++)
		r->places[i] = cursor_part_of(str_cut(rest, '\0', &rest));
	return r->places != NULL ? 0 : -1;
}

/* 0, or -1: the text is not a cursor. */
static int
go_on_from(struct route *r, struct str text)
{
	struct cursor_part **parts = calloc(r->nchannels, sizeof(*parts));
	int result = -1;

	for (size_t i = 0; i < r->nchannels && parts != NULL; i++)
		parts[i] = &r->places[i];
	if (parts != NULL) {
		cursor_sort(parts, r->nchannels);
		result = cursor_parse(text, parts, r->nchannels);
	}
	free(parts);
	return result;
}

/* The same, or one of another program. The newest one counts. */
static int
take_cursor(struct route *r, const struct route_conf *conf, struct str text)
{
	bool ours = go_on_from(r, text) == 0;

	if (!ours && (!conf->foreign || !cursor_is_foreign(text)))
		return -1;
	r->foreign = !ours;
	for (size_t i = 0; i < r->nchannels && !ours; i++)
		r->places[i].known = false;
	return 0;
}

/* ---- Parameters of the query: 0 or -1 ---- */

/* With a channel in its path, a request is about that. */
static int
set_channel(struct route *r, struct str value)
{
	return r->by_path ? 0 : add_channel(r, value);
}

/* Read when the channels are known. */
static int
set_cursor(struct route *r, struct str value)
{
	return buf_adds(&r->cursor, value);
}

/* In a channel that has a cursor this wish has been fulfilled. */
static int
set_last(struct route *r, struct str value)
{
	r->from = ROUTE_FROM_LAST;
	return num_u64(value, &r->last);
}

/* Any time will do: what is valid does not depend on the present. */
static int
set_since(struct route *r, struct str value)
{
	int64_t ms;

	r->from = ROUTE_FROM_SINCE;
	buf_adds(&r->since, value);
	return r->since.failed ? -1 : num_time(value, 0, &ms);
}

static int
set_filter(struct route *r, struct str value)
{
	return filter_add(&r->filter, value);
}

/* Which of two words is it? */
static int
choose(struct str value, struct str no, struct str yes, bool *chosen)
{
	*chosen = str_eq(value, yes);
	return *chosen || str_eq(value, no) ? 0 : -1;
}

static int
set_format(struct route *r, struct str value)
{
	static const char *const names[FRAME_STYLES] = {[FRAME_SSE] = "sse",
	    [FRAME_ENVELOPES] = "envelope",
	    [FRAME_NDJSON] = "ndjson"};

	for (int i = 0; i < FRAME_STYLES; i++)
		if (str_eq(value, str_c(names[i]))) {
			r->style = (enum frame_style)i;
			return 0;
		}
	return -1;
}

static int
set_on_gap(struct route *r, struct str value)
{
	return choose(value, STR("report"), STR("stop"), &r->stop_at_gap);
}

static int
set_marker(struct route *r, struct str value)
{
	return choose(value, STR("0"), STR("1"), &r->marker);
}

static int
set_strict(struct route *r, struct str value)
{
	return choose(value, STR("0"), STR("1"), &r->strict);
}

static int
set_event(struct route *r, struct str value)
{
	buf_adds(&r->event, value);
	return msg_event_ok(value) && !r->event.failed ? 0 : -1;
}

static int
set_limit(struct route *r, struct str value)
{
	if (num_u64(value, &r->limit) != 0)
		return -1;
	return r->limit <= LIMIT_MAX ? 0 : -1;
}

/* Two names of one parameter share its set function. */
static const struct param {
	const char *name;
	enum route_kind kind;
	int (*set)(struct route *r, struct str value);
	const char *why;
	bool many; /* it may be given several times */
} params[] = {
    {"channel", ROUTE_EVENTS, set_channel, "channel: not the name of a channel",
	true},
    {"last_event_id", ROUTE_EVENTS, set_cursor, "last_event_id: not a cursor",
	false},
    {"lastEventId", ROUTE_EVENTS, set_cursor, "lastEventId: not a cursor",
	false},
    {"last", ROUTE_EVENTS, set_last, "last: not a number", false},
    {"since", ROUTE_EVENTS, set_since, "since: not a time", false},
    {"filter", ROUTE_EVENTS, set_filter, "filter: not a type, or too many",
	true},
    {"format", ROUTE_EVENTS, set_format, "format: not sse, envelope or ndjson",
	false},
    {"on_gap", ROUTE_EVENTS, set_on_gap, "on_gap: neither report nor stop",
	false},
    {"marker", ROUTE_EVENTS, set_marker, "marker: neither 0 nor 1", false},
    {"strict", ROUTE_EVENTS, set_strict, "strict: neither 0 nor 1", false},
    {"event", ROUTE_MESSAGES, set_event, "event: not a type", false},
    {"limit", ROUTE_STATS, set_limit, "limit: not 0 to 10000", false},
};

enum { NPARAMS = sizeof(params) / sizeof(*params) };

/* Those that are unknown, or empty, say nothing. */
static const struct param *
find_param(enum route_kind kind, struct str name)
{
	for (const struct param *p = params; p < params + NPARAMS; p++)
		if (p->kind == kind && str_eq(name, str_c(p->name)))
			return p;
	return NULL;
}

static int
set_param(struct route *r, const struct param *p, struct str raw)
{
	struct buf value;
	int result = -1;

	buf_init(&value, HTTP_LINE_MAX);
	if (uri_decode(&value, raw, true) == 0)
		result = p->set(r, buf_str(&value));
	buf_free(&value);
	return result;
}

static bool
was_seen(const bool seen[NPARAMS], int (*set)(struct route *, struct str))
{
	for (size_t i = 0; i < NPARAMS; i++)
		if (seen[i] && params[i].set == set)
			return true;
	return false;
}

/* The reason to refuse it, or NULL. */
static const char *
read_query(struct route *r, struct str query)
{
	bool seen[NPARAMS] = {false};
	struct str name, value;

	while (uri_param(&query, &name, &value)) {
		const struct param *p = find_param(r->kind, name);
		if (p == NULL || value.n == 0)
			continue;
		if (!p->many && was_seen(seen, p->set))
			return "a parameter is given twice";
		seen[p - params] = true;
		if (set_param(r, p, value) != 0)
			return p->why;
	}
	if (was_seen(seen, set_last) && was_seen(seen, set_since))
		return "last and since exclude each other";
	return NULL;
}

/* ---- Fields ---- */

static unsigned
weight_of(struct str type, const struct http_request *req)
{
	unsigned most = 0;

	for (size_t i = 0; i < req->nfields; i++) {
		const struct http_field *f = &req->fields[i];
		unsigned weight = 0;
		if (str_ieq(f->name, STR("Accept")))
			weight = accept_weight(f->value, type);
		most = weight > most ? weight : most;
	}
	return most;
}

static enum frame_style
read_accept(const struct http_request *req)
{
	unsigned ndjson = weight_of(STR("application/x-ndjson"), req);

	return ndjson > weight_of(STR("text/event-stream"), req) ? FRAME_NDJSON
								 : FRAME_SSE;
}

/*
 * A browser that reconnects asks for the same address again: what the header
 * says is newer than the query, and it must not be refused for it.
 */
static void
read_last_event_id(struct route *r, const struct http_request *req,
    const struct route_conf *conf)
{
	struct str text = http_field(req, STR("Last-Event-ID"));

	if (text.n == 0)
		return;
	r->bad_cursor = take_cursor(r, conf, text) != 0;
	if (r->bad_cursor)
		return;
	buf_clear(&r->cursor);
	buf_adds(&r->cursor, text);
}

/*
 * Of a stream: status and reason; 0: it is known where to begin. Of a channel
 * that several cursors hold, the last one counts.
 */
static int
find_start(struct route *r, const struct http_request *req,
    const struct route_conf *conf, const char **why)
{
	int status;

	if (r->nchannels == 0)
		add_served(r, conf);
	status = check_channels(r, conf, why);
	if (status != 0)
		return status;
	if (make_places(r) != 0) {
		*why = "out of memory";
		return 503;
	}
	if (r->from == ROUTE_FROM_POLICY && conf->cursor.p != NULL)
		(void)go_on_from(r, conf->cursor);
	if (r->cursor.n > 0 && take_cursor(r, conf, buf_str(&r->cursor)) != 0) {
		*why = "last_event_id: not a cursor";
		return 400;
	}
	read_last_event_id(r, req, conf);
	return 0;
}

/* ---- ---- */

static void
init(struct route *r, size_t max_channels)
{
	memset(r, 0, sizeof(*r));
	r->max_channels = max_channels;
	buf_init(&r->names, max_channels * (MSG_CHANNEL_MAX + 1));
	buf_init(&r->cursor, HTTP_LINE_MAX);
	buf_init(&r->event, HTTP_LINE_MAX);
	buf_init(&r->since, HTTP_LINE_MAX);
	buf_init(&r->filter, HTTP_LINE_MAX);
	r->limit = LIMIT;
}

static int
find(struct route *r, const struct http_request *req,
    const struct route_conf *conf, const char **why)
{
	struct str raw = {NULL, 0};
	const struct path *p = find_path(req->path, &raw);
	int status = 0;

	if (p == NULL || !is_offered(p, conf)) {
		*why = "not found";
		return 404;
	}
	r->kind = p->kind;
	r->by_path = raw.p != NULL;
	if (r->by_path && (*why = decode_channel(r, raw)) != NULL)
		return 400;
	if (r->by_path && (status = check_channels(r, conf, why)) != 0)
		return status;
	r->allow = methods(p->kind, conf)->allow;
	if (!(methods(p->kind, conf)->set & BIT(req->method))) {
		*why = "method not allowed";
		return 405;
	}
	r->style = read_accept(req);
	*why = read_query(r, req->query);
	if (*why != NULL)
		return 400;
	return r->kind == ROUTE_EVENTS ? find_start(r, req, conf, why) : 0;
}

int
route_find(struct route *r, const struct http_request *req,
    const struct route_conf *conf, const char **why)
{
	int status;

	init(r, conf->max_channels);
	status = find(r, req, conf, why);
	r->channels = buf_take(&r->names);
	return status;
}

void
route_free(struct route *r)
{
	buf_free(&r->names);
	buf_give_back(r->channels);
	free(r->places);
	buf_free(&r->cursor);
	buf_free(&r->event);
	buf_free(&r->since);
	buf_free(&r->filter);
}
