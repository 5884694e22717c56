#include "wire/json.h"

#include "wire/utf8.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>
#include <stdint.h>

/*
 * The gate is utf8_valid and the scanner below; jsmn then only locates the
 * tokens of a text that is known to be valid. RFC 8259:
 *
 *   text   = ws value ws
 *   value  = "false" / "null" / "true" / number / string / array / object
 *   array  = "[" [ value *( "," value ) ] "]"
 *   object = "{" [ string ":" value *( "," string ":" value ) ] "}"
 *   number = [ "-" ] ( "0" / ( %x31-39 *DIGIT ) ) [ "." 1*DIGIT ]
 *            [ ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT ]
 *
 * with ws around each token; string is json_string's.
 */
struct scan {
	const char *p, *end;
	uint64_t objects; /* a bit per open container: is it an object? */
	unsigned depth;
	size_t tokens; /* values and names met so far */
};

_Static_assert(JSON_DEPTH_MAX <= 64, "a bit for each open container");

enum step { INVALID, AT_VALUE, AFTER_VALUE };

static struct str
rest(const struct scan *s)
{
	return str_n(s->p, (size_t)(s->end - s->p));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

/* Step over c if it is next. */
static bool
take(struct scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static bool
take_string(struct scan *s)
{
	size_t n = json_string_len(rest(s));

	s->p += n;
	return n > 0;
}

static bool
take_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
		s->p++;
	return s->p > from;
}

static bool
take_number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !take_digits(s))
		return false;
	if (take(s, '.') && !take_digits(s))
		return false;
	if (!take(s, 'e') && !take(s, 'E'))
		return true;
	if (!take(s, '+'))
		take(s, '-');
	return take_digits(s);
}

static bool
take_word(struct scan *s, struct str word)
{
	if (!str_starts(rest(s), word))
		return false;
	s->p += word.n;
	return true;
}

static bool
in_object(const struct scan *s)
{
	return (s->objects & 1) != 0;
}

/* A member's name and its colon. */
static enum step
take_name(struct scan *s)
{
	s->tokens++;
	skip_space(s);
	if (!take_string(s))
		return INVALID;
	skip_space(s);
	return take(s, ':') ? AT_VALUE : INVALID;
}

/* A container opens; an empty one is left to after_value. */
static enum step
open_container(struct scan *s, bool object)
{
	if (s->depth == JSON_DEPTH_MAX)
		return INVALID;
	s->depth++;
	s->objects = s->objects << 1 | object;
	s->p++;
	skip_space(s);
	if (s->p < s->end && *s->p == (object ? '}' : ']'))
		return AFTER_VALUE;
	return object ? take_name(s) : AT_VALUE;
}

static enum step
at_value(struct scan *s)
{
	bool good;

	s->tokens++;
	skip_space(s);
	if (s->p == s->end)
		return INVALID;
	switch (*s->p) {
	case '{':
	case '[':
		return open_container(s, *s->p == '{');
	case '"':
		good = take_string(s);
		break;
	case 't':
		good = take_word(s, STR("true"));
		break;
	case 'f':
		good = take_word(s, STR("false"));
		break;
	case 'n':
		good = take_word(s, STR("null"));
		break;
	default:
		good = take_number(s);
	}
	return good ? AFTER_VALUE : INVALID;
}

/* Within a container: it goes on or closes. */
static enum step
after_value(struct scan *s)
{
	skip_space(s);
	if (take(s, ','))
		return in_object(s) ? take_name(s) : AT_VALUE;
	if (!take(s, in_object(s) ? '}' : ']'))
		return INVALID;
	s->objects >>= 1;
	s->depth--;
	return AFTER_VALUE;
}

/* How many tokens the valid text s has; 0 when it is not valid. */
static size_t
scan_text(struct str s)
{
	struct scan scan = {.p = s.p, .end = s.p + s.n};
	enum step step = AT_VALUE;

	if (s.n == 0 || s.n > JSON_SIZE_MAX || !utf8_valid(s))
		return 0;
	while (step == AT_VALUE || (step == AFTER_VALUE && scan.depth > 0))
		step = step == AT_VALUE ? at_value(&scan) : after_value(&scan);
	if (step == INVALID)
		return 0;
	skip_space(&scan);
	return scan.p == scan.end ? scan.tokens : 0;
}

bool
json_valid(struct str s)
{
	return scan_text(s) > 0;
}

/* jsmn calls all of null, true, false and numbers "primitive". */
static enum json_type
type_of(const jsmntok_t *t, const char *text)
{
	if (t->type == JSMN_OBJECT)
		return JSON_OBJECT;
	if (t->type == JSMN_ARRAY)
		return JSON_ARRAY;
	if (t->type == JSMN_STRING)
		return JSON_STRING;
	switch (text[t->start]) {
	case 'n':
		return JSON_NULL;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	default:
		return JSON_NUMBER;
	}
}

static struct str
token_str(const jsmntok_t *t, const char *text)
{
	return str_n(text + t->start, (size_t)(t->end - t->start));
}

/* t[0] is the object, then name and value by turns, each with all within it. */
static int
walk(const jsmntok_t *t, size_t n, const char *text,
    int (*member)(void *arg, struct str key, struct json value), void *arg)
{
	size_t i = 1;

	while (i + 1 < n) {
		const jsmntok_t *name = &t[i], *value = &t[i + 1];
		struct json v = {type_of(value, text), token_str(value, text)};
		int r = member(arg, token_str(name, text), v);
		if (r != 0)
			return r;
		for (i += 2; i < n && t[i].start < value->end;)
			i++;
	}
	return 0;
}

int
json_members(struct str s,
    int (*member)(void *arg, struct str key, struct json value), void *arg)
{
	size_t n = scan_text(s);
	struct buf space;
	jsmn_parser parser;
	jsmntok_t *t;
	int r = -1;

	if (n == 0)
		return -1;
	buf_init(&space, n * sizeof *t);
	t = (jsmntok_t *)(void *)buf_room(&space, n * sizeof *t);
	jsmn_init(&parser);
	if (t != NULL &&
	    jsmn_parse(&parser, s.p, s.n, t, (unsigned)n) == (int)n &&
	    t[0].type == JSMN_OBJECT)
		r = walk(t, n, s.p, member, arg);
	buf_free(&space);
	return r;
}

/* To the next white space between tokens, or the end. */
static void
skip_tokens(struct scan *s)
{
	while (s->p < s->end && !is_space(*s->p))
		if (!take_string(s))
			s->p++;
}

void
json_compact(struct buf *b, struct str s)
{
	struct scan scan = {.p = s.p, .end = s.p + s.n};

	while (scan.p < scan.end) {
		const char *from = scan.p;
		skip_tokens(&scan);
		buf_add(b, from, (size_t)(scan.p - from));
		skip_space(&scan);
	}
}
