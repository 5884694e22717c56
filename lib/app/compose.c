#include "app/compose.h"

#include "wire/format.h"
#include "wire/records.h"

#include <string.h>

enum {
	TEXT_MAX = 64 << 10, /* of a delimiter */
	HEADERS_MAX = 1 << 20,
	/* What an envelope or a key add to a payload. */
	SLACK = 1 << 20,
	DEFAULT_SIZE = 1 << 20,
};

/* Redis takes no more, unless it is told to. */
#define SIZE_LIMIT ((uint64_t)512 << 20)

#define FIELDS_MAX ((size_t)1 << 31)

#define AT(member) offsetof(struct compose_conf, member)

const struct opt compose_opts[] = {
    {'j', "json|ndjson", NULL, OPT_FLAG, AT(json),
	"one JSON envelope a line, as the readers' -j prints", NULL, NULL, 0},
    {'K', "key-delimiter", "STR", OPT_STR, AT(key_delimiter),
	"a message is KEY STR payload", NULL, NULL, 0},
    {'k', "key", "KEY", OPT_STR, AT(key), "the key of every message", NULL,
	NULL, 0},
    {'H', "header", "NAME=VALUE", OPT_LIST, AT(headers),
	"add a field to every message; repeatable", NULL, NULL, 0},
    {0, "event", "TYPE", OPT_STR, AT(event), "the type of every message", NULL,
	NULL, 0},
    {0, "max-size", "SIZE", OPT_SIZE, AT(max_size), "largest payload (1M)",
	NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

void
compose_conf_init(struct compose_conf *c)
{
	*c = (struct compose_conf){.max_size = DEFAULT_SIZE};
}

void
compose_conf_free(struct compose_conf *c)
{
	opt_list_free(&c->headers);
}

/* In an envelope, \u0000 is six bytes for one. */
size_t
compose_record_max(const struct compose_conf *conf)
{
	if (conf->json)
		return 6 * conf->max_size + SLACK;
	if (conf->key_delimiter != NULL)
		return conf->max_size + SLACK;
	return conf->max_size;
}

/* ---- What the options say ---- */

static bool
reserved(const struct compose *c, struct str name)
{
	return str_eq(name, STR("event")) || str_eq(name, STR("mid")) ||
	    str_eq(name, STR("key")) || str_eq(name, c->data_name);
}

static int
add_header(struct compose *c, const char *text, struct buf *err)
{
	struct msg_field f = {.role = MSG_HEADER};

	f.name = str_cut(str_c(text), '=', &f.value);
	if (f.value.p == NULL || f.name.n == 0)
		buf_addf(err, "header %s: not NAME=VALUE", text);
	else if (reserved(c, f.name))
		buf_addf(err, "header %s: the name is reserved", text);
	else if (buf_add(&c->headers, &f, sizeof(f)) != 0)
		buf_addz(err, "too many headers");
	return err->n > 0 ? -1 : 0;
}

static int
check_conf(const struct compose_conf *c, struct buf *err)
{
	if (c->json && c->key_delimiter != NULL)
		buf_addz(err, "only one of -j and -K");
	else if (c->key != NULL && c->key_delimiter != NULL)
		buf_addz(err, "only one of -k and -K");
	else if (c->key_delimiter != NULL && *c->key_delimiter == '\0')
		buf_addz(err, "-K must not be empty");
	else if (c->event != NULL && !msg_event_ok(str_c(c->event)))
		buf_addz(err, "--event: bad UTF-8, or a line end");
	else if (c->max_size > SIZE_LIMIT)
		buf_addz(err, "--max-size must be at most 512M");
	return err->n > 0 ? -1 : 0;
}

int
compose_init(struct compose *c, const struct compose_conf *conf,
    struct str channel, struct str data_name, struct buf *err)
{
	*c = (struct compose){.conf = conf,
	    .channel = channel,
	    .event = str_c(conf->event),
	    .key = str_c(conf->key),
	    .data_name = data_name};
	if (check_conf(conf, err) != 0)
		return -1;
	buf_init(&c->key_delimiter, TEXT_MAX);
	buf_init(&c->headers, HEADERS_MAX);
	buf_init(&c->fields, FIELDS_MAX);
	msg_space_init(&c->space, 2 * compose_record_max(conf));
	for (size_t i = 0; i < conf->headers.n; i++)
		if (add_header(c, conf->headers.v[i], err) != 0)
			return -1;
	if (conf->key_delimiter == NULL ||
	    format_unescape(&c->key_delimiter, conf->key_delimiter) == 0)
		return 0;
	buf_addf(err, "bad escape in delimiter: %s", conf->key_delimiter);
	return -1;
}

void
compose_free(struct compose *c)
{
	msg_space_free(&c->space);
	buf_free(&c->key_delimiter);
	buf_free(&c->headers);
	buf_free(&c->fields);
}

/* ---- Messages ---- */

/* What the command line says of every message. */
static void
override(const struct compose *c, struct msg *m)
{
	if (c->channel.p != NULL)
		m->channel = c->channel;
	if (c->event.p != NULL)
		m->event = c->event;
	if (c->key.p != NULL)
		m->key = c->key;
}

static void
split(const struct compose *c, struct msg *m, struct str record)
{
	struct str delimiter = buf_str(&c->key_delimiter);
	size_t end = records_find(record, delimiter, 0);

	m->data = record;
	if (end == record.n)
		return;
	m->key = str_n(record.p, end);
	m->data = str_from(record, end + delimiter.n);
}

/* The fields of the envelope, and the headers. */
static int
add_headers(struct compose *c, struct msg *m)
{
	struct buf *b = &c->fields;

	buf_clear(b);
	if (m->nfields > 0)
		buf_add(b, m->fields, m->nfields * sizeof(*m->fields));
	buf_adds(b, buf_str(&c->headers));
	m->fields = (const struct msg_field *)(const void *)buf_str(b).p;
	m->nfields = b->n / sizeof(*m->fields);
	return b->failed ? -1 : 0;
}

static const char *
check(const struct compose *c, const struct msg *m)
{
	if (m->channel.p == NULL)
		return "no channel";
	if (!msg_channel_ok(m->channel))
		return "bad channel name";
	if (m->event.p != NULL && !msg_event_ok(m->event))
		return "bad event type";
	if (m->data.n > c->conf->max_size)
		return "too large";
	return NULL;
}

int
compose_message(
    struct compose *c, struct msg *m, struct str record, const char **why)
{
	memset(m, 0, sizeof(*m));
	if (c->conf->json) {
		if (msg_from_json(m, &c->space, record, c->data_name, why) != 0)
			return -1;
	} else if (c->key_delimiter.n > 0) {
		split(c, m, record);
	} else {
		m->data = record;
	}
	override(c, m);
	*why = add_headers(c, m) != 0 ? "out of memory" : check(c, m);
	return *why != NULL ? -1 : 0;
}
