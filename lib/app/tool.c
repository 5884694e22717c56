#include "app/tool.h"

#include "base/log.h"
#include "base/num.h"
#include "io/sock.h"
#include "wire/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HELP_MAX = 64 << 10, ERR_MAX = 8192 };

static const int signal_numbers[3] = {SIGINT, SIGTERM, SIGHUP};

/* ---- Leaving early ---- */

_Noreturn static void die(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

_Noreturn static void
die(int status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s", text);
	exit(status);
}

void
tool_usage(const struct tool *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	die(TOOL_USAGE, "%s (see %s --help)", text, t->name);
}

_Noreturn static void
print_and_exit(const struct buf *text)
{
	size_t done = 0;

	while (done < text->n) {
		ssize_t n = write(1, text->p + done, text->n - done);
		if (n < 0 && errno != EINTR)
			exit(TOOL_IO);
		done += n > 0 ? (size_t)n : 0;
	}
	exit(TOOL_OK);
}

static void
help_or_version(struct tool *t)
{
	struct buf b;

	buf_init(&b, HELP_MAX);
	if (t->values.version) {
		buf_addf(&b, "%s %s\n", t->name, CHAT_VERSION);
		print_and_exit(&b);
	}
	if (t->values.help) {
		opt_help(t->all, t->synopsis, t->about, &b);
		print_and_exit(&b);
	}
}

/* ---- Options ---- */

static void
set_log_level(const struct tool *t)
{
	int level = (int)LOG_LEVEL_WARN - t->values.quiet + t->values.verbose;

	if (level < LOG_LEVEL_QUIET)
		level = LOG_LEVEL_QUIET;
	if (level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	log_set_level((enum log_level)level);
}

/* A password that was typed is not left for ps(1) to show. */
static void
blank_password(const struct tool *t, char **argv)
{
	if (t->url_password == NULL || !t->typed_url)
		return;
	log_info("a password in a URL can be seen by other users; prefer "
		 "--password-file");
	for (; *argv != NULL; argv++) {
		char *url = strstr(*argv, "://");
		if (url != NULL &&
		    (t->values.url == *argv ||
			strstr(*argv, t->values.url) != NULL))
			url_blank(*argv);
	}
}

static void
read_options(struct tool *t, int argc, char **argv)
{
	struct buf err;
	int status;

	buf_init(&err, ERR_MAX);
	status = tool_read(t, argc, argv, &err);
	if (status == TOOL_USAGE)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	set_log_level(t);
	if (status != TOOL_OK)
		die(status, "%.*s", (int)err.n, err.p);
	help_or_version(t);
	blank_password(t, argv);
	buf_free(&err);
}

static void
keep(const char *name, const char *now, const char *fresh)
{
	if (strcmp(now, fresh) != 0)
		log_warn("--%s: changes with a restart only", name);
}

static void
take_text(struct buf *mem, const char **at, const char *text)
{
	buf_clear(mem);
	if (text != NULL)
		buf_addz(mem, text);
	buf_addc(mem, '\0');
	*at = text != NULL ? mem->p : NULL;
}

void
tool_take(struct tool *t, const struct tool *fresh)
{
	const struct url *url = &fresh->redis.url;

	keep("url", t->values.url, fresh->values.url);
	keep("prefix", t->values.prefix, fresh->values.prefix);
	keep("field", t->values.field, fresh->values.field);
	/* Who we are there is of no use elsewhere. */
	if (strcmp(t->values.url, fresh->values.url) == 0) {
		take_text(&t->user, &t->redis.url.user, url->user);
		/* That of a typed URL has been blanked. */
		take_text(&t->password, &t->redis.url.password,
		    fresh->password.n > 0 ? url->password : t->url_password);
	}
	t->redis.timeout_ms = fresh->redis.timeout_ms;
	t->redis.retry_ms = fresh->redis.retry_ms;
	t->values.quiet = fresh->values.quiet;
	t->values.verbose = fresh->values.verbose;
	set_log_level(t);
}

/* ---- The loop ---- */

/*
 * ev_signal_stop restores the default: a second signal ends at once, unless it
 * is no more than HUP, the last of them, which asks for something else.
 */
static void
on_signal(struct ev_loop *loop, struct ev_signal *w, int revents)
{
	struct tool *t = w->data;
	int signo = w->signum;
	size_t n = t->on_reload != NULL ? 2 : 3;

	(void)revents;
	if (signo == SIGHUP && t->on_reload != NULL) {
		t->on_reload(t->signal_arg);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ev_signal_stop(loop, &t->signals[i]);
	if (t->on_signal != NULL)
		t->on_signal(t->signal_arg, signo);
	else
		tool_stop(t, TOOL_SIGNAL + signo);
}

/*
 * A signal that was ignored by whoever started us (nohup) stays so.
 */
static void
watch_signals(struct tool *t)
{
	struct sigaction old;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 3; i++) {
		struct ev_signal *w = &t->signals[i];
		ev_signal_init(w, on_signal, signal_numbers[i]);
		w->data = t;
		if (sigaction(signal_numbers[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			ev_signal_start(t->loop, w);
		else
			continue;
		/* Not a reason to go on with the loop. */
		ev_unref(t->loop);
	}
}

/*
 * A descriptor that we were started without must not become one of Redis, or of
 * the loop; its use is to fail as before.
 */
static void
fill_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(TOOL_OS);
}

void
tool_start(struct tool *t, int argc, char **argv)
{
	fill_descriptors();
	/* Some super-servers make fd 2 the client's socket, too. */
	log_init(t->name, sock_same(2, 0) ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	read_options(t, argc, argv);
	t->loop = ev_default_loop(EVFLAG_AUTO);
	if (t->loop == NULL)
		die(TOOL_OS, "no event loop");
	watch_signals(t);
}

int
tool_run(struct tool *t)
{
	while (!t->stopped)
		ev_run(t->loop, EVRUN_ONCE);
	return t->status;
}

void
tool_stop(struct tool *t, int status)
{
	if (t->stopped)
		return;
	t->stopped = true;
	t->status = status;
	if (t->loop != NULL)
		ev_break(t->loop, EVBREAK_ALL);
}

void
tool_stop_output(struct tool *t, int err)
{
	if (err == EPIPE || err == ECONNRESET) {
		tool_stop(t, TOOL_SIGNAL + SIGPIPE);
		return;
	}
	log_error("standard output: %s", strerror(err));
	tool_stop(t, TOOL_IO);
}

void
tool_stop_redis(struct tool *t, enum redis_trouble trouble, const char *why)
{
	log_error("%s", why);
	switch (trouble) {
	case REDIS_DENIED:
		tool_stop(t, TOOL_NOPERM);
		break;
	case REDIS_WRONGTYPE:
		tool_stop(t, TOOL_NOINPUT);
		break;
	case REDIS_REFUSED:
		tool_stop(t, TOOL_SOFTWARE);
		break;
	default:
		tool_stop(t, TOOL_TEMPFAIL);
	}
}

int
tool_end(struct tool *t)
{
	int signo = t->status - TOOL_SIGNAL;

	tool_read_free(t);
	if (t->loop != NULL)
		ev_loop_destroy(t->loop);
	if (signo > 0) {
		signal(signo, SIG_DFL);
		raise(signo);
	}
	return t->status;
}

int64_t
tool_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct str
tool_channel(const struct tool *t, const char *operand)
{
	struct str s = str_c(operand);

	if (s.n > 0 && s.p[0] == '-')
		tool_usage(t,
		    "channel %s: a name may not begin with -; "
		    "options go before it",
		    operand);
	if (!msg_channel_ok(s))
		tool_usage(t,
		    "bad channel name: 1 to %d bytes of UTF-8 "
		    "without control characters",
		    MSG_CHANNEL_MAX);
	return s;
}
