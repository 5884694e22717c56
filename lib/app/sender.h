#ifndef APP_SENDER_H
#define APP_SENDER_H

#include "app/compose.h"
#include "app/printer.h"
#include "app/publish.h"
#include "app/tool.h"
#include "io/conn.h"
#include "wire/records.h"

/*
 * A program that publishes what stands on its command line or comes on
 * standard input. It ends when Redis has confirmed all of it.
 */
struct sender_conf {
	bool null, slurp, skip_empty, keep_going, no_create;
	const char *delimiter, *format, *once;
	int escape; /* auto, always, never */
	uint64_t count, batch;
	int64_t linger_ms, idle_ms, deadline_ms; /* NUM_INF: none */
	int64_t once_ms;
	struct publish_keep keep;
};

/* What is taken from standard input, and how it is sent. */
extern const struct opt sender_input_opts[], sender_opts[];

/* Defaults for the structure behind them. */
void sender_conf_init(struct sender_conf *c);

/*
 * Read the operands: CHANNEL [MESSAGE]..., [CHANNEL] with json. Exits on a
 * usage error. The channel may be absent; *messages is NULL when they come
 * from standard input.
 */
struct str sender_operands(const struct tool *t, const struct sender_conf *c,
    const struct compose_conf *compose, char ***messages);

/* What ends a record of the input, in b; empty for --slurp. Exits as above. */
void sender_delimiter(
    const struct tool *t, const struct sender_conf *c, struct buf *b);

struct sender {
	struct tool *tool;
	const struct sender_conf *conf;
	struct publish_conf publish_conf;
	struct publish publish;
	struct compose compose;
	char **messages; /* ended by NULL; or NULL: standard input */
	struct buf delimiter;
	struct records records;
	struct conn in;
	struct printer printer;
	struct ev_timer idle, deadline;
	uint64_t nr; /* of the record taken last */
	uint64_t taken, stored, unsure, skipped;
	bool full;  /* Redis is to catch up */
	bool ended; /* no more input is taken */
	bool confirming, timed_out;
	char why[640]; /* what went wrong; empty: nothing */
	enum redis_trouble trouble;
	int status;
};

/*
 * Start to publish what t's operands say. c and compose come from the command
 * line. Ends the program (tool_stop) when all is done; exits on usage errors.
 * What is passed is borrowed.
 */
void sender_start(struct sender *s, struct tool *t, const struct sender_conf *c,
    const struct compose_conf *compose);

void sender_free(struct sender *s);

#endif
