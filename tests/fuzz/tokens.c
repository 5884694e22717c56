#include "core/tokens.h"

#include "wire/auth.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool cond)
{
	if (!cond)
		abort();
}

static struct str
first_word(struct str line)
{
	struct str s = str_trim(line);
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t')
		n++;
	return str_n(s.p, n);
}

/* In a text that is taken each line is a comment, or its token is known. */
static void
check_lines(const struct tokens *t, struct str text)
{
	while (text.p != NULL) {
		struct str word = first_word(str_cut(text, '\n', &text));
		struct str none = {NULL, 0};
		if (word.n == 0 || word.p[0] == '#')
			continue;
		check(auth_is_token68(word) && word.n <= TOKENS_TOKEN_MAX);
		check(tokens_check(t, word, TOKENS_READ, none) ==
			TOKENS_GRANTED ||
		    tokens_check(t, word, TOKENS_WRITE, none) ==
			TOKENS_GRANTED);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = size == 0 ? STR("") : str_n(data, size);
	struct tokens t;
	struct buf err;

	buf_init(&err, 256);
	if (tokens_parse(&t, s, &err) == 0) {
		check(t.n > 0 && err.n == 0);
		check_lines(&t, s);
		check(tokens_check(&t, STR(""), TOKENS_READ, STR("a")) ==
		    TOKENS_UNKNOWN);
		check(tokens_check(&t, STR("a b"), TOKENS_READ, STR("a")) ==
		    TOKENS_UNKNOWN);
	} else {
		check(t.n == 0 && t.lines == NULL && err.n > 3 && !err.failed);
	}
	tokens_free(&t);
	buf_free(&err);
	return 0;
}
