#include "app/route.h"

#include "wire/msg.h"

#include <stdlib.h>
#include <string.h>

enum { CHANNELS_MAX = 5 };

static const char *const served[] = {"a", "b", "room", "c*", "[xy]?", "a b"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static bool
is_served(struct str name)
{
	for (size_t i = 0; i < sizeof served / sizeof *served; i++)
		if (str_glob(str_c(served[i]), name))
			return true;
	return false;
}

/* Good names, each of them once, as many as there are places. */
static void
check_channels(const struct route *r)
{
	struct str rest = r->channels, before, other;

	check(r->nchannels >= 1 && r->nchannels <= CHANNELS_MAX);
	for (size_t i = 0; i < r->nchannels; i++) {
		struct str name = str_cut(rest, '\0', &rest);
		check(msg_channel_ok(name) && is_served(name));
		check(r->places[i].key == cursor_part_of(name).key);
		before = r->channels;
		for (size_t k = 0; k < i; k++) {
			other = str_cut(before, '\0', &before);
			check(!str_eq(other, name));
		}
	}
	check(rest.p == NULL);
}

static bool
find(struct route *r, const struct http_request *req)
{
	const struct route_conf conf = {.channels = served,
	    .nchannels = sizeof served / sizeof *served,
	    .max_channels = CHANNELS_MAX,
	    .publish = true};
	const char *why = NULL;
	int status = route_find(r, req, &conf, &why);

	check(status == 0 || status == 400 || status == 404 || status == 405);
	check((status == 0) == (why == NULL));
	check(status == 404 || status == 400 || r->allow != NULL);
	return status == 0;
}

/* A cursor of all of them is taken, whatever else is asked for. */
static void
check_resume(const struct http_request *req, const struct route *r)
{
	struct http_request again = *req;
	struct cursor_part parts[CHANNELS_MAX], *order[CHANNELS_MAX];
	struct route resumed;
	struct buf text;

	for (size_t i = 0; i < r->nchannels; i++) {
		parts[i] = r->places[i];
		parts[i].id = (struct id){1756735200000 + i, i};
		parts[i].known = true;
		order[i] = &parts[i];
	}
	cursor_sort(order, r->nchannels);
	buf_init(&text, HTTP_HEAD_MAX);
	cursor_format(&text, order, r->nchannels);
	again.fields[0] =
	    (struct http_field){STR("Last-Event-ID"), buf_str(&text)};
	again.nfields = again.nfields > 0 ? again.nfields : 1;
	check(find(&resumed, &again) && !resumed.bad_cursor);
	check(resumed.nchannels == r->nchannels);
	for (size_t i = 0; i < r->nchannels; i++)
		check(resumed.places[i].known &&
		    id_eq(resumed.places[i].id, parts[i].id));
	route_free(&resumed);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request req;
	const char *why = NULL;
	struct route r;

	if (http_request(&req, (const char *)data, size, &why) <= 0)
		return 0;
	if (find(&r, &req) && r.kind == ROUTE_EVENTS) {
		check_channels(&r);
		check_resume(&req, &r);
	}
	route_free(&r);
	return 0;
}
