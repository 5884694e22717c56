#include "app/post.h"

#include "base/log.h"
#include "base/num.h"
#include "wire/json.h"
#include "wire/uri.h"
#include "wire/utf8.h"

#include <string.h>

enum { MID_MAX = 256, ANSWER_MAX = 16 << 10 };

/* ---- What a body of a content type is as a message ---- */

/*
 * Turn the body into the payload, in place. NULL, or what is wrong with it
 * (static text).
 */
struct post_type {
	const char *name;
	const char *(*read)(struct post *p);
};

static void
replace_body(struct post *p, struct buf *with)
{
	buf_free(&p->body);
	p->body = *with;
}

static const char *
read_json(struct post *p)
{
	struct buf compact;

	if (!json_valid(buf_str(&p->body)))
		return "not valid JSON";
	buf_init(&compact, p->body.n);
	json_compact(&compact, buf_str(&p->body));
	replace_body(p, &compact);
	return NULL;
}

static const char *
read_text(struct post *p)
{
	return utf8_valid(buf_str(&p->body)) ? NULL : "not valid UTF-8";
}

static bool
read_form_value(struct buf *out, struct str raw)
{
	buf_clear(out);
	return uri_decode(out, raw, true) == 0;
}

static const char *
read_form(struct post *p)
{
	struct str rest = buf_str(&p->body), name, value;
	struct buf data;
	bool ok = true, found = false;

	buf_init(&data, p->body.n);
	while (ok && uri_param(&rest, &name, &value)) {
		if (str_eq(name, STR("data"))) {
			ok = !found && read_form_value(&data, value);
			found = true;
		} else if (str_eq(name, STR("event"))) {
			ok = read_form_value(&p->event, value);
		} else if (str_eq(name, STR("mid"))) {
			ok = p->mid.n > 0 || read_form_value(&p->mid, value);
		}
	}
	replace_body(p, &data);
	if (!ok)
		return "a value of the form is malformed or repeated";
	return found ? NULL : "the form has no data";
}

static const struct post_type types[] = {
    {"application/json", read_json},
    {"text/plain", read_text},
    {"application/x-www-form-urlencoded", read_form},
};

/*
 * media-type = type "/" subtype *( OWS ";" OWS [ name "=" value ] )
 * (RFC 9110 8.3.1); of the parameters only a foreign charset matters.
 */
static const struct post_type *
find_type(struct str field)
{
	struct str rest, name = str_trim(str_cut(field, ';', &rest));

	while (rest.p != NULL) {
		struct str value, p = str_cut(rest, ';', &rest);
		p = str_trim(str_cut(p, '=', &value));
		if (str_ieq(p, STR("charset")) &&
		    !str_ieq(value, STR("utf-8")) &&
		    !str_ieq(value, STR("\"utf-8\"")))
			return NULL;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_ieq(name, str_c(types[i].name)))
			return &types[i];
	return NULL;
}

/* ---- What Redis says ---- */

/* The stream that begins with it. It may be trimmed already. */
static void
add_location(struct buf *b, const struct msg *m)
{
	char before[ID_TEXT];

	buf_addz(b, "events");
	if (!m->has_id)
		return;
	id_format(before, id_prev(m->id));
	buf_addf(b, "?last_event_id=%s", before);
}

static void
answer_stored(struct post *p, const struct msg *m)
{
	char id[ID_TEXT];
	struct buf body, location;
	struct client_field fields[] = {{"Cache-Control", STR("no-store")},
	    {"Location", {NULL, 0}}, {NULL, {NULL, 0}}};

	buf_init(&body, ANSWER_MAX);
	buf_init(&location, ANSWER_MAX);
	buf_addc(&body, '{');
	if (m->has_id) {
		id_format(id, m->id);
		buf_addf(&body, "\"streamId\":\"%s\",", id);
	}
	buf_addz(&body, "\"messageId\":");
	json_quote(&body, m->mid);
	buf_addz(&body, ",\"channel\":");
	json_quote(&body, p->channel);
	buf_addz(&body, "}\n");
	add_location(&location, m);
	fields[1].value = buf_str(&location);
	client_answer(p->client,
	    &(struct client_answer){
		202, "application/json", buf_str(&body), fields});
	buf_free(&body);
	buf_free(&location);
}

