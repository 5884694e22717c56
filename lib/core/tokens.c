#include "core/tokens.h"

#include "wire/auth.h"
#include "wire/msg.h"

#include <stdlib.h>
#include <string.h>

/*
 * The tokens are as long as the longest, so that comparing them takes the same
 * time for all. None of them holds a NUL.
 */
struct token_line {
	unsigned char token[TOKENS_TOKEN_MAX];
	unsigned rights;  /* enum tokens_right */
	struct str globs; /* owned: words; in a secret's company, but none */
};

/* ---- Reading ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Take the next word; empty at the end. */
static struct str
next_word(struct str *rest)
{
	struct str s = str_trim(*rest);
	size_t n = 0;

	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*rest = str_from(s, n);
	return str_n(s.p, n);
}

static unsigned
read_rights(struct str word)
{
	if (str_eq(word, STR("r")))
		return TOKENS_READ;
	if (str_eq(word, STR("w")))
		return TOKENS_WRITE;
	return str_eq(word, STR("rw")) ? TOKENS_READ | TOKENS_WRITE : 0;
}

/* A pattern is a name, but for what its signs stand for. */
static bool
globs_ok(struct str globs)
{
	struct str word = next_word(&globs);

	if (word.n == 0)
		return false;
	for (; word.n > 0; word = next_word(&globs))
		if (!msg_channel_ok(word))
			return false;
	return true;
}

/* Make room for one more, zeroed; what was there leaves no copy behind. */
static struct token_line *
grow(struct tokens *t, size_t *room)
{
	struct tokens more = {NULL, t->n};

	if (t->n < *room)
		return &t->lines[t->n++];
	*room = *room > 0 ? *room * 2 : 8;
	more.lines = calloc(*room, sizeof(*more.lines));
	if (more.lines == NULL)
		return NULL;
	for (size_t i = 0; i < t->n; i++) {
		more.lines[i] = t->lines[i];
		t->lines[i].globs = str_c(NULL);
	}
	tokens_free(t);
	*t = more;
	return &t->lines[t->n++];
}

/* line = TOKEN blanks ( "r" / "w" / "rw" ) 1*( blanks GLOB ) */
static const char *
read_line(struct tokens *t, size_t *room, struct str line)
{
	struct str token = next_word(&line);
	unsigned rights = read_rights(next_word(&line));
	struct token_line *to;
	struct buf globs;

	if (!auth_is_token68(token))
		return "a token is of letters, digits, -._~+/ and = at its end";
	if (token.n > TOKENS_TOKEN_MAX)
		return "the token is too long";
	if (rights == 0)
		return "neither r, w nor rw stands behind the token";
	if (!globs_ok(line))
		return "no channel, or not the name of one";
	to = grow(t, room);
	if (to == NULL)
		return "out of memory";
	buf_init(&globs, line.n);
	buf_adds(&globs, line);
	memcpy(to->token, token.p, token.n);
	to->rights = rights;
	to->globs = buf_take(&globs);
	return to->globs.p != NULL ? NULL : "out of memory";
}

static bool
says_nothing(struct str line)
{
	line = str_trim(line);
	return line.n == 0 || line.p[0] == '#';
}

/* text = *( [ blanks "#" comment / line ] LF ) */
int
tokens_parse(struct tokens *t, struct str text, struct buf *err)
{
	const char *why = NULL;
	size_t room = 0, number = 0;

	*t = (struct tokens){NULL, 0};
	while (why == NULL && text.p != NULL) {
		struct str line = str_cut(text, '\n', &text);
		number++;
		if (!says_nothing(line))
			why = read_line(t, &room, line);
	}
	if (why == NULL && t->n == 0)
		why = "there is no token";
	if (why == NULL)
		return 0;
	buf_addu(err, number);
	buf_addf(err, ": %s", why);
	tokens_free(t);
	return -1;
}

void
tokens_free(struct tokens *t)
{
	volatile unsigned char *p = (unsigned char *)t->lines;

	for (size_t i = 0; i < t->n; i++)
		buf_give_back(t->lines[i].globs);
	for (size_t i = 0; i < t->n * sizeof(*t->lines); i++)
		p[i] = 0;
	free(t->lines);
	*t = (struct tokens){NULL, 0};
}

/* ---- Asking ---- */

/* 0 if they are equal, in the same time whether or not. */
static unsigned
difference(const unsigned char *a, const unsigned char *b)
{
	unsigned bits = 0;

	for (size_t i = 0; i < TOKENS_TOKEN_MAX; i++)
		bits |= (unsigned)(a[i] ^ b[i]);
	return bits;
}

static bool
names(struct str globs, struct str channel)
{
	struct str word = next_word(&globs);

	while (word.n > 0 && !str_glob(word, channel))
		word = next_word(&globs);
	return word.n > 0;
}

static bool
grants(const struct token_line *l, enum tokens_right right, struct str channel)
{
	return (l->rights & right) != 0 &&
	    (channel.p == NULL || names(l->globs, channel));
}

enum tokens_answer
tokens_check(const struct tokens *t, struct str token, enum tokens_right right,
    struct str channel)
{
	unsigned char wanted[TOKENS_TOKEN_MAX] = {0};
	bool fits = auth_is_token68(token) && token.n <= TOKENS_TOKEN_MAX;
	bool known = false, granted = false;

	if (fits)
		memcpy(wanted, token.p, token.n);
	for (size_t i = 0; i < t->n; i++) {
		const struct token_line *l = &t->lines[i];
		if (difference(l->token, wanted) != 0 || !fits)
			continue;
		known = true;
		granted = grants(l, right, channel) || granted;
	}
	if (granted)
		return TOKENS_GRANTED;
	return known ? TOKENS_DENIED : TOKENS_UNKNOWN;
}
