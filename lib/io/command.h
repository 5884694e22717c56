#ifndef IO_COMMAND_H
#define IO_COMMAND_H

#include "base/buf.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Other programs, run for what they print and for their exit status: without a
 * shell, with nothing on standard input, and each in a process group of its
 * own, as which it is killed. Those that it leaves behind are its own business.
 *
 * The loop is the default one: no other hears of children.
 */

/* Those who run and those who wait until one of them has ended. */
struct command_pool {
	struct ev_loop *loop;
	size_t max, running;
	bool quiet; /* standard error is none: it goes to /dev/null */
	struct command *waiting;
};

void command_pool_init(
    struct command_pool *pool, struct ev_loop *loop, size_t max);

enum command_end {
	COMMAND_EXITED, /* with a status, 0 to 255 */
	COMMAND_SIGNAL, /* by one that is not ours */
	COMMAND_LATE,   /* it, or its turn, did not come to its end in time */
	COMMAND_FAILED, /* to start: errno */
};

struct command_events {
	/* Bytes that it has printed. */
	void (*output)(void *arg, const char *p, size_t n);
	/* The last event: it has ended, and all that it printed was told. */
	void (*ended)(void *arg, enum command_end end, int code);
};

struct command {
	struct command_pool *pool;
	const struct command_events *events;
	void *arg;
	/* private */
	struct command *next; /* that waits */
	struct buf text;      /* words and variables, each with a NUL */
	size_t nwords, nvars;
	double run_s;
	double spare_s; /* of the two times the one that stands still */
	enum command_state {
		COMMAND_NONE,
		COMMAND_WAITING,
		COMMAND_RUNNING,
		COMMAND_ENDING, /* but for telling it */
	} state;
	enum command_end end;
	int code;
	pid_t pid; /* 0: it has ended */
	int fd;    /* what it prints; -1: all is read */
	int left;  /* bytes to read when it has ended */
	bool held; /* nothing is read for now */
	struct ev_io out;
	struct ev_child child;
	struct ev_timer timer;
};

/* A variable of its environment besides, or instead of, those of ours. */
struct command_var {
	const char *name; /* NULL: the end of a list */
	struct str value; /* absent is as empty */
	bool lines;       /* it may have several */
};

/* How long it may wait for its turn, run, and be held back besides. */
struct command_times {
	int64_t turn_ms, run_ms, held_ms;
};

/*
 * Run a line of words, which are separated by blanks, when it is its turn: the
 * first is looked for in PATH. It is killed when its time is over. 0; or -1
 * with errno, and no event follows: EINVAL for a line without a word, or a
 * value with a NUL or, if it may not have it, a line feed. Line and variables
 * are copied.
 */
int command_start(struct command *c, struct command_pool *pool,
    const char *line, const struct command_var *vars,
    const struct command_times *times, const struct command_events *events,
    void *arg);

/* Append in words how it has ended. */
void command_add_end(struct buf *b, enum command_end end, int code);

/*
 * Tell what it prints, or stop doing so: it is held back then, by its pipe,
 * and the time for which it may run stands still.
 */
void command_read(struct command *c, bool on);

/*
 * Kill it, if it runs; no event follows. To be called from any event, and in
 * the end. Harmless when zeroed.
 */
void command_stop(struct command *c);

#endif
