#include "base/opt.h"

#include "base/num.h"
#include "tap.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shared {
	const char *url;
	int64_t timeout_ms;
	int verbose;
	bool insecure;
	struct opt_list cas;
};

struct own {
	uint64_t lines;
	bool all;
	bool follow;
	bool json;
	int escape;
	uint64_t max_size;
	struct opt_list headers;
	int tag;
	int stops;
};

static int
set_lines(void *base, const struct opt *o, const char *value, struct buf *err)
{
	struct own *own = base;

	own->tag = o->tag;
	own->all = strcmp(value, "all") == 0;
	if (!own->all && num_u64(str_c(value), &own->lines) != 0) {
		buf_addz(err, "expected a number or all");
		return -1;
	}
	return 0;
}

static int
set_stop(void *base, const struct opt *o, const char *value, struct buf *err)
{
	struct own *own = base;

	(void)o;
	(void)err;
	own->stops += value == NULL ? 1 : 100;
	return 0;
}

static const struct opt shared_opts[] = {
    {'u', "url", "URL", OPT_STR, offsetof(struct shared, url), "the server",
	"T_URL", NULL, 0},
    {'t', "timeout", "DUR", OPT_DUR, offsetof(struct shared, timeout_ms),
	"how long a reply may take", "T_TIMEOUT", NULL, 0},
    {0, "insecure", NULL, OPT_FLAG, offsetof(struct shared, insecure),
	"take any certificate", "T_INSECURE", NULL, 0},
    {'v', "verbose", NULL, OPT_COUNT, offsetof(struct shared, verbose),
	"say more; repeatable", NULL, NULL, 0},
    {0, "cacert", "FILE", OPT_LIST, offsetof(struct shared, cas),
	"trust these authorities", NULL, NULL, 0},
    {0},
};

static const struct opt own_opts[] = {
    {'n', "lines", "N|all", OPT_FN, 0, "the last N messages", "T_LINES",
	set_lines, 42},
    {'f', "follow", NULL, OPT_FLAG, offsetof(struct own, follow),
	"go on with new messages", NULL, NULL, 0},
    {'j', "json|ndjson", NULL, OPT_FLAG, offsetof(struct own, json),
	"one envelope a line", NULL, NULL, 0},
    {'F', "format|print", "FMT", OPT_STR, 0, "unused", NULL, NULL, 0},
    {0, "escape", "auto|always|never", OPT_ENUM, offsetof(struct own, escape),
	"control characters as \\xNN, which a terminal would obey; auto is "
	"on a terminal only",
	"T_ESCAPE", NULL, 0},
    {0, "max-size", "SIZE", OPT_SIZE, offsetof(struct own, max_size),
	"largest message", NULL, NULL, 0},
    {'H', "header", "N=V", OPT_LIST, offsetof(struct own, headers),
	"add a field; repeatable", NULL, NULL, 0},
    {0, "on-gap", "report|stop", OPT_ENUM, offsetof(struct own, escape),
	"what to do", NULL, NULL, 0},
    {0, "stop", NULL, OPT_FN, 0, "stop", NULL, set_stop, 0},
    {'N', "number", "N", OPT_NUM, offsetof(struct own, lines), "a number",
	"T_NUMBER", NULL, 0},
    {0},
};

static const struct opt no_opts[] = {{0}};

static struct shared shared;
static struct own own;
static struct opt_seen seen;
static struct buf err;

static const struct opt_group groups[] = {
    {"Nothing", no_opts, NULL, false},
    {"Connection", shared_opts, &shared, true},
    {"Output", own_opts, &own, false},
    {"Nothing more", no_opts, NULL, true},
    {NULL, NULL, NULL, false},
};

static void
reset(void)
{
	opt_list_free(&own.headers);
	opt_list_free(&shared.cas);
	opt_seen_free(&seen);
	buf_free(&err);
	buf_init(&err, 1000);
	shared = (struct shared){.url = "default"};
	own = (struct own){.escape = 7};
}

enum { ARGS_MAX = 600 };

