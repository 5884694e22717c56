/* The part of app/post that knows types of bodies. */
#include "app/post_impl.h"

#include "wire/form.h"
#include "wire/json.h"
#include "wire/utf8.h"

#define FORM "application/x-www-form-urlencoded"

const char post_type_wanted[] =
    "Content-Type must be application/json, text/plain, " FORM
    " or application/x-ndjson, in UTF-8 and without a Content-Encoding";

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

/* ---- Forms ---- */

/* What a form may hold besides its data; others of its fields say nothing. */
enum field { DATA, EVENT, MID, FIELDS };

static const char *const field_names[FIELDS] = {"data", "event", "mid"};

static enum field
find_field(struct str name)
{
	unsigned i = 0;

	while (i < FIELDS && !str_eq(name, str_c(field_names[i])))
		i++;
	return (enum field)i;
}

/* 1, 0 at the end, or -1: it is malformed, or there is one twice. */
static int
take_field(struct buf to[FIELDS], bool found[FIELDS], struct str *rest,
    struct buf *name, struct buf *value)
{
	int result = form_next(rest, name, value);
	enum field i;

	if (result <= 0)
		return result;
	i = find_field(buf_str(name));
	if (i == FIELDS)
		return 1;
	if (found[i])
		return -1;
	found[i] = true;
	return buf_adds(&to[i], buf_str(value)) == 0 ? 1 : -1;
}

static int
read_fields(struct str form, struct buf to[FIELDS], bool found[FIELDS])
{
	struct buf name, value;
	int result;

	buf_init(&name, form.n);
	buf_init(&value, form.n);
	do
		result = take_field(to, found, &form, &name, &value);
	while (result > 0);
	buf_free(&name);
	buf_free(&value);
	return result;
}

/* The type in the form counts more than that in the query. */
static const char *
read_form(struct post *p)
{
	struct buf to[FIELDS];
	bool found[FIELDS] = {false};
	int result;

	buf_init(&to[DATA], p->body.n);
	buf_init(&to[EVENT], HTTP_LINE_MAX);
	buf_init(&to[MID], POST_MID_MAX);
	result = read_fields(buf_str(&p->body), to, found);
	replace_body(p, &to[DATA]);
	if (found[EVENT]) {
		buf_free(&p->event);
		p->event = to[EVENT];
	} else {
		buf_free(&to[EVENT]);
	}
	if (found[MID] && p->mid.n == 0)
		buf_adds(&p->mid, buf_str(&to[MID]));
	buf_free(&to[MID]);
	if (result < 0)
		return "a field of the form is malformed, too long or repeated";
	return found[DATA] ? NULL : "the form has no data";
}

/* ---- ---- */

static const struct post_type types[] = {
    {"application/json", read_json},
    {"text/plain", read_text},
    {FORM, read_form},
    {"application/x-ndjson", NULL},
};

/* parameter = name "=" ( token / quoted-string ) (RFC 9110 5.6.6) */
static bool
is_foreign(struct str parameter)
{
	struct str value, name = str_trim(str_cut(parameter, '=', &value));

	if (!str_ieq(name, STR("charset")))
		return false;
	value = str_trim(value);
	return !str_ieq(value, STR("utf-8")) &&
	    !str_ieq(value, STR("\"utf-8\""));
}

/*
 * media-type = type "/" subtype *( OWS ";" OWS [ parameter ] )
 * (RFC 9110 8.3.1); of the parameters only a foreign charset matters.
 */
static const struct post_type *
find(struct str field)
{
	struct str rest, name = str_trim(str_cut(field, ';', &rest));

	while (rest.p != NULL)
		if (is_foreign(str_cut(rest, ';', &rest)))
			return NULL;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (str_ieq(name, str_c(types[i].name)))
			return &types[i];
	return NULL;
}

const struct post_type *
post_type_find(const struct http_request *req)
{
	const struct post_type *type = NULL;
	size_t n = 0;

	if (http_field(req, STR("Content-Encoding")).n > 0)
		return NULL;
	for (size_t i = 0; i < req->nfields; i++)
		if (str_ieq(req->fields[i].name, STR("Content-Type"))) {
			type = find(req->fields[i].value);
			n++;
		}
	return n == 1 ? type : NULL;
}
