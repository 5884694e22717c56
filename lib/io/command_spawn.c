/* The part of io/command that makes a process. */

/* pipe2(2) */
#define _GNU_SOURCE

#include "io/command_impl.h"

#include "wire/chars.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Words and variables ---- */

static bool
is_word(char c)
{
	return !chars_has(" \t\n", c);
}

static void
add_words(struct command *c, const char *line)
{
	struct str rest = str_c(line);

	for (;;) {
		size_t n;
		while (rest.n > 0 && !is_word(rest.p[0]))
			rest = str_from(rest, 1);
		n = chars_span(rest, is_word);
		if (n == 0)
			return;
		buf_add(&c->text, rest.p, n);
		buf_addc(&c->text, '\0');
		c->nwords++;
		rest = str_from(rest, n);
	}
}

static bool
is_good(const struct command_var *v)
{
	struct str s = v->value;

	return str_find(s, '\0') == s.n &&
	    (v->lines || str_find(s, '\n') == s.n);
}

int
command_set_text(
    struct command *c, const char *line, const struct command_var *vars)
{
	add_words(c, line);
	if (c->nwords == 0)
		return EINVAL;
	for (; vars->name != NULL; vars++, c->nvars++) {
		if (!is_good(vars))
			return EINVAL;
		buf_addf(&c->text, "%s=", vars->name);
		buf_adds(&c->text, vars->value);
		buf_addc(&c->text, '\0');
	}
	return c->text.failed ? ENOMEM : 0;
}

/* Are they of the same variable? */
static bool
same_name(const char *a, const char *b)
{
	size_t n = strcspn(b, "=");

	return strncmp(a, b, n) == 0 && a[n] == '=';
}

/* What is said to us about sockets and the service manager is not for others.
 */
static bool
is_ours(const char *var)
{
	static const char *const names[] = {
	    "LISTEN_FDS=", "LISTEN_PID=", "LISTEN_FDNAMES=", "NOTIFY_SOCKET=",
	    "WATCHDOG_PID=", "WATCHDOG_USEC="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (same_name(var, names[i]))
			return true;
	return false;
}

static bool
is_replaced(char *const *vars, size_t n, const char *var)
{
	for (size_t i = 0; i < n; i++)
		if (same_name(var, vars[i]))
			return true;
	return false;
}

/*
 * One array: the words, NULL, the variables, those of ours that are left, NULL.
 */
static char **
make_vectors(const struct command *c)
{
	extern char **environ;
	size_t n = c->nwords + c->nvars + 2, at = 0;
	char *p = c->text.p, **v, **vars;

	for (char **e = environ; e != NULL && *e != NULL; e++)
		n++;
	v = calloc(n, sizeof(*v));
	if (v == NULL)
		return NULL;
	for (size_t i = 0; i < c->nwords + c->nvars; i++) {
		at += i == c->nwords;
		v[at++] = p;
		p += strlen(p) + 1;
	}
	vars = v + c->nwords + 1;
	for (char **e = environ; e != NULL && *e != NULL; e++)
		if (!is_ours(*e) && !is_replaced(vars, c->nvars, *e))
			v[at++] = *e;
	return v;
}

/* ---- The process ---- */

static int
set_files(const struct command *c, posix_spawn_file_actions_t *files, int wfd)
{
	int err = posix_spawn_file_actions_addopen(
	    files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	if (err == 0)
		err =
		    posix_spawn_file_actions_adddup2(files, wfd, STDOUT_FILENO);
	if (err == 0 && c->pool->quiet)
		err = posix_spawn_file_actions_addopen(
		    files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	return err;
}

/* SIGPIPE is ignored here, and would be there. */
static int
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigemptyset(&all);
	sigaddset(&all, SIGPIPE);
	err = posix_spawnattr_setflags(attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
		POSIX_SPAWN_SETSIGDEF);
	if (err == 0)
		err = posix_spawnattr_setpgroup(attr, 0);
	if (err == 0)
		err = posix_spawnattr_setsigmask(attr, &none);
	return err != 0 ? err : posix_spawnattr_setsigdefault(attr, &all);
}

/* 0, or errno */
static int
spawn(struct command *c, int wfd)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	char **v = make_vectors(c);
	int err;

	if (v == NULL || posix_spawn_file_actions_init(&files) != 0) {
		free(v);
		return ENOMEM;
	}
	posix_spawnattr_init(&attr);
	err = set_files(c, &files, wfd);
	if (err == 0)
		err = set_attributes(&attr);
	if (err == 0)
		err = posix_spawnp(
		    &c->pid, v[0], &files, &attr, v, v + c->nwords + 1);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(v);
	return err;
}

int
command_launch(struct command *c)
{
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	err = spawn(c, fds[1]);
	close(fds[1]);
	if (err != 0) {
		c->pid = 0;
		close(fds[0]);
		return err;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	c->fd = fds[0];
	return 0;
}
