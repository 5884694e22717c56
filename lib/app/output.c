#include "app/output.h"

#include <stddef.h>
#include <string.h>

enum { ESCAPE_AUTO, ESCAPE_ALWAYS, ESCAPE_NEVER };

/* More than a message of Redis's own limit (512 MB) becomes in hex. */
#define SCRATCH_MAX ((size_t)2 << 30)

enum { TEXT_MAX = 64 << 10, KEEP = 64 << 10 };

#define AT(member) offsetof(struct output_conf, member)

const struct opt output_opts[] = {
    {'j', "json|ndjson", NULL, OPT_FLAG, AT(json),
	"one JSON envelope a line, lossless", NULL, NULL, 0},
    {'0', "null", NULL, OPT_FLAG, AT(null), "end messages with NUL", NULL, NULL,
	0},
    {'D', "delimiter", "STR", OPT_STR, AT(delimiter),
	"end messages with STR instead of a newline; may be empty", NULL, NULL,
	0},
    {'K', "key-delimiter", "STR", OPT_STR, AT(key_delimiter),
	"print KEY STR payload", NULL, NULL, 0},
    {'F', "format", "FMT", OPT_STR, AT(format),
	"raw, id, log, json, or directives such as '%I %o %s' (see chat(7))",
	NULL, NULL, 0},
    {0, "escape", "auto|always|never", OPT_ENUM, AT(escape),
	"control characters as \\xNN; auto: on a terminal", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static int
check(const struct output_conf *c, struct buf *err)
{
	bool framed = c->null || c->delimiter != NULL;

	if (c->json && (framed || c->format || c->key_delimiter))
		buf_addz(err, "-j goes without -F, -0, -D and -K");
	else if (c->null && c->delimiter != NULL)
		buf_addz(err, "-0 goes without -D");
	else if (c->format != NULL && c->key_delimiter != NULL)
		buf_addz(err, "-F goes without -K");
	return err->n > 0 ? -1 : 0;
}

/* -K STR is the format `%kSTR%s`, with STR taken as it stands. */
static int
compile_keyed(struct output *o, const char *delimiter, struct buf *err)
{
	struct buf text;
	int r;

	buf_init(&text, TEXT_MAX);
	buf_addz(&text, "%k");
	for (; *delimiter != '\0'; delimiter++)
		buf_addf(&text, *delimiter == '%' ? "%%%c" : "%c", *delimiter);
	buf_add(&text, "%s", 3);
	r = text.failed ? -1 : format_compile(&o->format, text.p, err);
	buf_free(&text);
	return r;
}

static int
compile(struct output *o, const struct output_conf *c, struct buf *err)
{
	if (c->key_delimiter != NULL)
		return compile_keyed(o, c->key_delimiter, err);
	if (c->json)
		return format_compile(&o->format, "json", err);
	return format_compile(
	    &o->format, c->format != NULL ? c->format : "raw", err);
}

int
output_init(struct output *o, const struct output_conf *c, bool terminal,
    struct buf *err)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->delimiter, TEXT_MAX);
	buf_init(&o->scratch, SCRATCH_MAX);
	o->escape = c->escape == ESCAPE_ALWAYS ||
	    (c->escape == ESCAPE_AUTO && terminal);
	if (check(c, err) != 0 || compile(o, c, err) != 0)
		return -1;
	if (c->null)
		buf_addc(&o->delimiter, '\0');
	else if (c->delimiter == NULL)
		buf_addc(&o->delimiter, '\n');
	else if (format_unescape(&o->delimiter, c->delimiter) != 0) {
		buf_addf(err, "bad escape in delimiter: %s", c->delimiter);
		return -1;
	}
	return 0;
}

void
output_free(struct output *o)
{
	format_free(&o->format);
	buf_free(&o->delimiter);
	buf_free(&o->scratch);
}

void
output_add(struct output *o, struct buf *b, const struct msg *m)
{
	o->nr++;
	if (!o->escape) {
		format_add(b, &o->format, m, o->nr);
	} else {
		buf_clear(&o->scratch);
		format_add(&o->scratch, &o->format, m, o->nr);
		format_escape(b, buf_str(&o->scratch));
		buf_shrink(&o->scratch, KEEP);
	}
	buf_adds(b, buf_str(&o->delimiter));
}
