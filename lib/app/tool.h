#ifndef APP_TOOL_H
#define APP_TOOL_H

#include "base/opt.h"
#include "io/redis.h"

#include <ev.h>
#include <stdbool.h>

/*
 * What the programs share from start to exit: options, messages, the loop,
 * signals, the exit status.
 */

/* The same for all programs. */
enum tool_status {
	TOOL_OK = 0,
	TOOL_NO = 1, /* done, the answer is no */
	TOOL_USAGE = 64,
	TOOL_DATA = 65,     /* bad input record */
	TOOL_NOINPUT = 66,  /* no such channel, file */
	TOOL_SOFTWARE = 70, /* bug, unexpected reply */
	TOOL_OS = 71,
	TOOL_IO = 74,       /* cannot write output or read input */
	TOOL_TEMPFAIL = 75, /* Redis unreachable or not ready */
	TOOL_NOPERM = 77,
	TOOL_CONFIG = 78,
	TOOL_SIGNAL = 128, /* + N: ended by signal N, truly */
};

struct tool {
	/* Set by the program before tool_start: */
	const char *name;     /* `chat-tail` */
	const char *synopsis; /* lines for --help */
	const char *about;
	const struct opt_group *groups; /* its own, ended by a NULL title */

	/* Ready after tool_start: */
	struct ev_loop *loop;
	struct redis_conf redis;
	struct str prefix, field;
	char **operands; /* ended by NULL */
	int noperands;

	/* private */
	struct tool_values {
		const char *url, *user, *password_file, *prefix, *field;
		const char *config;
		int64_t timeout_ms, retry_ms;
		int quiet, verbose;
		bool help, version;
	} values;
	struct opt_group *all;
	struct opt_seen seen;
	struct buf url_mem, user, password, config_text, client_name;
	const char *url_password; /* as it stood in the URL, or NULL */
	struct ev_signal signals[3];
	int status;
	bool typed_url; /* it stood on the command line */
	bool stopped;
	/* Called on the first INT, TERM or HUP instead of tool_stop. */
	void (*on_signal)(void *arg, int signo);
	/* Called on each HUP, which does not stop the program then. */
	void (*on_reload)(void *arg);
	void *signal_arg;
};

/*
 * Read the options, from the command line, the environment and configuration
 * files, and make the loop. Does not return for --help, --version, and errors
 * (which are told on standard error).
 */
void tool_start(struct tool *t, int argc, char **argv);

/*
 * What tool_start does first: read the options into the structures of t's
 * groups. To read them once more, while running, takes another tool and other
 * structures. A status, with a reason in err unless it is TOOL_OK. To be freed
 * in any case; the options borrow from it. (tool_end does so, too.)
 */
int tool_read(struct tool *t, int argc, char **argv, struct buf *err);
void tool_read_free(struct tool *t);

/*
 * Of options that were read once more, take over user, password and patience,
 * which hold for the next connection to Redis, and the level of messages; warn
 * of a change to any other. t->redis is to be copied again.
 */
void tool_take(struct tool *t, const struct tool *fresh);

/* Run the loop until tool_stop. Returns what main returns: see tool_end. */
int tool_run(struct tool *t);

/* Leave the loop with this status; the first call counts. */
void tool_stop(struct tool *t, int status);

/*
 * Stop because standard output could not be written: a reader that went away
 * (EPIPE) ends the program as SIGPIPE would, anything else is told.
 */
void tool_stop_output(struct tool *t, int err);

/* Stop because Redis was lost for good or refused us; tells why. */
void tool_stop_redis(
    struct tool *t, enum redis_trouble trouble, const char *why);

/*
 * Free what tool_start made, and return the status, or end by the signal that
 * the status names.
 */
int tool_end(struct tool *t);

/* A usage error: told with a hint at --help; exits with TOOL_USAGE. */
_Noreturn void tool_usage(const struct tool *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Unix time, ms. */
int64_t tool_now_ms(void);

/*
 * A channel operand of a reader: a name that starts with `-` is refused, as
 * it is most likely a misplaced option. Exits with TOOL_USAGE.
 */
struct str tool_channel(const struct tool *t, const char *operand);

#endif
