#ifndef APP_READER_H
#define APP_READER_H

#include "app/bookmark.h"
#include "app/feed.h"
#include "app/hub.h"
#include "app/merge.h"
#include "app/output.h"
#include "app/rewind.h"
#include "app/tool.h"
#include "io/conn.h"

/*
 * A program that reads channels and prints their messages on standard output:
 * what chat-tail and chat-replay share.
 */

struct reader_conf {
	struct opt_list types; /* --event */
	uint64_t count, batch;
	int64_t idle_ms, deadline_ms; /* NUM_INF: none */
	bool fail_empty;
	int on_gap; /* report, stop */
};

extern const struct opt reader_opts[];

/* Defaults for the structure behind reader_opts. */
void reader_conf_init(struct reader_conf *c);

/* How a program uses it. */
struct reader_use {
	struct str cursor;       /* of several channels; absent: none */
	struct feed_start start; /* of what no cursor holds */
	enum feed_end end;
	struct id until;
	bool ordered; /* several channels in the order of their ids */
	bool reverse; /* newest first */
	bool follow;  /* go on live after the end */
	const char *cursor_file;
};

struct reader_lane {
	struct reader *reader;
	struct str channel;
	struct cursor_part place; /* of the last message dealt with */
	struct feed feed;
	struct rewind rewind;
	struct merge_queue queue;
	bool full, ended, started;
};

struct reader {
	struct tool *tool;
	const struct reader_conf *conf;
	struct reader_use use;
	struct output output;
	struct stats stats;
	struct hub_conf hub_conf;
	struct hub hub;
	struct conn out;
	struct buf page;
	struct reader_lane *lanes;
	size_t nlanes, nended, nstarted;
	uint64_t written;
	struct bookmark bookmark;
	struct ev_timer idle, deadline, merge;
	int status;
	bool merging, blocked, finishing, timed_out;
};

/*
 * Start to read the channels that t's operands name. o and c come from the
 * command line. Ends the program (tool_stop) when all is done; exits on usage
 * errors. What is passed is borrowed.
 */
void reader_start(struct reader *r, struct tool *t, const struct reader_conf *c,
    const struct output_conf *o, const struct reader_use *use);

void reader_free(struct reader *r);

#endif
