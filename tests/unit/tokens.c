#include "core/tokens.h"

#include "tap.h"

#include <stdio.h>
#include <string.h>

static const struct str absent = {NULL, 0};

static const char *
name(enum tokens_answer a)
{
	static const char *const names[] = {"unknown", "denied", "granted"};

	return names[a];
}

static struct tokens
parse(const char *text)
{
	struct tokens t;
	struct buf err;

	buf_init(&err, 200);
	ok(tokens_parse(&t, flush_copy(str_c(text)), &err) == 0 && err.n == 0,
	    "it can be read");
	buf_free(&err);
	return t;
}

static void
is(const struct tokens *t, const char *token, enum tokens_right right,
    const char *channel, enum tokens_answer want)
{
	enum tokens_answer got =
	    tokens_check(t, str_c(token), right, str_c(channel));

	ok(got == want, "%s for %s: %s, is %s", token,
	    channel != NULL ? channel : "any", name(want), name(got));
}

static void
test_check(void)
{
	struct tokens t = parse("# who\n"
				"  # may what\n\n"
				"reader r room dept.*\n"
				"\twriter\tw  room\n"
				"both rw *\n"
				"reader rw own\n");

	is(&t, "reader", TOKENS_READ, "room", TOKENS_GRANTED);
	is(&t, "reader", TOKENS_READ, "dept.a", TOKENS_GRANTED);
	is(&t, "reader", TOKENS_READ, "other", TOKENS_DENIED);
	is(&t, "reader", TOKENS_WRITE, "room", TOKENS_DENIED);
	is(&t, "reader", TOKENS_WRITE, "own", TOKENS_GRANTED);
	is(&t, "reader", TOKENS_READ, NULL, TOKENS_GRANTED);
	is(&t, "writer", TOKENS_WRITE, "room", TOKENS_GRANTED);
	is(&t, "writer", TOKENS_READ, "room", TOKENS_DENIED);
	is(&t, "writer", TOKENS_READ, NULL, TOKENS_DENIED);
	is(&t, "both", TOKENS_READ, "anything", TOKENS_GRANTED);
	is(&t, "both", TOKENS_WRITE, "anything", TOKENS_GRANTED);
	is(&t, "reade", TOKENS_READ, "room", TOKENS_UNKNOWN);
	is(&t, "readers", TOKENS_READ, "room", TOKENS_UNKNOWN);
	is(&t, "Reader", TOKENS_READ, "room", TOKENS_UNKNOWN);
	is(&t, "", TOKENS_READ, "room", TOKENS_UNKNOWN);
	is(&t, "#", TOKENS_READ, "room", TOKENS_UNKNOWN);
	ok(tokens_check(&t, absent, TOKENS_READ, absent) == TOKENS_UNKNOWN,
	    "none at all");
	ok(tokens_check(&t, STR("both\0"), TOKENS_READ, absent) ==
		TOKENS_UNKNOWN,
	    "a NUL behind it is a part of it");
	ok(tokens_check(&t, STR("both"), TOKENS_READ, STR("")) ==
		TOKENS_GRANTED,
	    "an empty name matches *");
	tokens_free(&t);
	is(&t, "both", TOKENS_READ, NULL, TOKENS_UNKNOWN);
	tokens_free(&t);
}

static void
test_length(void)
{
	char text[TOKENS_TOKEN_MAX + 16] = "";
	struct tokens t;
	struct buf err;

	memset(text, 'a', TOKENS_TOKEN_MAX);
	strcpy(text + TOKENS_TOKEN_MAX, " r *");
	t = parse(text);
	text[TOKENS_TOKEN_MAX] = '\0';
	is(&t, text, TOKENS_READ, "x", TOKENS_GRANTED);
	text[TOKENS_TOKEN_MAX - 1] = '\0';
	is(&t, text, TOKENS_READ, "x", TOKENS_UNKNOWN);
	memset(text, 'a', TOKENS_TOKEN_MAX + 1);
	is(&t, text, TOKENS_READ, "x", TOKENS_UNKNOWN);
	tokens_free(&t);
	strcpy(text + TOKENS_TOKEN_MAX + 1, " r *");
	buf_init(&err, 200);
	is_int(tokens_parse(&t, str_c(text), &err), -1, "one byte too long");
	buf_free(&err);
}

static void
test_many(void)
{
	struct tokens t;
	struct buf text, err;
	char token[32];

	buf_init(&text, 1 << 20);
	buf_init(&err, 200);
	for (int i = 0; i < 1000; i++)
		buf_addf(&text, "token%d r room%d\n", i, i);
	is_int(tokens_parse(&t, buf_str(&text), &err), 0, "a thousand");
	for (int i = 0; i < 1000; i += 333) {
		sprintf(token, "token%d", i);
		is(&t, token, TOKENS_READ, token, TOKENS_DENIED);
		is(&t, token, TOKENS_READ, NULL, TOKENS_GRANTED);
	}
	tokens_free(&t);
	buf_free(&text);
	buf_free(&err);
}

static void
refused(struct str text, const char *want)
{
	struct tokens t;
	struct buf err;

	buf_init(&err, 200);
	is_int(tokens_parse(&t, flush_copy(text), &err), -1, "refused");
	is_str(buf_str(&err), str_c(want), "... with a reason");
	ok(t.n == 0 && t.lines == NULL, "... and nothing is left");
	buf_free(&err);
}

static void
test_refused(void)
{
	static const char bad_token[] =
	    "a token is of letters, digits, -._~+/ and = at its end";
	static const char bad_right[] =
	    "neither r, w nor rw stands behind the token";
	static const char bad_channel[] = "no channel, or not the name of one";
	char want[100];

	refused(STR(""), "1: there is no token");
	refused(STR("# nobody\n"), "2: there is no token");
	sprintf(want, "2: %s", bad_token);
	refused(STR("a r *\na;b r *\nc r *\n"), want);
	sprintf(want, "1: %s", bad_token);
	refused(STR("= r *"), want);
	refused(STR("a\0b r *"), want);
	sprintf(want, "1: %s", bad_right);
	refused(STR("a"), want);
	refused(STR("a x *"), want);
	refused(STR("a wr *"), want);
	refused(STR("a R *"), want);
	refused(STR("a * r"), want);
	sprintf(want, "1: %s", bad_channel);
	refused(STR("a r"), want);
	refused(STR("a r "), want);
	refused(STR("a r room\r\n"), want);
	refused(STR("a r room\0"), want);
	refused(STR("a r \xff"), want);
	sprintf(want, "3: %s", bad_channel);
	refused(STR("a r *\nb r *\nc r"), want);
}

/* Every prefix is read or refused, and nothing behind it is touched. */
static void
test_prefixes(void)
{
	struct str whole = STR("# a\nabc r room x*\n\n d== rw [a-z]?\n");
	struct buf err;
	size_t last = 0;

	buf_init(&err, 200);
	for (size_t n = 0; n <= whole.n; n++) {
		struct tokens t;
		buf_clear(&err);
		if (tokens_parse(&t, flush_copy(str_n(whole.p, n)), &err) != 0)
			t.n = 0;
		last = t.n;
		tokens_free(&t);
	}
	ok(last == 2, "the whole has two tokens");
	buf_free(&err);
}

int
main(void)
{
	test_check();
	test_length();
	test_many();
	test_refused();
	test_prefixes();
	return done();
}
