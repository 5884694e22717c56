#include "io/command_impl.h"

#include <errno.h>
#include <signal.h>
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

static double
seconds(int64_t ms)
{
	return (double)ms / 1000.;
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

static void
change_timer(struct command *c)
{
	double left = ev_timer_remaining(c->pool->loop, &c->timer);

	set_timer(c, c->spare_s);
	c->spare_s = left;
}

void
command_read(struct command *c, bool on)
{
	bool changes = c->held == on;

	c->held = !on;
	if (!changes || c->state != COMMAND_RUNNING)
		return;
	change_timer(c);
	if (c->fd < 0)
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
	int err = command_launch(c);

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
	set_timer(c, c->run_s);
	if (c->held)
		change_timer(c);
	else
		ev_io_start(loop, &c->out);
}

static void
wait_for_turn(struct command *c, int64_t ms)
{
	struct command **at = &c->pool->waiting;

	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	c->state = COMMAND_WAITING;
	set_timer(c, seconds(ms));
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
command_add_end(struct buf *b, enum command_end end, int code)
{
	switch (end) {
	case COMMAND_EXITED:
		buf_addf(b, "exit status %d", code);
		break;
	case COMMAND_SIGNAL:
		buf_addf(b, "killed by signal %d", code);
		break;
	case COMMAND_LATE:
		buf_addz(b, "no answer in time");
		break;
	case COMMAND_FAILED:
		buf_addz(b, strerror(code));
		break;
	}
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
    const struct command_var *vars, const struct command_times *times,
    const struct command_events *events, void *arg)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->pool = pool;
	c->events = events;
	c->arg = arg;
	c->run_s = seconds(times->run_ms);
	c->spare_s = seconds(times->held_ms);
	c->fd = -1;
	ev_init(&c->out, on_output);
	ev_init(&c->child, on_child);
	ev_init(&c->timer, on_time);
	c->out.data = c->child.data = c->timer.data = c;
	buf_init(&c->text, TEXT_MAX);
	err = command_set_text(c, line, vars);
	if (err != 0) {
		buf_wipe(&c->text);
		errno = err;
		return -1;
	}
	if (pool->running < pool->max)
		run(c);
	else
		wait_for_turn(c, times->turn_ms);
	return 0;
}
