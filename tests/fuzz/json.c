#include "wire/json.h"

#include "wire/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

/*
 * A second opinion, written for plainness: recursive descent over a string
 * with a NUL behind it. Each returns the address behind what it read, or NULL.
 */
static const char *
space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

static const char *
number(const char *p)
{
	const char digits[] = "0123456789";
	size_t n;

	p += *p == '-';
	n = strspn(p, digits);
	if (n == 0 || (n > 1 && *p == '0'))
		return NULL;
	p += n;
	if (*p == '.') {
		n = strspn(p + 1, digits);
		if (n == 0)
			return NULL;
		p += 1 + n;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		n = strspn(p, digits);
		p = n == 0 ? NULL : p + n;
	}
	return p;
}

static long
hex(const char *p)
{
	char text[5] = {0};

	if (strspn(p, "0123456789abcdefABCDEF") < 4)
		return -1;
	memcpy(text, p, 4);
	return strtol(text, NULL, 16);
}

static const char *
escape(const char *p)
{
	if (*p != 'u')
		return *p != '\0' && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
	long high = hex(p + 1);
	if (high < 0 || (high >= 0xdc00 && high < 0xe000))
		return NULL;
	if (high < 0xd800 || high >= 0xe000)
		return p + 5;
	if (p[5] != '\\' || p[6] != 'u')
		return NULL;
	long low = hex(p + 7);
	return low >= 0xdc00 && low < 0xe000 ? p + 11 : NULL;
}

/* Of a text that is UTF-8 as a whole. */
static const char *
string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	while (p != NULL && *p != '"') {
		if ((unsigned char)*p < 0x20)
			return NULL;
		p = *p == '\\' ? escape(p + 1) : p + 1;
	}
	return p == NULL ? NULL : p + 1;
}

static const char *value(const char *p, int depth);

static const char *
container(const char *p, int depth, char end)
{
	if (depth > JSON_DEPTH_MAX)
		return NULL;
	p = space(p);
	if (*p == end)
		return p + 1;
	for (;;) {
		if (end == '}') {
			p = string(space(p));
			if (p == NULL || *(p = space(p)) != ':')
				return NULL;
			p++;
		}
		p = value(p, depth);
		if (p == NULL || *p == end)
			return p == NULL ? NULL : p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

/* And the white space around it. */
static const char *
value(const char *p, int depth)
{
	static const char *const words[] = {"null", "true", "false"};

	p = space(p);
	for (size_t i = 0; i < 3; i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return space(p + strlen(words[i]));
	if (*p == '{')
		p = container(p + 1, depth + 1, '}');
	else if (*p == '[')
		p = container(p + 1, depth + 1, ']');
	else
		p = *p == '"' ? string(p) : number(p);
	return p == NULL ? NULL : space(p);
}

static bool
second_opinion(struct str s)
{
	char *text = malloc(s.n + 1);
	bool good = false;

	check(text != NULL);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (utf8_valid(s)) {
		const char *end = value(text, 0);
		good = end == text + s.n;
	}
	free(text);
	return good;
}

/* Unescaping never grows; what it gives can be quoted, and comes back. */
static void
string_round_trip(struct str raw)
{
	struct buf text, quoted, back;

	buf_init(&text, raw.n);
	buf_init(&quoted, 6 * raw.n + 2);
	buf_init(&back, 6 * raw.n + 2);
	json_unescape(&text, raw);
	check(!text.failed && utf8_valid(buf_str(&text)));
	json_quote(&quoted, buf_str(&text));
	check(!quoted.failed && json_valid(buf_str(&quoted)));
	check(json_string_len(buf_str(&quoted)) == quoted.n);
	check(str_find(buf_str(&quoted), '\n') == quoted.n);
	json_unescape(&back, str_n(quoted.p + 1, quoted.n - 2));
	check(str_eq(buf_str(&text), buf_str(&back)));
	buf_free(&text);
	buf_free(&quoted);
	buf_free(&back);
}

static int
member(void *arg, struct str key, struct json v)
{
	++*(size_t *)arg;
	string_round_trip(key);
	if (v.type == JSON_STRING)
		string_round_trip(v.raw);
	else
		check(json_valid(v.raw));
	return 0;
}

static void
compact(struct str s)
{
	struct buf once, twice;

	buf_init(&once, s.n);
	buf_init(&twice, s.n);
	json_compact(&once, s);
	check(!once.failed && json_valid(buf_str(&once)));
	json_compact(&twice, buf_str(&once));
	check(str_eq(buf_str(&once), buf_str(&twice)));
	buf_free(&once);
	buf_free(&twice);
}

/* The bytes themselves as the text of a string. */
static void
quote(struct str s)
{
	struct buf quoted;

	if (!utf8_valid(s))
		return;
	buf_init(&quoted, 6 * s.n + 2);
	json_quote(&quoted, s);
	check(!quoted.failed && json_valid(buf_str(&quoted)));
	string_round_trip(str_n(quoted.p + 1, quoted.n - 2));
	buf_free(&quoted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_n(data, size);
	bool valid = json_valid(s);
	size_t seen = 0;

	check(valid == second_opinion(s));
	quote(s);
	if (!valid) {
		check(json_members(s, member, &seen) == -1 && seen == 0);
		return 0;
	}
	compact(s);
	bool object = *(s.p + strspn(s.p, " \t\r\n")) == '{';
	check(json_members(s, member, &seen) == (object ? 0 : -1));
	return 0;
}
