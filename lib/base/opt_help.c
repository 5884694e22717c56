#include "base/opt.h"

#include <string.h>

enum {
	WIDTH = 80,
	LEFT_MAX = 26, /* a wider left column gets a line of its own */
	ROW_MAX = 4096,
};

static void
add_spaces(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_addc(out, ' ');
}

/*
 * Words of text, the first in column indent, where the caller has gone; lines
 * that they fill are continued in that column.
 */
static void
add_words(struct buf *out, struct str text, size_t indent)
{
	size_t at = indent;

	while (text.p != NULL) {
		struct str word = str_cut(text, ' ', &text);
		if (at > indent && at + 1 + word.n > WIDTH) {
			buf_addc(out, '\n');
			add_spaces(out, indent);
			at = indent;
		} else if (at > indent) {
			buf_addc(out, ' ');
			at++;
		}
		buf_adds(out, word);
		at += word.n;
	}
}

/* Lines of text, each wrapped; first before the first, rest before others. */
static void
add_lines(
    struct buf *out, const char *text, const char *first, const char *rest)
{
	struct str lines = str_c(text);

	for (const char *lead = first; lines.p != NULL; lead = rest) {
		struct str line = str_cut(lines, '\n', &lines);
		buf_addz(out, lead);
		add_words(out, line, strlen(lead));
		buf_addc(out, '\n');
	}
}

/* `  -n, --lines N|all`, with every spelling; its width. */
static size_t
add_left(struct buf *out, const struct opt *o)
{
	struct str rest = str_c(o->name);
	const char *sep = o->letter != 0 ? ", --" : "      --";
	size_t start = out->n;

	if (o->letter != 0)
		buf_addf(out, "  -%c", o->letter);
	for (; rest.p != NULL; sep = ", --") {
		buf_addz(out, sep);
		buf_adds(out, str_cut(rest, '|', &rest));
	}
	if (o->arg != NULL)
		buf_addf(out, " %s", o->arg);
	return out->n - start;
}

/* Where the help texts begin. */
static size_t
help_column(const struct opt_group *groups, struct buf *scratch)
{
	size_t widest = 0;

	for (; groups->title != NULL; groups++) {
		for (const struct opt *o = groups->opts; o->name != NULL; o++) {
			size_t n = add_left(scratch, o);
			if (n > widest && n <= LEFT_MAX)
				widest = n;
			buf_clear(scratch);
		}
	}
	return widest + 2;
}

static void
add_row(
    struct buf *out, const struct opt *o, size_t column, struct buf *scratch)
{
	size_t at = add_left(out, o);

	if (at + 2 > column) {
		buf_addc(out, '\n');
		at = 0;
	}
	add_spaces(out, column - at);
	buf_addz(scratch, o->help);
	if (o->env != NULL)
		buf_addf(scratch, " [%s]", o->env);
	add_words(out, buf_str(scratch), column);
	buf_clear(scratch);
	buf_addc(out, '\n');
}

void
opt_help(const struct opt_group *groups, const char *synopsis,
    const char *about, struct buf *out)
{
	struct buf scratch;
	size_t column;

	buf_init(&scratch, ROW_MAX);
	column = help_column(groups, &scratch);
	add_lines(out, synopsis, "usage: ", "       ");
	add_lines(out, about, "", "");
	for (; groups->title != NULL; groups++) {
		buf_addf(out, "\n%s:\n", groups->title);
		for (const struct opt *o = groups->opts; o->name != NULL; o++)
			add_row(out, o, column, &scratch);
	}
	buf_free(&scratch);
}
