#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One table per group of options gives the flags, the environment variables,
 * the configuration file and --help. A value is stored at `at` bytes into the
 * group's structure.
 */
enum opt_kind {
	OPT_FLAG,  /* bool = true */
	OPT_COUNT, /* int + 1 */
	OPT_STR,   /* const char *, borrowed from argv, environ or the file */
	OPT_LIST,  /* struct opt_list, appended to */
	OPT_NUM,   /* uint64_t */
	OPT_DUR,   /* int64_t, milliseconds (base/num.h) */
	OPT_SIZE,  /* uint64_t, bytes */
	OPT_ENUM, /* int: the index in `arg` split at `|` (auto|always|never) */
	OPT_FN,   /* `set` is called with the group's structure */
};

enum { OPT_LIST_MAX = 256 };

struct opt_list {
	const char **v; /* allocated; the strings are borrowed */
	size_t n;
};

struct opt {
	char letter;      /* 0 = long only */
	const char *name; /* long name; a second spelling after '|' */
	const char *arg;  /* metavariable in --help, NULL for a flag */
	enum opt_kind kind;
	size_t at;
	const char *help; /* one line, no full stop */
	const char *env;  /* environment variable or NULL */
	/*
	 * OPT_FN: 0, or -1 with a reason in err. value is NULL for a flag.
	 */
	int (*set)(void *base, const struct opt *o, const char *value,
	    struct buf *err);
	/* What is stored by OPT_FN rows that share one set function. */
	int tag;
};

/* A titled table and the structure that it fills; ended by name == NULL. */
struct opt_group {
	const char *title;
	const struct opt *opts;
	void *base;
	bool config; /* of all programs: see opt_config */
};

/*
 * Read the command line, as getopt_long does with "+": options before
 * operands. Returns the index of the first operand, or -1 with a message in
 * err (`unknown option --foo`). Marks what was set, so that opt_env and
 * opt_config, called afterwards, leave it alone. groups ends with a NULL
 * title. *seen is made here and freed by opt_seen_free.
 */
struct opt_seen {
	struct buf marks; /* a byte for each row, in order of the groups */
};

int opt_parse(const struct opt_group *groups, int argc, char **argv,
    struct opt_seen *seen, struct buf *err);

/*
 * Rows with an `env` that the command line did not set. A variable that is
 * empty is set; a flag takes yes or no. 0, or -1 and `NAME: reason` in err.
 */
int opt_env(
    const struct opt_group *groups, struct opt_seen *seen, struct buf *err);

/*
 * `long-option = value` lines (`#` comments, blank lines) for rows that nothing
 * has set before this call; the last line for a row wins. Behind a line
 * `[program]` lines are for that program only. Rows of groups that are not of
 * all programs may stand nowhere else.
 * text must outlive the options (values are borrowed: it is changed in place).
 * A flag takes yes or no. 0, or -1 and `LINE: reason` in err.
 */
int opt_config(const struct opt_group *groups, const char *program,
    struct opt_seen *seen, char *text, struct buf *err);

/* Was this long option set by the command line, environment or file? */
bool opt_is_set(const struct opt_group *groups, const struct opt_seen *seen,
    const char *name);

void opt_seen_free(struct opt_seen *seen);
void opt_list_free(struct opt_list *l);

/*
 * --help: synopsis (one or more lines), what the program does, and the groups
 * in order, with the environment variables. Written to out.
 */
void opt_help(const struct opt_group *groups, const char *synopsis,
    const char *about, struct buf *out);

#endif
