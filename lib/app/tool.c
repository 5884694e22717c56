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

enum {
	READ_SIZE = 4096,
	FILE_MAX = 64 << 10,
	PASSWORD_MAX = 4096,
	/* Two files, each with a NUL. */
	CONFIG_MAX = 2 * (FILE_MAX + READ_SIZE + 1),
	HELP_MAX = 64 << 10,
};

static const int signal_numbers[3] = {SIGINT, SIGTERM, SIGHUP};

#define AT(member) offsetof(struct tool_values, member)

static const struct opt redis_opts[] = {
    {'u', "url", "URL", OPT_STR, AT(url),
	"redis://[USER[:PW]@]HOST[:PORT][/DB] or unix://PATH[?db=N] "
	"(redis://127.0.0.1:6379)",
	"CHAT_URL", NULL, 0},
    {0, "user", "NAME", OPT_STR, AT(user), "Redis user", "CHAT_USER", NULL, 0},
    {0, "password-file", "FILE", OPT_STR, AT(password_file),
	"read the password from FILE; else CHAT_PASSWORD, REDISCLI_AUTH, the "
	"URL",
	"CHAT_PASSWORD_FILE", NULL, 0},
    {0, "prefix", "STR", OPT_STR, AT(prefix),
	"what precedes a channel's name in its key (chat:)", "CHAT_PREFIX",
	NULL, 0},
    {0, "field", "NAME", OPT_STR, AT(field), "field of the payload (data)",
	"CHAT_FIELD", NULL, 0},
    {'t', "timeout", "DUR", OPT_DUR, AT(timeout_ms),
	"for connecting, AUTH and every reply (5s)", "CHAT_TIMEOUT", NULL, 0},
    {0, "retry", "DUR", OPT_DUR, AT(retry_ms),
	"how long to keep connecting, at start and later; inf (5s)",
	"CHAT_RETRY", NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static const struct opt common_opts[] = {
    {0, "config", "FILE", OPT_STR, AT(config),
	"configuration file instead of the usual two; none", "CHAT_CONFIG",
	NULL, 0},
    {'q', "quiet", NULL, OPT_COUNT, AT(quiet), "errors only; twice: nothing",
	NULL, NULL, 0},
    {'v', "verbose", NULL, OPT_COUNT, AT(verbose), "say more; twice: all", NULL,
	NULL, 0},
    {'h', "help", NULL, OPT_FLAG, AT(help), "print this help", NULL, NULL, 0},
    {'V', "version", NULL, OPT_FLAG, AT(version), "print the version", NULL,
	NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

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

/* ---- Files of the configuration ---- */

/* Append the whole of a file; -1 with errno. */
static int
read_file(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char *p;

	if (fd < 0)
		return -1;
	do {
		p = buf_room(b, READ_SIZE);
		n = p != NULL ? read(fd, p, READ_SIZE) : -1;
		if (n > 0)
			buf_used(b, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	if (p == NULL)
		errno = EFBIG;
	return n < 0 ? -1 : 0;
}

/* One configuration file; it may be missing unless it was named. */
static void
read_config(struct tool *t, const char *path, bool named)
{
	struct buf text, err;
	size_t at = t->config_text.n;

	buf_init(&text, FILE_MAX + READ_SIZE);
	buf_init(&err, 1024);
	if (read_file(&text, path) != 0) {
		if (named || errno != ENOENT)
			die(TOOL_CONFIG, "%s: %s", path, strerror(errno));
		buf_free(&text);
		return;
	}
	buf_addc(&text, '\0');
	if (buf_adds(&t->config_text, buf_str(&text)) != 0)
		die(TOOL_OS, "%s: out of memory", path);
	buf_free(&text);
	if (opt_config(
		t->all, t->name, &t->seen, t->config_text.p + at, &err) != 0)
		die(TOOL_CONFIG, "%s:%.*s", path, (int)err.n, err.p);
	buf_free(&err);
}

static void
read_configs(struct tool *t)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	struct buf path;

	/* Values are borrowed from it: it must not move. */
	if (buf_room(&t->config_text, CONFIG_MAX) == NULL)
		die(TOOL_OS, "out of memory");
	if (t->values.config != NULL) {
		if (strcmp(t->values.config, "none") != 0)
			read_config(t, t->values.config, true);
		return;
	}
	buf_init(&path, 4096);
	if (home != NULL && *home == '/')
		buf_addf(&path, "%s/chat/chat.conf", home);
	else if ((home = getenv("HOME")) != NULL && *home == '/')
		buf_addf(&path, "%s/.config/chat/chat.conf", home);
	buf_addc(&path, '\0');
	if (!path.failed && path.n > 1)
		read_config(t, path.p, false);
	buf_free(&path);
	read_config(t, CHAT_SYSCONFDIR "/chat/chat.conf", false);
}

/* ---- Redis ---- */

static void
use_password(struct tool *t, const char *text, size_t n)
{
	buf_clear(&t->password);
	buf_add(&t->password, text, n);
	buf_addc(&t->password, '\0');
	t->redis.url.password = t->password.p;
}

static void
read_password(struct tool *t)
{
	const char *env = getenv("CHAT_PASSWORD");
	const char *path = t->values.password_file;
	struct buf text;

	if (env == NULL)
		env = getenv("REDISCLI_AUTH");
	if (path != NULL) {
		buf_init(&text, PASSWORD_MAX + READ_SIZE);
		if (read_file(&text, path) != 0)
			die(TOOL_CONFIG, "%s: %s", path, strerror(errno));
		if (text.n > 0 && text.p[text.n - 1] == '\n')
			text.n--;
		if (text.n > 0)
			use_password(t, text.p, text.n);
		if (text.p != NULL)
			memset(text.p, 0, text.cap);
		buf_free(&text);
	} else if (env != NULL) {
		use_password(t, env, strlen(env));
	}
}

/* A password that was typed is not left for ps(1) to show. */
static void
blank_password(const struct tool *t, char **argv)
{
	for (; *argv != NULL; argv++) {
		char *url = strstr(*argv, "://");
		if (url != NULL &&
		    (t->values.url == *argv ||
			strstr(*argv, t->values.url) != NULL))
			url_blank(*argv);
	}
}

static void
read_redis(struct tool *t, char **argv)
{
	struct buf err;

	buf_init(&err, 1024);
	if (url_parse(&t->redis.url, t->values.url, &t->url_mem, &err) != 0)
		die(t->typed_url ? TOOL_USAGE : TOOL_CONFIG, "%.*s", (int)err.n,
		    err.p);
	buf_free(&err);
	if (t->redis.url.password != NULL && t->typed_url) {
		log_info("a password in a URL can be seen by other users; "
			 "prefer --password-file");
		blank_password(t, argv);
	}
	if (t->values.user != NULL)
		t->redis.url.user = t->values.user;
	read_password(t);
	t->redis.timeout_ms = t->values.timeout_ms;
	t->redis.retry_ms = t->values.retry_ms;
	buf_addf(&t->client_name, "%s:%ld", t->name, (long)getpid());
	buf_addc(&t->client_name, '\0');
	t->redis.name = t->client_name.p;
}

/* ---- Options ---- */

static void
join_groups(struct tool *t)
{
	size_t n = 0;

	while (t->groups[n].title != NULL)
		n++;
	t->all = calloc(n + 3, sizeof(*t->all));
	if (t->all == NULL)
		die(TOOL_OS, "out of memory");
	memcpy(t->all, t->groups, n * sizeof(*t->all));
	t->all[n] = (struct opt_group){"Redis", redis_opts, &t->values, true};
	t->all[n + 1] =
	    (struct opt_group){"Common", common_opts, &t->values, false};
}

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

static void
read_options(struct tool *t, int argc, char **argv)
{
	struct buf err;
	int first;

	buf_init(&err, 1024);
	join_groups(t);
	first = opt_parse(t->all, argc, argv, &t->seen, &err);
	if (first < 0)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	t->typed_url = opt_is_set(t->all, &t->seen, "url");
	help_or_version(t);
	set_log_level(t);
	if (opt_env(t->all, &t->seen, &err) != 0)
		die(TOOL_CONFIG, "%.*s", (int)err.n, err.p);
	read_configs(t);
	set_log_level(t);
	t->operands = argv + first;
	t->noperands = argc - first;
	t->prefix = str_c(t->values.prefix);
	t->field = str_c(t->values.field);
	buf_free(&err);
}

/* ---- The loop ---- */

/* ev_signal_stop restores the default: a second signal ends at once. */
static void
on_signal(struct ev_loop *loop, struct ev_signal *w, int revents)
{
	struct tool *t = w->data;
	int signo = w->signum;

	(void)revents;
	for (size_t i = 0; i < 3; i++)
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
	t->values = (struct tool_values){.url = "redis://127.0.0.1:6379",
	    .prefix = "chat:",
	    .field = "data",
	    .timeout_ms = 5000,
	    .retry_ms = 5000};
	buf_init(&t->url_mem, 8192);
	buf_init(&t->password, 8192);
	buf_init(&t->config_text, CONFIG_MAX);
	buf_init(&t->client_name, 256);
	/* Some super-servers make fd 2 the client's socket, too. */
	log_init(t->name, sock_same(2, 0) ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	read_options(t, argc, argv);
	read_redis(t, argv);
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

	if (t->password.p != NULL)
		memset(t->password.p, 0, t->password.cap);
	buf_free(&t->password);
	buf_free(&t->url_mem);
	buf_free(&t->config_text);
	buf_free(&t->client_name);
	opt_seen_free(&t->seen);
	free(t->all);
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
