#ifndef APP_CLIENT_H
#define APP_CLIENT_H

#include "io/conn.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The connection of one HTTP client: what is written to it, how long it may
 * take, and how it ends. Every answer is the last one (`Connection: close`).
 * It is closed so that it arrives: what was kept is written, then FIN is sent,
 * and what the client still sends is read and dropped for a moment, because
 * unread bytes make the kernel send RST, which destroys the answer on its way
 * (RFC 9112 9.6).
 */

struct client_events {
	/* n > 0 bytes came; 0: the client will send no more. */
	void (*input)(void *arg, const char *p, size_t n);
	/* There is room again, after client_write gave 1. */
	void (*drained)(void *arg);
	/* The deadline has passed. */
	void (*late)(void *arg);
	/*
	 * It is over: `reason`, `status` and `error` say how. Called once, from
	 * the loop, as the last event; it may free everything.
	 */
	void (*ended)(void *arg);
};

/* The most that is kept of what was written, bytes. */
#define CLIENT_KEEP_MAX ((size_t)1 << 30)

enum client_state {
	CLIENT_OPEN,
	CLIENT_FLUSHING,  /* all is said, but not written yet */
	CLIENT_LINGERING, /* waiting for the client to close, too */
	CLIENT_CLOSED,
};

struct client {
	struct conn conn;
	const struct client_events *events;
	void *arg;
	const char *reason; /* static: why it ended; NULL: with the answer */
	enum client_state state;
	int error;         /* errno that ended it, or 0 */
	short status;      /* of the answer, 0 for none so far */
	bool head_only;    /* the request was HEAD: answers have no body */
	struct str fields; /* owned: lines for the head of its answer */
	/* private */
	bool stalling;        /* the timer is for that */
	unsigned char checks; /* without progress so far */
	int stall_ms;         /* 0: never */
	struct ev_timer timer;
	unsigned long long taken; /* bytes, at the last check */
	size_t dropped_bytes;     /* of input that nobody wants */
};

/*
 * Begin to read. rfd and wfd may be the same; they stay open. A client that
 * takes no byte for stall_ms while there is something to write is dropped.
 */
void client_init(struct client *c, struct ev_loop *loop, int rfd, int wfd,
    int64_t stall_ms, const struct client_events *events, void *arg);
void client_free(struct client *c);

/* Call `late` in ms from now; 0 for never, NUM_INF too. */
void client_deadline(struct client *c, int64_t ms);

/*
 * Write s. 0: it is out. 1: a part was kept, and `drained` follows; write no
 * more than once until then. -1: the client is gone or going; `ended` follows.
 */
int client_write(struct client *c, struct str s);

/*
 * For who can do without having the rest kept: write what can be written now,
 * and say what came of it. client_sent: n bytes of a write done elsewhere
 * (io/burst.h), or -1 and errno. Both return n; -1 as above.
 */
ssize_t client_write_some(struct client *c, struct str s);
ssize_t client_sent(struct client *c, ssize_t n);

/* Keep a tail, which may be empty; `drained` follows. */
void client_keep(struct client *c, struct str tail);

/* Does `drained` follow? */
bool client_is_full(const struct client *c);

/*
 * Drop n bytes of input that nobody wants. A client that sends too many of
 * them is dropped itself.
 */
void client_discard(struct client *c, size_t n);

/*
 * Append what the client is to have in the head of its answer, whatever that
 * is, and the head's end.
 */
void client_end_head(struct client *c, struct buf *head);

/* A whole answer; then client_finish. With 503 it says when to come again. */
struct client_field {
	const char *name;
	struct str value;
};

struct client_answer {
	int status;
	const char *type; /* of the body; NULL: text/plain */
	struct str body;  /* absent: there is none (204) */
	/* Fields besides, ended by a NULL name; may be NULL. */
	const struct client_field *fields;
};

void client_answer(struct client *c, const struct client_answer *a);

/*
 * The answer to what cannot be done: the text (without a full stop and a line
 * end) is its body. _method: 405, for what Allow names; _unknown: 401, who asks
 * has no good token; _now: 503; _busy: 429, with Retry-After.
 */
void client_refuse(struct client *c, int status, const char *text);
void client_refuse_method(struct client *c, const char *allow);
void client_refuse_unknown(struct client *c);
void client_refuse_now(struct client *c, const char *text);
void client_refuse_busy(struct client *c, const char *text, unsigned retry_ms);

/* All is said: end when it has arrived. The first reason counts. */
void client_finish(struct client *c, const char *reason);

/* End at once. */
void client_drop(struct client *c, const char *reason);

/* Unix time of this turn of the loop, s. */
int64_t client_now(const struct client *c);

#endif
