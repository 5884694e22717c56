#include "base/opt.h"

#include "base/num.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	LONG_BASE = 256, /* getopt's value of a long option, plus its index */
	SPEC_BYTES = 1 << 16,
};

enum mark { UNSET, SET, SET_NOW };

/* A place in the groups; group->title is NULL behind the last row. */
struct row {
	const struct opt_group *group;
	const struct opt *opt;
	size_t index;
};

/* What getopt_long wants to be told. */
struct spec {
	struct buf letters; /* "+:ab:" */
	struct buf names;   /* NUL-terminated, as longs points to them */
	struct buf longs;   /* struct option */
};

/* The part of a configuration file that a line stands in. */
struct section {
	const char *program; /* us */
	enum { EVERYBODYS, OURS, OTHERS } whose;
};

static void
skip_ends(struct row *r)
{
	while (r->group->title != NULL && r->opt->name == NULL) {
		r->group++;
		r->opt = r->group->opts;
	}
}

static struct row
first_row(const struct opt_group *groups)
{
	struct row r = {groups, groups->opts, 0};

	skip_ends(&r);
	return r;
}

static void
next_row(struct row *r)
{
	r->opt++;
	r->index++;
	skip_ends(r);
}

static bool
is_row(const struct row *r)
{
	return r->group->title != NULL;
}

/* The first spelling. */
static struct str
main_name(const struct opt *o)
{
	struct str rest;

	return str_cut(str_c(o->name), '|', &rest);
}

static bool
has_name(const struct opt *o, struct str name)
{
	struct str rest = str_c(o->name);

	while (rest.p != NULL)
		if (str_eq(str_cut(rest, '|', &rest), name))
			return true;
	return false;
}

static struct row
find_name(const struct opt_group *groups, struct str name)
{
	struct row r = first_row(groups);

	while (is_row(&r) && !has_name(r.opt, name))
		next_row(&r);
	return r;
}

/* By what getopt_long returns or leaves in optopt. */
static struct row
find_code(const struct opt_group *groups, int code)
{
	struct row r = first_row(groups);

	while (is_row(&r) && r.opt->letter != code &&
	    (int)r.index + LONG_BASE != code)
		next_row(&r);
	return r;
}

static void
mark(struct opt_seen *seen, const struct row *r, enum mark m)
{
	seen->marks.p[r->index] = (char)m;
}

static enum mark
get_mark(const struct opt_seen *seen, const struct row *r)
{
	return (enum mark)seen->marks.p[r->index];
}

static int
list_add(struct opt_list *l, const char *value, struct buf *err)
{
	const char **v;

	if (l->n == OPT_LIST_MAX) {
		buf_addf(err, "given more than %d times", OPT_LIST_MAX);
		return -1;
	}
	v = realloc(l->v, (l->n + 1) * sizeof(*v));
	if (v == NULL) {
		buf_addz(err, "out of memory");
		return -1;
	}
	v[l->n++] = value;
	l->v = v;
	return 0;
}

/* `expected auto, always or never` */
static void
add_choices(struct buf *out, struct str choices)
{
	const char *sep = "expected ";

	while (choices.p != NULL) {
		struct str word = str_cut(choices, '|', &choices);
		if (choices.p == NULL && str_starts(STR(", "), str_c(sep)))
			sep = " or ";
		buf_addz(out, sep);
		buf_adds(out, word);
		sep = ", ";
	}
}

static int
set_enum(int *at, const struct opt *o, const char *value, struct buf *err)
{
	struct str rest = str_c(o->arg);

	for (int i = 0; rest.p != NULL; i++) {
		if (str_eq(str_cut(rest, '|', &rest), str_c(value))) {
			*at = i;
			return 0;
		}
	}
	add_choices(err, str_c(o->arg));
	return -1;
}

static int
check(int result, const char *what, const char *value, struct buf *err)
{
	if (result != 0)
		buf_addf(err, "not a %s: %s", what, value);
	return result;
}

/* value is NULL for an option without an argument. */
static int
store(const struct row *r, const char *value, struct buf *err)
{
	const struct opt *o = r->opt;
	struct str s = str_c(value);
	void *at = (char *)r->group->base + o->at;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_COUNT:
		*(int *)at += 1;
		return 0;
	case OPT_STR:
		*(const char **)at = value;
		return 0;
	case OPT_LIST:
		return list_add(at, value, err);
	case OPT_NUM:
		return check(num_u64(s, at), "number", value, err);
	case OPT_DUR:
		return check(num_duration(s, at), "duration", value, err);
	case OPT_SIZE:
		return check(num_size(s, at), "size", value, err);
	case OPT_ENUM:
		return set_enum(at, o, value, err);
	case OPT_FN:
		return o->set(r->group->base, o, value, err);
	}
	return -1;
}

