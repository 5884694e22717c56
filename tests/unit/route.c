#include "app/route.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

enum { HEAD_MAX = 2000, MANY = 4 };

static const char *const served[] = {
    "a", "b", "dept.*", "room", "a", "x[y]", "a b", "a+b", "?/?"};
static struct route_conf conf = {.channels = served,
    .nchannels = sizeof served / sizeof *served,
    .max_channels = MANY,
    .publish = true};

/* What is found has views into this. */
static char head[HEAD_MAX];

static int
find(struct route *r, const char *target, const char *fields, const char **why)
{
	static struct http_request req;
	const char *method = strstr(target, "/messages") ? "POST" : "GET";
	int n = snprintf(head, sizeof head, "%s %s HTTP/1.0\r\n%s\r\n", method,
	    target, fields);
	int used;

	*why = NULL;
	memset(r, 0, sizeof *r);
	used = http_request(&req, head, (size_t)n, why);
	return used == n ? route_find(r, &req, &conf, why) : -used;
}

/* ---- Which channels ---- */

/* The names, with commas in between; or why there are none. */
static void
is_route(const char *target, int status, const char *want)
{
	const char *why;
	struct route r;
	struct buf b;
	int got = find(&r, target, "", &why);
	size_t n = r.channels.n > 0;

	buf_init(&b, HEAD_MAX);
	for (size_t i = 0; i < r.channels.n; i++) {
		char c = r.channels.p[i];
		n += c == '\0';
		buf_addc(&b, c == '\0' ? ',' : c);
	}
	is_int(got, status, target);
	is_str(
	    status == 0 ? buf_str(&b) : str_c(why), str_c(want), "... gives");
	if (status == 0)
		is_int((long long)r.nchannels, (long long)n, "... so many");
	buf_free(&b);
	route_free(&r);
}

static void
test_channels(void)
{
	is_route("/chat/a/events", 0, "a");
	is_route("/chat/a/events?channel=b", 0, "a");
	is_route("/chat/a/messages?channel=b", 0, "a");
	is_route("/events?channel=a", 0, "a");
	is_route("/events?channel=a&channel=b", 0, "a,b");
	is_route("/events?x&channel=b&last=1&&channel=a", 0, "b,a");
	is_route("/events?channel=b&channel=a&channel=b", 0, "b,a");
	is_route("/events?channel=dept.1&channel=dept.2", 0, "dept.1,dept.2");
	is_route("/events?channel=a&channel=nowhere", 404, "no such channel");
	is_route("/events?channel=nowhere", 404, "no such channel");
	is_route("/events/", 404, "not found");
	is_route("/events/a", 404, "not found");
	is_route("/eventsa", 404, "not found");
}

/* As many as are served by name, which are five, are too many. */
static void
test_default(void)
{
	is_route("/events", 400, "too many channels");
	conf.nchannels = 6;
	is_route("/events", 0, "a,b,room");
	is_route("/events?channel=", 0, "a,b,room");
	is_route("/events?last=1", 0, "a,b,room");
	conf.channels += 2;
	conf.nchannels = 1;
	is_route("/events", 400, "which channel?");
	is_route("/events?channel=dept.", 0, "dept.");
	conf.channels = served;
	conf.nchannels = sizeof served / sizeof *served;
}

static void
test_limit(void)
{
	is_route("/events?channel=a&channel=b&channel=room&channel=dept.1", 0,
	    "a,b,room,dept.1");
	is_route("/events?channel=a&channel=b&channel=room&channel=dept.1"
		 "&channel=a&channel=b",
	    0, "a,b,room,dept.1");
	is_route("/events?channel=a&channel=b&channel=room&channel=dept.1"
		 "&channel=dept.2",
	    400, "too many channels");
	is_route("/events?channel=a&channel=b&channel=room&channel=dept.1"
		 "&channel=nowhere&channel=a",
	    400, "too many channels");
}

static void
test_names(void)
{
	const char *bad = "channel: not the name of a channel";
	char target[400] = "/events?channel=dept.";

	is_route("/events?channel=a+b", 0, "a b");
	is_route("/events?channel=a%20b", 0, "a b");
	is_route("/events?channel=a%2Bb", 0, "a+b");
	is_route("/chat/a+b/events", 0, "a+b");
	is_route("/chat/a%20b/events", 0, "a b");
	is_route("/events?channel=%61", 0, "a");
	is_route("/events?channel=a%20", 404, "no such channel");
	is_route("/events?channel=1%2f2", 0, "1/2");
	is_route("/events?channel=1/2", 0, "1/2");
	is_route("/chat/1%2F2/events", 0, "1/2");
	is_route("/chat/1/2/events", 404, "not found");
	is_route("/events?channel=dept.%26channel%3Da", 0, "dept.&channel=a");
	is_route("/events?channel=dept.%C3%A9", 0, "dept.\xc3\xa9");
	is_route("/events?channel=dept.*", 0, "dept.*");
	is_route("/events?channel=dept.%00", 400, "bad percent escape");
	is_route("/events?channel=dept.%0a", 400, bad);
	is_route("/events?channel=dept.%7F", 400, bad);
	is_route("/events?channel=dept.%C3", 400, bad);
	is_route("/events?channel=a&channel=%ff", 400, bad);
	memset(target + strlen(target), 'x', MSG_CHANNEL_MAX - 5);
	is_route(target, 0, target + 16);
	strcat(target, "x");
	is_route(target, 400, bad);
}