static void
on_result(void *arg, const struct msg *m, const struct publish_result *res)
{
	struct post *p = arg;

	if (res->why != NULL)
		log_warn("%.*s: %s", (int)p->channel.n, p->channel.p, res->why);
	switch (res->end) {
	case PUBLISH_STORED:
		answer_stored(p, m);
		break;
	case PUBLISH_MISSING:
		client_refuse(p->client, 404, "no such channel");
		break;
	case PUBLISH_REFUSED:
		client_refuse(p->client, 500, "this channel takes no message");
		break;
	case PUBLISH_FAILED:
		client_refuse_now(
		    p->client, "Redis is not available: nothing was stored");
		break;
	case PUBLISH_UNSURE:
		client_refuse_now(p->client,
		    "Redis has not answered: it may have been stored");
		break;
	}
}

/* ---- The body ---- */

static void
store(struct post *p)
{
	const char *why = p->type->read(p);
	struct msg m = {.channel = p->channel, .ts_ms = -1};

	p->done = true;
	client_deadline(p->client, 0);
	if (why == NULL && !msg_event_ok(buf_str(&p->event)))
		why = "bad event";
	if (why == NULL && (p->mid.failed || !utf8_valid(buf_str(&p->mid))))
		why = "bad message id";
	if (why != NULL) {
		client_refuse(p->client, 400, why);
		return;
	}
	m.data = buf_str(&p->body);
	if (p->event.n > 0)
		m.event = buf_str(&p->event);
	if (p->mid.n > 0)
		m.mid = buf_str(&p->mid);
	if (publish_add(p->conf->publish, &m, on_result, p) < 0)
		client_refuse_now(p->client, "out of memory");
	publish_flush(p->conf->publish);
	buf_free(&p->body);
}

static void
refuse_size(struct post *p)
{
	char text[64] = "too large: more than ";

	num_format(text + strlen(text), p->conf->max_size);
	strcat(text, " bytes");
	client_refuse(p->client, 413, text);
}

static void
take_chunks(struct post *p, const char *data, size_t n)
{
	bool done;
	long used = chunked_take(&p->chunks, data, n, &p->body, &done);

	if (p->body.failed)
		refuse_size(p);
	else if (used < 0)
		client_refuse(p->client, 400, "malformed chunk");
	else if (done)
		store(p);
}

void
post_input(struct post *p, const char *data, size_t n)
{
	size_t wanted = (size_t)p->length - p->body.n;

	if (p->done) {
		client_discard(p->client, n);
	} else if (n == 0) {
		client_refuse(p->client, 400, "the body is incomplete");
	} else if (p->chunked) {
		take_chunks(p, data, n);
	} else if (buf_add(&p->body, data, n < wanted ? n : wanted) != 0) {
		client_refuse_now(p->client, "out of memory");
	} else if (n >= wanted) {
		store(p);
	}
}

void
post_late(struct post *p)
{
	client_refuse(p->client, 408, "the body took too long");
}

/* ---- ---- */

/* The status and text with which to refuse the head, or 0. */
static int
check(const struct post *p, const struct http_request *req, const char **why)
{
	if (p->type == NULL) {
		*why = "Content-Type must be application/json, text/plain or "
		       "application/x-www-form-urlencoded, in UTF-8";
		return 415;
	}
	if (!req->chunked && req->length < 0) {
		*why = "Content-Length is required";
		return 411;
	}
	return 0;
}

void
post_start(struct post *p, struct client *c, const struct post_conf *conf,
    const struct http_request *req, const struct route *r)
{
	const char *why;
	int status;

	memset(p, 0, sizeof(*p));
	p->client = c;
	p->conf = conf;
	p->channel = r->channels;
	p->type = find_type(http_field(req, STR("Content-Type")));
	p->chunked = req->chunked;
	p->length = req->length;
	buf_init(&p->body, (size_t)conf->max_size);
	buf_init(&p->event, HTTP_LINE_MAX);
	buf_init(&p->mid, MID_MAX);
	buf_adds(&p->event, buf_str(&r->event));
	buf_adds(&p->mid, http_field(req, STR("Idempotency-Key")));
	status = check(p, req, &why);
	if (status != 0)
		client_refuse(c, status, why);
	else if (req->length > 0 && (uint64_t)req->length > conf->max_size)
		refuse_size(p);
	else if (!req->has_body)
		store(p);
	else if (req->expect)
		client_write(c, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	if (!p->done)
		client_deadline(c, conf->timeout_ms);
}

void
post_stop(struct post *p)
{
	if (p->client == NULL)
		return;
	publish_forget(p->conf->publish, p);
	buf_free(&p->body);
	buf_free(&p->event);
	buf_free(&p->mid);
}