/* store for a value that is text even for a flag: yes or no. */
static int
store_text(const struct row *r, const char *value, struct buf *err)
{
	if (r->opt->arg != NULL)
		return store(r, value, err);
	if (strcmp(value, "yes") == 0)
		return store(r, NULL, err);
	if (strcmp(value, "no") != 0) {
		buf_addz(err, "expected yes or no");
		return -1;
	}
	if (r->opt->kind == OPT_FLAG)
		*(bool *)(void *)((char *)r->group->base + r->opt->at) = false;
	return 0;
}

static void
spec_init(struct spec *s)
{
	buf_init(&s->letters, SPEC_BYTES);
	buf_init(&s->names, SPEC_BYTES);
	buf_init(&s->longs, SPEC_BYTES);
}

static void
spec_free(struct spec *s)
{
	buf_free(&s->letters);
	buf_free(&s->names);
	buf_free(&s->longs);
}

/* "+": stop at the first operand. ":": say when an argument is missing. */
static void
add_letters(struct buf *out, const struct opt_group *groups)
{
	buf_addz(out, "+:");
	for (struct row r = first_row(groups); is_row(&r); next_row(&r)) {
		if (r.opt->letter != 0)
			buf_addc(out, r.opt->letter);
		if (r.opt->letter != 0 && r.opt->arg != NULL)
			buf_addc(out, ':');
	}
	buf_addc(out, '\0');
}

static void
add_names(struct buf *out, const struct opt_group *groups)
{
	for (struct row r = first_row(groups); is_row(&r); next_row(&r)) {
		for (const char *p = r.opt->name; *p != '\0'; p++)
			buf_addc(out, *p == '|' ? '\0' : *p);
		buf_addc(out, '\0');
	}
}

/* After add_names, whose memory must stay in place from now on. */
static void
add_longs(struct buf *out, const struct opt_group *groups, const char *names)
{
	static const struct option end;

	for (struct row r = first_row(groups); is_row(&r); next_row(&r)) {
		struct option o = {
		    .has_arg = r.opt->arg != NULL,
		    .val = LONG_BASE + (int)r.index,
		};
		const char *stop = names + strlen(r.opt->name);
		for (; names <= stop; names += strlen(names) + 1) {
			o.name = names;
			buf_add(out, &o, sizeof(o));
		}
	}
	buf_add(out, &end, sizeof(end));
}

static int
spec_make(struct spec *s, const struct opt_group *groups)
{
	add_letters(&s->letters, groups);
	add_names(&s->names, groups);
	if (!s->names.failed)
		add_longs(&s->longs, groups, buf_str(&s->names).p);
	return s->letters.failed || s->names.failed || s->longs.failed ? -1 : 0;
}

static int
seen_make(struct opt_seen *seen, const struct opt_group *groups)
{
	buf_init(&seen->marks, SPEC_BYTES);
	for (struct row r = first_row(groups); is_row(&r); next_row(&r))
		buf_addc(&seen->marks, UNSET);
	return seen->marks.failed ? -1 : 0;
}

/* The long names that begin with name, each after sep. */
static void
add_similar(struct buf *out, const struct opt_group *groups, struct str name,
    const char *sep)
{
	for (struct row r = first_row(groups); is_row(&r); next_row(&r)) {
		struct str rest = str_c(r.opt->name);
		while (rest.p != NULL) {
			struct str n = str_cut(rest, '|', &rest);
			if (!str_starts(n, name))
				continue;
			buf_addf(out, "%s--%.*s", sep, (int)n.n, n.p);
			sep = ", ";
		}
	}
}

/*
 * getopt_long says no more than that a long name is not one. Its argument may
 * be a secret: only the name is shown.
 */
static void
refuse_long(const struct opt_group *groups, const char *arg, struct buf *err)
{
	struct str rest, name = str_cut(str_c(arg), '=', &rest);
	struct str stem = str_from(name, strlen("--"));
	struct buf similar;

	buf_init(&similar, SPEC_BYTES);
	if (stem.n > 0)
		add_similar(&similar, groups, stem, ": ");
	buf_addf(err, "%s option %.*s", similar.n > 0 ? "ambiguous" : "unknown",
	    (int)name.n, name.p);
	buf_adds(err, buf_str(&similar));
	buf_free(&similar);
}

/* code is what getopt_long returned, last the argument that it has read. */
static int
refuse(
    const struct opt_group *groups, int code, const char *last, struct buf *err)
{
	struct row r = find_code(groups, optopt);

	if (optopt == 0) {
		refuse_long(groups, last, err);
	} else if (!is_row(&r)) {
		buf_addf(err, "unknown option -%c", optopt);
	} else {
		struct str name = main_name(r.opt);
		buf_addf(err, "option --%.*s %s", (int)name.n, name.p,
		    code == ':' ? "needs an argument" : "takes no argument");
	}
	return -1;
}

static int
take(const struct row *r, const char *value, struct opt_seen *seen,
    struct buf *err)
{
	struct str name = main_name(r->opt);
	size_t start = err->n;

	buf_addf(err, "option --%.*s: ", (int)name.n, name.p);
	if (store(r, value, err) != 0)
		return -1;
	buf_cut(err, start);
	mark(seen, r, SET);
	return 0;
}