/* ---- Where they begin ---- */

/* The cursor of channels of one letter each, all of them at ms-0. */
static const char *
cursor_of(char text[HEAD_MAX], const char *names, uint64_t ms)
{
	struct cursor_part parts[MANY], *order[MANY];
	size_t n = strlen(names);
	struct buf b;

	for (size_t i = 0; i < n; i++) {
		parts[i] = cursor_part_of(str_n(names + i, 1));
		parts[i].id = (struct id){ms, 0};
		parts[i].known = true;
		order[i] = &parts[i];
	}
	cursor_sort(order, n);
	buf_init(&b, HEAD_MAX - 1);
	cursor_format(&b, order, n);
	memcpy(text, b.p, b.n);
	text[b.n] = '\0';
	buf_free(&b);
	return text;
}

/* Of a and b: the milliseconds of each place, `-` for none; then the rest. */
static void
is_start(const char *query, const char *header, const char *want)
{
	static const char *const from[] = {"policy", "last", "since"};
	char target[400], fields[400] = "";
	const char *why;
	struct route r;
	struct buf b;

	snprintf(target, sizeof target, "/events?channel=a&channel=b%s", query);
	if (header != NULL)
		snprintf(
		    fields, sizeof fields, "Last-Event-ID: %s\r\n", header);
	is_int(find(&r, target, fields, &why), 0, target);
	buf_init(&b, 100);
	for (size_t i = 0; i < r.nchannels; i++)
		if (r.places[i].known)
			buf_addf(&b, "%d ", (int)r.places[i].id.ms);
		else
			buf_addz(&b, "- ");
	buf_addf(&b, "%s%s", from[r.from], r.bad_cursor ? " bad" : "");
	is_str(buf_str(&b), str_c(want), "... begins there");
	buf_free(&b);
	route_free(&r);
}

/* The later in this list counts more, channel by channel. */
static void
test_starts(void)
{
	char option[HEAD_MAX], text[HEAD_MAX], in_query[HEAD_MAX + 20];

	is_start("", NULL, "- - policy");
	is_start("&last=5", NULL, "- - last");
	is_start("&since=0", NULL, "- - since");
	conf.cursor = str_c(cursor_of(option, "ab", 1));
	is_start("", NULL, "1 1 policy");
	is_start("&last=5", NULL, "- - last");
	conf.cursor = str_c(cursor_of(option, "xb", 1));
	is_start("", NULL, "- 1 policy");
	snprintf(in_query, sizeof in_query, "&last_event_id=%s",
	    cursor_of(text, "ax", 2));
	is_start(in_query, NULL, "2 1 policy");
	is_start(in_query, cursor_of(text, "xb", 3), "2 3 policy");
	is_start(in_query, cursor_of(text, "ba", 3), "3 3 policy");
	is_start("&last=5", cursor_of(text, "bx", 3), "- 3 last");
	is_start("&since=0", cursor_of(text, "bx", 3), "- 3 since");
	is_start("", cursor_of(text, "xy", 3), "- 1 policy");
	is_start(in_query, "x", "2 1 policy bad");
	is_start("&last=5", "1-0", "- - last bad");
	is_start("&last=5", "", "- - last");
	text[3]++;
	is_start("", text, "- 1 policy bad");
	conf.cursor = str_c(NULL);
}

/* A cursor of several is good for one, and an id is for one only. */
static void
test_single(void)
{
	char text[HEAD_MAX], fields[HEAD_MAX];
	const char *why;
	struct route r;

	snprintf(fields, sizeof fields, "Last-Event-ID: %s\r\n",
	    cursor_of(text, "ab", 7));
	is_int(find(&r, "/chat/b/events", fields, &why), 0, "one of several");
	ok(r.places[0].known && r.places[0].id.ms == 7, "its place");
	route_free(&r);
	is_int(find(&r, "/events?channel=b&lastEventId=9-1", "", &why), 0,
	    "an id");
	ok(r.places[0].known && r.places[0].id.seq == 1, "is its place");
	route_free(&r);
	is_route("/events?channel=a&channel=b&lastEventId=9-1", 400,
	    "last_event_id: not a cursor");
	is_route("/events?channel=a&last_event_id=x", 400,
	    "last_event_id: not a cursor");
}

int
main(void)
{
	test_channels();
	test_default();
	test_limit();
	test_names();
	test_starts();
	test_single();
	return done();
}
