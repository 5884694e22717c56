/* The part of app/tool that reads the options. */
#include "app/tool.h"

#include "io/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FILE_MAX = 64 << 10,
	PASSWORD_MAX = 4096,
	PATH_BYTES = 4096,
	/* Two files, each with a NUL. */
	CONFIG_MAX = 2 * (FILE_MAX + FILE_PIECE + 1),
};

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

/* ---- Files ---- */

static int
no_memory(struct buf *err)
{
	buf_addz(err, "out of memory");
	return TOOL_OS;
}

/* By errno. */
static int
cannot_read(struct buf *err, const char *path)
{
	buf_addf(err, "%s: %s", path, strerror(errno));
	return TOOL_CONFIG;
}

/* ---- Files of the configuration ---- */

/* The values are borrowed from the text, which must not move by the next. */
static int
use_config(struct tool *t, const char *path, struct str text, struct buf *err)
{
	size_t at = t->config_text.n, start = err->n;

	if (buf_adds(&t->config_text, text) != 0 ||
	    buf_addc(&t->config_text, '\0') != 0)
		return no_memory(err);
	buf_addf(err, "%s:", path);
	if (opt_config(t->all, t->name, &t->seen, t->config_text.p + at, err) !=
	    0)
		return TOOL_CONFIG;
	buf_cut(err, start);
	return TOOL_OK;
}

/* One configuration file; it may be missing unless it was named. */
static int
read_config(struct tool *t, const char *path, bool named, struct buf *err)
{
	struct buf text;
	int status = TOOL_OK;

	buf_init(&text, FILE_MAX + FILE_PIECE);
	if (file_read(&text, path) == 0)
		status = use_config(t, path, buf_str(&text), err);
	else if (named || errno != ENOENT)
		status = cannot_read(err, path);
	buf_free(&text);
	return status;
}

static int
read_user_config(struct tool *t, struct buf *err)
{
	const char *home = getenv("XDG_CONFIG_HOME");
	struct buf path;
	int status = TOOL_OK;

	buf_init(&path, PATH_BYTES);
	if (home != NULL && *home == '/')
		buf_addf(&path, "%s/chat/chat.conf", home);
	else if ((home = getenv("HOME")) != NULL && *home == '/')
		buf_addf(&path, "%s/.config/chat/chat.conf", home);
	buf_addc(&path, '\0');
	if (!path.failed && path.n > 1)
		status = read_config(t, path.p, false, err);
	buf_free(&path);
	return status;
}

static int
read_configs(struct tool *t, struct buf *err)
{
	const char *named = t->values.config;
	int status;

	if (buf_room(&t->config_text, CONFIG_MAX) == NULL)
		return no_memory(err);
	if (named != NULL && strcmp(named, "none") == 0)
		return TOOL_OK;
	if (named != NULL)
		return read_config(t, named, true, err);
	status = read_user_config(t, err);
	if (status != TOOL_OK)
		return status;
	return read_config(t, CHAT_SYSCONFDIR "/chat/chat.conf", false, err);
}

/* ---- Redis ---- */

static void
use_password(struct tool *t, struct str text)
{
	buf_adds(&t->password, text);
	buf_addc(&t->password, '\0');
	t->redis.url.password = t->password.p;
}

static int
read_password_file(struct tool *t, const char *path, struct buf *err)
{
	struct buf text;
	int status = TOOL_OK;

	buf_init(&text, PASSWORD_MAX + FILE_PIECE);
	if (file_read(&text, path) != 0)
		status = cannot_read(err, path);
	else if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (status == TOOL_OK && text.n > 0)
		use_password(t, buf_str(&text));
	buf_wipe(&text);
	return status;
}

static int
read_password(struct tool *t, struct buf *err)
{
	const char *env = getenv("CHAT_PASSWORD");

	if (t->values.password_file != NULL)
		return read_password_file(t, t->values.password_file, err);
	if (env == NULL)
		env = getenv("REDISCLI_AUTH");
	if (env != NULL)
		use_password(t, str_c(env));
	return TOOL_OK;
}

static int
read_redis(struct tool *t, struct buf *err)
{
	if (url_parse(&t->redis.url, t->values.url, &t->url_mem, err) != 0)
		return t->typed_url ? TOOL_USAGE : TOOL_CONFIG;
	t->url_password = t->redis.url.password;
	if (t->values.user != NULL)
		t->redis.url.user = t->values.user;
	t->redis.timeout_ms = t->values.timeout_ms;
	t->redis.retry_ms = t->values.retry_ms;
	buf_addf(&t->client_name, "%s:%ld", t->name, (long)getpid());
	buf_addc(&t->client_name, '\0');
	t->redis.name = t->client_name.p;
	return read_password(t, err);
}

/* ---- All of it ---- */

static int
join_groups(struct tool *t)
{
	size_t n = 0;

	while (t->groups[n].title != NULL)
		n++;
	t->all = calloc(n + 3, sizeof(*t->all));
	if (t->all == NULL)
		return -1;
	memcpy(t->all, t->groups, n * sizeof(*t->all));
	t->all[n] = (struct opt_group){"Redis", redis_opts, &t->values, true};
	t->all[n + 1] =
	    (struct opt_group){"Common", common_opts, &t->values, false};
	return 0;
}

static int
read_typed(struct tool *t, int argc, char **argv, struct buf *err)
{
	int first;

	if (join_groups(t) != 0)
		return no_memory(err);
	first = opt_parse(t->all, argc, argv, &t->seen, err);
	if (first < 0)
		return TOOL_USAGE;
	t->typed_url = opt_is_set(t->all, &t->seen, "url");
	t->operands = argv + first;
	t->noperands = argc - first;
	return TOOL_OK;
}

int
tool_read(struct tool *t, int argc, char **argv, struct buf *err)
{
	int status;

	t->values = (struct tool_values){.url = "redis://127.0.0.1:6379",
	    .prefix = "chat:",
	    .field = "data",
	    .timeout_ms = 5000,
	    .retry_ms = 5000};
	buf_init(&t->url_mem, 8192);
	buf_init(&t->user, 8192);
	buf_init(&t->password, 8192);
	buf_init(&t->config_text, CONFIG_MAX);
	buf_init(&t->client_name, 256);
	status = read_typed(t, argc, argv, err);
	if (status != TOOL_OK || t->values.help || t->values.version)
		return status;
	if (opt_env(t->all, &t->seen, err) != 0)
		return TOOL_CONFIG;
	status = read_configs(t, err);
	if (status != TOOL_OK)
		return status;
	t->prefix = str_c(t->values.prefix);
	t->field = str_c(t->values.field);
	return read_redis(t, err);
}

void
tool_read_free(struct tool *t)
{
	buf_wipe(&t->password);
	buf_free(&t->url_mem);
	buf_free(&t->user);
	buf_free(&t->config_text);
	buf_free(&t->client_name);
	opt_seen_free(&t->seen);
	free(t->all);
	t->all = NULL;
}