static int
parse(const struct opt_group *groups, const struct spec *spec, int argc,
    char **argv, struct opt_seen *seen, struct buf *err)
{
	const struct option *longs = (const void *)spec->longs.p;
	const char *letters = spec->letters.p;
	int code;

	/* Not 1: 0 makes glibc forget the last command line, too. */
	optind = 0;
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse(groups, code, argv[optind - 1], err);
		struct row r = find_code(groups, code);
		if (take(&r, optarg, seen, err) != 0)
			return -1;
	}
	return optind;
}

int
opt_parse(const struct opt_group *groups, int argc, char **argv,
    struct opt_seen *seen, struct buf *err)
{
	struct spec spec;
	int operand = -1;

	spec_init(&spec);
	if (seen_make(seen, groups) == 0 && spec_make(&spec, groups) == 0)
		operand = parse(groups, &spec, argc, argv, seen, err);
	else
		buf_addz(err, "out of memory");
	spec_free(&spec);
	return operand;
}

int
opt_env(const struct opt_group *groups, struct opt_seen *seen, struct buf *err)
{
	size_t start = err->n;

	for (struct row r = first_row(groups); is_row(&r); next_row(&r)) {
		const char *value = NULL;
		if (r.opt->env != NULL && get_mark(seen, &r) == UNSET)
			value = getenv(r.opt->env);
		if (value == NULL)
			continue;
		buf_addf(err, "%s: ", r.opt->env);
		if (store_text(&r, value, err) != 0)
			return -1;
		buf_cut(err, start);
		mark(seen, &r, SET);
	}
	return 0;
}

/* name "=" value; line is NUL-terminated, and so is its value by that. */
static int
config_setting(const struct opt_group *groups, struct opt_seen *seen,
    const struct section *s, char *line, struct buf *err)
{
	struct str value, name = str_trim(str_cut(str_c(line), '=', &value));
	struct row r;

	if (value.p == NULL || name.n == 0) {
		buf_addz(err, "expected option = value");
		return -1;
	}
	value = str_trim(value);
	line[value.p - line + (ptrdiff_t)value.n] = '\0';
	r = find_name(groups, name);
	if (!is_row(&r)) {
		buf_addf(err, "unknown option %.*s", (int)name.n, name.p);
		return -1;
	}
	buf_addf(err, "%.*s: ", (int)name.n, name.p);
	if (!r.group->config && s->whose != OURS) {
		buf_addf(err, "only under [%s]", s->program);
		return -1;
	}
	if (get_mark(seen, &r) == SET)
		return 0;
	mark(seen, &r, SET_NOW);
	return store_text(&r, value.p, err);
}

/* "[" name "]" */
static int
config_section(struct section *s, struct str line, struct buf *err)
{
	struct str name;

	if (line.n < 3 || line.p[line.n - 1] != ']') {
		buf_addz(err, "expected [program]");
		return -1;
	}
	name = str_n(line.p + 1, line.n - 2);
	s->whose = str_eq(name, str_c(s->program)) ? OURS : OTHERS;
	return 0;
}

/* line = [ setting / section ] / "#" *any, blanks around each part. */
static int
config_line(const struct opt_group *groups, struct opt_seen *seen,
    struct section *s, char *line, struct buf *err)
{
	struct str text = str_trim(str_c(line));

	if (text.p[0] == '[')
		return config_section(s, text, err);
	if (s->whose == OTHERS)
		return 0;
	return config_setting(groups, seen, s, line, err);
}

static bool
is_comment(const char *line)
{
	struct str s = str_trim(str_c(line));

	return s.n == 0 || s.p[0] == '#';
}

/* End the line at text, also one that ends in CR LF; the next, or NULL. */
static char *
end_line(char *text)
{
	char *end = text + strcspn(text, "\n"), *next = NULL;

	if (*end == '\n')
		next = end + 1;
	if (end > text && end[-1] == '\r')
		end--;
	*end = '\0';
	return next;
}

int
opt_config(const struct opt_group *groups, const char *program,
    struct opt_seen *seen, char *text, struct buf *err)
{
	struct section section = {program, EVERYBODYS};
	size_t start = err->n;
	char *next;

	for (int n = 1; text != NULL; n++, text = next) {
		next = end_line(text);
		if (is_comment(text))
			continue;
		buf_addf(err, "%d: ", n);
		if (config_line(groups, seen, &section, text, err) != 0)
			return -1;
		buf_cut(err, start);
	}
	/* The next file leaves alone what this one has set. */
	for (size_t i = 0; i < seen->marks.n; i++)
		if (seen->marks.p[i] == SET_NOW)
			seen->marks.p[i] = SET;
	return 0;
}

bool
opt_is_set(const struct opt_group *groups, const struct opt_seen *seen,
    const char *name)
{
	struct row r = find_name(groups, str_c(name));

	return is_row(&r) && get_mark(seen, &r) != UNSET;
}

void
opt_seen_free(struct opt_seen *seen)
{
	buf_free(&seen->marks);
}

void
opt_list_free(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){NULL, 0};
}