/* Parse `chat-x` and the words of line, which must last. */
static int
parse_words(char *words)
{
	static char prog[] = "chat-x";
	char *argv[ARGS_MAX] = {prog};
	int argc = 1;

	for (char *p = strtok(words, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	return opt_parse(groups, argc, argv, &seen, &err);
}

static int
parse(const char *line)
{
	static char words[8192];

	reset();
	snprintf(words, sizeof(words), "%s", line);
	return parse_words(words);
}

static void
refuses(const char *line, const char *message)
{
	is_int(parse(line), -1, line);
	is_str(buf_str(&err), str_c(message), message);
}

static void
test_values(void)
{
	is_int(parse(""), 1, "no options, no operands");
	is_int(parse("-u x --timeout 1.5 --insecure -vv -f --max-size 64k -n 3 "
		     "-N 9 --escape never room"),
	    16, "the first operand");
	is_str(str_c(shared.url), STR("x"), "a string");
	is_int(shared.timeout_ms, 1500, "a duration");
	ok(shared.insecure && own.follow && !own.json, "flags");
	is_int(shared.verbose, 2, "a count");
	is_int((long long)own.max_size, 65536, "a size");
	is_int((long long)own.lines, 9, "a number");
	is_int(own.tag, 42, "a function gets its row");
	is_int(own.escape, 2, "one of several words");
	ok(err.n == 0, "no message");
	is_int(parse("--stop --stop"), 3, "a function without an argument");
	is_int(own.stops, 2, "gets NULL");
	is_int(parse("-u a -u b -t inf"), 7, "the same option again");
	is_str(str_c(shared.url), STR("b"), "the last one wins");
	ok(shared.timeout_ms == NUM_INF, "inf");
	is_int(parse("-H a=1 --header=b=2 -Hc=3"), 5, "a list");
	is_int((long long)own.headers.n, 3, "holds all");
	is_str(str_c(own.headers.v[1]), STR("b=2"), "in order");
	is_str(str_c(own.headers.v[2]), STR("c=3"), "to the end");
	parse("--url=");
	is_str(str_c(shared.url), STR(""), "an empty argument");
}

static void
test_getopt(void)
{
	is_int(parse("room -f"), 1, "options end at the first operand");
	ok(!own.follow, "what follows is not read");
	is_int(parse("-f -- -f"), 3, "and at --");
	is_int(parse("-f - x"), 2, "a lone - is an operand");
	is_int(parse("-fvn3"), 2, "letters together");
	ok(own.follow && shared.verbose == 1 && own.lines == 3, "are all set");
	parse("--json");
	ok(own.json, "the first spelling");
	parse("--ndjson");
	ok(own.json, "the second spelling");
	is_int(parse("--fol --time 2"), 4, "abbreviations");
	ok(own.follow && shared.timeout_ms == 2000, "are set");
	is_int(parse("-u --insecure"), 3, "an argument may look like one");
	is_str(str_c(shared.url), STR("--insecure"), "and is taken");
	is_int(parse("-v"), 2, "parse once");
	is_int(parse("-vv x"), 2, "parse again, from the beginning");
	is_int(shared.verbose, 2, "with nothing left over");
}

static void
test_errors(void)
{
	refuses("--foo", "unknown option --foo");
	refuses("--passwd=secret", "unknown option --passwd");
	refuses("-x", "unknown option -x");
	refuses("-fx", "unknown option -x");
	refuses("-?", "unknown option -?");
	refuses("-:", "unknown option -:");
	refuses("---", "unknown option ---");
	refuses("--=x", "unknown option --");
	refuses("--json|ndjson", "unknown option --json|ndjson");
	refuses("--fo", "ambiguous option --fo: --follow, --format");
	refuses("--url", "option --url needs an argument");
	refuses("-u", "option --url needs an argument");
	refuses("--print", "option --format needs an argument");
	refuses("--follow=yes", "option --follow takes no argument");
	refuses("--ndjson=", "option --json takes no argument");
	refuses(
	    "--escape x", "option --escape: expected auto, always or never");
	refuses(
	    "--escape aut", "option --escape: expected auto, always or never");
	refuses("--escape=", "option --escape: expected auto, always or never");
	refuses("--on-gap x", "option --on-gap: expected report or stop");
	refuses("-t abc", "option --timeout: not a duration: abc");
	refuses("-N -1", "option --number: not a number: -1");
	refuses("--max-size 1q", "option --max-size: not a size: 1q");
	refuses("-n x", "option --lines: expected a number or all");
	parse("-N x");
	is_int((long long)own.lines, 0, "a bad value is not stored");
	is_int(own.escape, 7, "nor is a default changed");
}

static void
test_list_max(void)
{
	char line[8192] = "";

	for (int i = 0; i < OPT_LIST_MAX; i++)
		strcat(line, "-Hx=y ");
	is_int(parse(line), OPT_LIST_MAX + 1, "as many as may be");
	strcat(line, "-Hx=y ");
	refuses(line, "option --header: given more than 256 times");
}

static void
test_env(void)
{
	setenv("T_URL", "env", 1);
	setenv("T_TIMEOUT", "7", 1);
	setenv("T_ESCAPE", "always", 1);
	setenv("T_INSECURE", "yes", 1);
	parse("-t 1");
	is_int(opt_env(groups, &seen, &err), 0, "environment");
	is_str(str_c(shared.url), STR("env"), "is taken");
	is_int(shared.timeout_ms, 1000, "unless the command line has it");
	is_int(own.escape, 1, "in every group");
	ok(shared.insecure, "a flag");
	ok(err.n == 0, "no message");
	ok(opt_is_set(groups, &seen, "url"), "set by the environment");
	ok(opt_is_set(groups, &seen, "timeout"), "set by the command line");
	ok(!opt_is_set(groups, &seen, "lines"), "not set");
	ok(!opt_is_set(groups, &seen, "nonsense"), "no such option");

	setenv("T_INSECURE", "no", 1);
	setenv("T_URL", "", 1);
	parse("");
	is_int(opt_env(groups, &seen, &err), 0, "no and the empty value");
	ok(!shared.insecure, "no is no");
	is_str(str_c(shared.url), STR(""), "empty is set");
	is_int(shared.timeout_ms, 7000, "a duration");

	setenv("T_INSECURE", "1", 1);
	is_int((parse(""), opt_env(groups, &seen, &err)), -1, "neither");
	is_str(buf_str(&err), STR("T_INSECURE: expected yes or no"), "says so");
	unsetenv("T_INSECURE");
	setenv("T_TIMEOUT", "soon", 1);
	is_int((parse(""), opt_env(groups, &seen, &err)), -1, "a bad value");
	is_str(buf_str(&err), STR("T_TIMEOUT: not a duration: soon"),
	    "names the variable");
	is_int((parse("-t 1"), opt_env(groups, &seen, &err)), 0,
	    "is not looked at when the command line has it");
	unsetenv("T_URL");
	unsetenv("T_TIMEOUT");
	unsetenv("T_ESCAPE");
}

/* The file's text must outlast the options. */
static int
config(const char *text)
{
	static char copies[2][8192];
	static int next;
	char *copy = copies[next++ % 2];

	snprintf(copy, sizeof(copies[0]), "%s", text);
	return opt_config(groups, "prog", &seen, copy, &err);
}

static void
test_config(void)
{
	parse("-v");
	is_int(config("# a comment\n\n \t# another\r\n\r\n"
		      " url =\tunix:///run/x?a=b # no comment \r\n"
		      "timeout=5m\n"
		      "insecure = yes\nverbose = yes\n"
		      "cacert = a\ncacert = b"),
	    0, "a file");
	is_str(str_c(shared.url), STR("unix:///run/x?a=b # no comment"),
	    "a string to the end of its line");
	is_int(shared.timeout_ms, 300000, "a duration");
	ok(shared.insecure, "a flag");
	is_int(shared.verbose, 1, "the command line goes before");
	is_int((long long)shared.cas.n, 2, "a list");
	ok(opt_is_set(groups, &seen, "url"), "set by the file");

	is_int(config("url = second\ncacert = c\n"), 0, "a second file");
	is_str(str_c(shared.url), STR("unix:///run/x?a=b # no comment"),
	    "changes nothing that the first one set");
	is_int((long long)shared.cas.n, 2, "nor adds to its lists");

	parse("");
	is_int(config("url = a\nurl =\ninsecure = yes\ninsecure = no"), 0,
	    "a line again");
	is_str(str_c(shared.url), STR(""), "the last one wins, empty or not");
	ok(!shared.insecure, "no takes yes back");
	is_int((parse(""), config("")), 0, "an empty file");
}

static void
test_config_sections(void)
{
	parse("");
	is_int(config("url = all\ninsecure = yes\n"
		      "[other]\nurl = other\nlines = 1\nnonsense\n"
		      " [prog] \r\nlines = 7\nurl = ours\n"
		      "[another]\nlines = 2\n"),
	    0, "a file with sections");
	is_str(str_c(shared.url), STR("ours"), "the last one wins");
	ok(shared.insecure, "what is before them counts");
	is_int((long long)own.lines, 7, "and what is in ours, no other");
	parse("--lines 3");
	is_int(config("[prog]\nlines = 7\n"), 0, "a section");
	is_int((long long)own.lines, 3, "the command line goes before");
	parse("");
	is_int(config("[prog]\n[prog]\nlines = 4\n"), 0, "twice");
	is_int((long long)own.lines, 4, "is once");
	is_int(config("url = second"), 0, "the next file");
	is_str(str_c(shared.url), STR("second"), "begins outside of them");
}

static void
config_refuses(const char *text, const char *message)
{
	parse("");
	is_int(config(text), -1, message);
	is_str(buf_str(&err), str_c(message), "is the message");
}

static void
test_config_errors(void)
{
	config_refuses("\n# x\nfoo = 1\n", "3: unknown option foo");
	config_refuses("--url = x", "1: unknown option --url");
	config_refuses("time = 5", "1: unknown option time");
	config_refuses("url", "1: expected option = value");
	config_refuses("= x", "1: expected option = value");
	config_refuses("url x", "1: expected option = value");
	config_refuses(
	    "timeout = 5x\nurl = y", "1: timeout: not a duration: 5x");
	config_refuses("timeout =", "1: timeout: not a duration: ");
	config_refuses("insecure = true", "1: insecure: expected yes or no");
	config_refuses("insecure", "1: expected option = value");
	config_refuses("lines = 5", "1: lines: only under [prog]");
	config_refuses("[other]\n[prog]\nfoo = 5", "3: unknown option foo");
	config_refuses("[prog", "1: expected [program]");
	config_refuses("[", "1: expected [program]");
	config_refuses("[]", "1: expected [program]");
	config_refuses("[prog] # us", "1: expected [program]");
}

static void
test_help(void)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	opt_help(groups + 1,
	    "chat-x [options] CHANNEL...\nchat-x -p PATTERN...",
	    "Print the messages of channels as they come, oldest first, and "
	    "go on until the end.",
	    &out);
	is_str(buf_str(&out),
	    STR("usage: chat-x [options] CHANNEL...\n"
		"       chat-x -p PATTERN...\n"
		"Print the messages of channels as they come, oldest first, "
		"and go on until the\n"
		"end.\n"
		"\n"
		"Connection:\n"
		"  -u, --url URL             the server [T_URL]\n"
		"  -t, --timeout DUR         how long a reply may take "
		"[T_TIMEOUT]\n"
		"      --insecure            take any certificate "
		"[T_INSECURE]\n"
		"  -v, --verbose             say more; repeatable\n"
		"      --cacert FILE         trust these authorities\n"
		"\n"
		"Output:\n"
		"  -n, --lines N|all         the last N messages [T_LINES]\n"
		"  -f, --follow              go on with new messages\n"
		"  -j, --json, --ndjson      one envelope a line\n"
		"  -F, --format, --print FMT\n"
		"                            unused\n"
		"      --escape auto|always|never\n"
		"                            control characters as \\xNN, "
		"which a terminal would\n"
		"                            obey; auto is on a terminal "
		"only [T_ESCAPE]\n"
		"      --max-size SIZE       largest message\n"
		"  -H, --header N=V          add a field; repeatable\n"
		"      --on-gap report|stop  what to do\n"
		"      --stop                stop\n"
		"  -N, --number N            a number [T_NUMBER]\n"
		"\n"
		"Nothing more:\n"),
	    "help");
	for (struct str line, text = buf_str(&out); text.p != NULL;) {
		line = str_cut(text, '\n', &text);
		if (line.n > 80)
			ok(false, "more than 80 columns: %.*s", (int)line.n,
			    line.p);
	}
	buf_free(&out);
}

static void
test_help_width(void)
{
	char about[80 + 6 + 1];
	struct buf out;

	buf_init(&out, 1 << 16);
	memset(about, 'a', 78);
	memcpy(about + 78, " b cd", 6);
	opt_help(groups + 4, "x", about, &out);
	is_int((long long)str_find(str_from(buf_str(&out), 9), '\n'), 80,
	    "a line may fill 80 columns");
	buf_clear(&out);
	memcpy(about + 78, " bc d", 6);
	opt_help(groups + 4, "x", about, &out);
	is_int((long long)str_find(str_from(buf_str(&out), 9), '\n'), 78,
	    "but no more");
	buf_free(&out);
}

int
main(void)
{
	test_values();
	test_getopt();
	test_errors();
	test_list_max();
	test_env();
	test_config();
	test_config_sections();
	test_config_errors();
	test_help();
	test_help_width();
	reset();
	opt_seen_free(&seen);
	buf_free(&err);
	return done();
}
