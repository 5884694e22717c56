#include "wire/msg.h"

#include "wire/json.h"
#include "wire/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static bool
good(const struct msg *m)
{
	return (m->channel.p == NULL || msg_channel_ok(m->channel)) &&
	    (m->event.p == NULL || msg_event_ok(m->event));
}

static bool
binary(const struct msg_field *f)
{
	return !utf8_valid(f->name) || !utf8_valid(f->value);
}

/* The next header of m from field *i on, of text or binary; NULL at the end. */
static const struct msg_field *
next_header(const struct msg *m, size_t *i, bool want_binary)
{
	while (*i < m->nfields) {
		const struct msg_field *f = &m->fields[(*i)++];
		if (f->role == MSG_HEADER && binary(f) == want_binary)
			return f;
	}
	return NULL;
}

static void
same_headers(const struct msg *a, const struct msg *b, bool want_binary)
{
	const struct msg_field *f, *g;
	size_t i = 0, j = 0;

	do {
		f = next_header(a, &i, want_binary);
		g = next_header(b, &j, want_binary);
		check((f == NULL) == (g == NULL));
		check(f == NULL ||
		    (str_eq(f->name, g->name) && str_eq(f->value, g->value)));
	} while (f != NULL);
}

static void
same(const struct msg *a, const struct msg *b)
{
	check(str_eq(a->channel, b->channel));
	check(a->has_id == b->has_id && (!a->has_id || id_eq(a->id, b->id)));
	check(str_eq(a->foreign_id, b->foreign_id));
	check(a->ts_ms == b->ts_ms);
	check(str_eq(a->data, b->data) && str_eq(a->event, b->event));
	check(str_eq(a->mid, b->mid) && str_eq(a->key, b->key));
	check(a->nfields == b->nfields);
	same_headers(a, b, false);
	same_headers(a, b, true);
}

/* Fields that were read are bound by their names to what they are. */
static void
check_fields(const struct msg *m, struct str data_name)
{
	struct msg_field *copy = calloc(m->nfields + 1, sizeof *copy);
	struct msg again = *m;

	check(copy != NULL);
	for (size_t i = 0; i < m->nfields; i++) {
		copy[i].name = m->fields[i].name;
		copy[i].value = m->fields[i].value;
	}
	msg_bind(&again, copy, m->nfields, data_name);
	same(m, &again);
	free(copy);
}

static void
round_trip(const struct msg *m, struct str data_name)
{
	struct buf line;
	struct msg_space sp;
	struct msg back;
	const char *why = NULL;

	buf_init(&line, 1u << 24);
	msg_to_json(&line, m);
	check(!line.failed && json_valid(buf_str(&line)));
	check(str_find(buf_str(&line), '\n') == line.n);
	msg_space_init(&sp, line.n);
	if (msg_from_json(&back, &sp, buf_str(&line), data_name, &why) == 0) {
		check(good(m));
		same(m, &back);
		check_fields(&back, data_name);
	} else {
		check(!good(m) && why != NULL);
	}
	msg_space_free(&sp);
	buf_free(&line);
}

static void
from_line(struct str line, struct str data_name)
{
	struct msg_space sp;
	struct msg m;
	const char *why = NULL;

	msg_space_init(&sp, line.n);
	if (msg_from_json(&m, &sp, line, data_name, &why) == 0) {
		check(good(&m));
		check_fields(&m, data_name);
		round_trip(&m, data_name);
	} else {
		check(why != NULL);
	}
	msg_space_free(&sp);
}

/* A length byte and as many bytes, or what there is. */
static struct str
take(struct str *in)
{
	size_t n = in->n > 0 ? (unsigned char)in->p[0] : 0;
	struct str s;

	*in = str_from(*in, in->n > 0);
	n = n < in->n ? n : in->n;
	s = str_n(in->p, n);
	*in = str_from(*in, n);
	return s;
}

/* One byte for a name that has a meaning somewhere, or any bytes. */
static struct str
take_name(struct str *in)
{
	static const struct str names[] = {{"data", 4}, {"event", 5},
	    {"mid", 3}, {"key", 3}, {"body", 4}, {"channel", 7}};
	struct str s = take(in);
	size_t i = s.n == 1 ? (unsigned char)s.p[0] : SIZE_MAX;

	return i < sizeof names / sizeof *names ? names[i] : s;
}

static void
from_fields(struct str in, struct str data_name)
{
	struct msg_field fields[64];
	struct msg m = {.ts_ms = -1};
	struct str id = take(&in), channel = take(&in);
	size_t n = 0;

	if (id.n == sizeof m.id) {
		memcpy(&m.id, id.p, sizeof m.id);
		m.has_id = true;
		m.ts_ms = (int64_t)(m.id.ms & INT64_MAX);
	}
	if (channel.n > 0)
		m.channel = channel;
	for (; in.n > 0 && n < sizeof fields / sizeof *fields; n++) {
		fields[n].name = take_name(&in);
		fields[n].value = take(&in);
	}
	msg_bind(&m, fields, n, data_name);
	round_trip(&m, data_name);
}

/* A line as it is, or, behind a NUL, an id, a channel and fields. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str names[] = {
	    {"data", 4}, {"body", 4}, {"event", 5}};
	struct str in = str_n(data, size);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (size > 0 && data[0] == 0)
			from_fields(str_from(in, 1), names[i]);
		else
			from_line(in, names[i]);
	return 0;
}
