/* pipe2(2) */
#define _GNU_SOURCE

#include "io/command.h"

#include "wire/chars.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 256 << 10, PIECE = 16 << 10 };

void
command_pool_init(struct command_pool *pool, struct ev_loop *loop, size_t max)
{
	*pool = (struct command_pool){.loop = loop, .max = max};
}

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
is_line(struct str s)
{
	return str_find(s, '\0') == s.n && str_find(s, '\n') == s.n;
}

/* 0, or errno */
static int
add_text(struct command *c, const char *line, const struct command_var *vars)
{
	add_words(c, line);
	if (c->nwords == 0)
		return EINVAL;
	for (; vars->name != NULL; vars++, c->nvars++) {
		if (!is_line(vars->value))
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

/* 0, or errno; then there is neither a process nor a pipe. */
static int
launch(struct command *c)
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

/* ---- The end ---- */

static void
close_output(struct command *c)
{
	if (c->fd < 0)
		return;
	ev_io_stop(c->pool->loop, &c->out);
	close(c->fd);
	c->fd = -1;
}

static void
set_timer(struct command *c, double s)
{
	ev_timer_stop(c->pool->loop, &c->timer);
	ev_timer_set(&c->timer, s, 0.);
	ev_timer_start(c->pool->loop, &c->timer);
}

/*
 * It is told from the loop, so that whoever gets the last output, or starts the
 * command, need not expect it.
 */
static void
finish(struct command *c, enum command_end end, int code)
{
	close_output(c);
	c->state = COMMAND_ENDING;
	c->end = end;
	c->code = code;
	set_timer(c, 0.);
}

/* Once the loop has waited for it, its number may be another's. */
static void
kill_group(struct command *c)
{
	if (c->pid == 0)
		return;
	if (!ev_is_pending(&c->child))
		kill(-c->pid, SIGKILL);
	ev_child_stop(c->pool->loop, &c->child);
	c->pid = 0;
}

/* ---- What it prints ---- */

static void
finish_exited(struct command *c)
{
	int status = c->child.rstatus;

	if (WIFEXITED(status))
		finish(c, COMMAND_EXITED, WEXITSTATUS(status));
	else
		finish(c, COMMAND_SIGNAL, WTERMSIG(status));
}

/* Once it has ended, there is no more than what waits in the pipe by then. */
static void
took(struct command *c, size_t n)
{
	if (n == 0)
		close_output(c);
	if (c->pid != 0)
		return;
	c->left -= (int)n;
	if (n == 0 || c->left <= 0)
		finish_exited(c);
}

static void
on_output(struct ev_loop *loop, struct ev_io *w, int revents)
{
	struct command *c = w->data;
	size_t max = PIECE;
	char piece[PIECE];
	ssize_t n;

	(void)loop;
	(void)revents;
	if (c->pid == 0 && (size_t)c->left < max)
		max = (size_t)c->left;
	n = read(c->fd, piece, max);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	took(c, n > 0 ? (size_t)n : 0);
	/* The last use of c, which may be stopped there. */
	if (n > 0)
		c->events->output(c->arg, piece, (size_t)n);
}

static void
on_child(struct ev_loop *loop, struct ev_child *w, int revents)
{
	struct command *c = w->data;

	(void)revents;
	ev_child_stop(loop, w);
	c->pid = 0;
	c->left = 0;
	if (c->fd >= 0)
		(void)ioctl(c->fd, FIONREAD, &c->left);
	if (c->left == 0)
		finish_exited(c);
}

void
command_read(struct command *c, bool on)
{
	c->held = !on;
	if (c->fd < 0 || c->state != COMMAND_RUNNING)
		return;
	if (on)
		ev_io_start(c->pool->loop, &c->out);
	else
		ev_io_stop(c->pool->loop, &c->out);
}

/* ---- Turns ---- */

static void
run(struct command *c)
{
	struct ev_loop *loop = c->pool->loop;
	int err = launch(c);

	c->pool->running++;
	c->state = COMMAND_RUNNING;
	/* It has a copy; ours may hold secrets. */
	buf_wipe(&c->text);
	if (err != 0) {
		finish(c, COMMAND_FAILED, err);
		return;
	}
	ev_child_set(&c->child, c->pid, 0);
	ev_child_start(loop, &c->child);
	ev_io_set(&c->out, c->fd, EV_READ);
	if (!c->held)
		ev_io_start(loop, &c->out);
	set_timer(c, c->timeout_s);
}

static void
wait_for_turn(struct command *c)
{
	struct command **at = &c->pool->waiting;

	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	c->state = COMMAND_WAITING;
	set_timer(c, c->timeout_s);
}

static void
leave_line(struct command *c)
{
	struct command **at = &c->pool->waiting;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->next = NULL;
}

static void
next_turn(struct command_pool *pool)
{
	struct command *c = pool->waiting;

	if (c == NULL || pool->running >= pool->max)
		return;
	leave_line(c);
	run(c);
}

void
command_stop(struct command *c)
{
	struct command_pool *pool = c->pool;
	enum command_state state = c->state;

	if (state == COMMAND_NONE)
		return;
	c->state = COMMAND_NONE;
	ev_timer_stop(pool->loop, &c->timer);
	kill_group(c);
	close_output(c);
	buf_wipe(&c->text);
	if (state == COMMAND_WAITING) {
		leave_line(c);
		return;
	}
	pool->running--;
	next_turn(pool);
}

static void
on_time(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct command *c = w->data;
	enum command_end end =
	    c->state == COMMAND_ENDING ? c->end : COMMAND_LATE;
	int code = c->state == COMMAND_ENDING ? c->code : 0;

	(void)loop;
	(void)revents;
	command_stop(c);
	c->events->ended(c->arg, end, code);
}

int
command_start(struct command *c, struct command_pool *pool, const char *line,
    const struct command_var *vars, int64_t timeout_ms,
    const struct command_events *events, void *arg)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->pool = pool;
	c->events = events;
	c->arg = arg;
	c->timeout_s = (double)timeout_ms / 1000.;
	c->fd = -1;
	ev_init(&c->out, on_output);
	ev_init(&c->child, on_child);
	ev_init(&c->timer, on_time);
	c->out.data = c->child.data = c->timer.data = c;
	buf_init(&c->text, TEXT_MAX);
	err = add_text(c, line, vars);
	if (err != 0) {
		buf_wipe(&c->text);
		errno = err;
		return -1;
	}
	if (pool->running < pool->max)
		run(c);
	else
		wait_for_turn(c);
	return 0;
}
