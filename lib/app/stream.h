#ifndef APP_STREAM_H
#define APP_STREAM_H

#include "app/client.h"
#include "app/feed.h"
#include "app/history.h"
#include "app/outbox.h"
#include "app/position.h"
#include "app/route.h"
#include "app/stats.h"
#include "core/backoff.h"
#include "core/ratelimit.h"

/*
 * Channels to a client as Server-Sent Events: the head with the first frame as
 * soon as the start is known, the history, what comes live, and a heartbeat
 * when idle. Without Redis the client is told to wait, and held for a while.
 *
 * If there is a command for what was before, that comes between the first frame
 * and what Redis has: for one channel only.
 *
 * Each channel has a feed of its own, and none waits for another, but at the
 * start: the first frame says where all of them begin.
 */

struct stream_conf {
	struct hub *hub;
	/* Where to start if the request does not say so; checked before. */
	const struct position *position;
	int64_t heartbeat_ms;   /* 0: none */
	int64_t hold_ms;        /* how long to wait for Redis at the start */
	struct outbox *outbox;  /* of the process */
	struct backoff *random; /* likewise */
	struct stats *stats;
	struct ratelimit *told; /* of troubles, in the log */
	struct str beat; /* the event instead of a comment; absent: none */
	struct history_conf history;
};

enum stream_state {
	STREAM_STARTING, /* nothing has been written yet */
	STREAM_HELD,     /* the head has been, the first frame has not */
	STREAM_OPEN,
};

struct stream_channel {
	struct stream *stream;
	struct feed feed;
	struct str name; /* borrowed */
	struct id told;  /* how far the client is, once its start is known */
};

struct stream {
	struct client *client;
	const struct stream_conf *conf;
	struct stream_channel one, *channels; /* that, or owned ones */
	/* Of several channels, to write cursors; else NULL. */
	struct stream_places *places;
	struct stream_history *history; /* until it has been sent; or NULL */
	unsigned nchannels, nstarted, nlive, nended; /* of them */
	unsigned turn; /* which of them is to be sent something first */
	enum stream_state state;
	unsigned char style; /* enum frame_style */
	bool bad_cursor;     /* is still to be told of some channels */
	bool strict;
	bool marker;      /* chat-live is to be told */
	bool stop_at_gap; /* and to be the last */
	bool no_live;     /* the client wants no more than the history */
	bool posted;      /* it has an item in the outbox */
	struct ev_timer timer;
	double since;      /* Redis is waited for; Unix time, s */
	double written;    /* the last time */
	struct str filter; /* core/filter.h; owned; absent: all types */
	uint64_t events, gaps;
};

/*
 * Begin the answer to a request for events. All that follows is written to c,
 * and ends it. conf, c and the channels are borrowed.
 */
void stream_start(struct stream *st, struct client *c,
    const struct stream_conf *conf, const struct route *r);

/*
 * Instead of that, while there are too many clients: c is to come back in so
 * long.
 */
void stream_decline(struct client *c, const struct route *r, unsigned retry_ms);

/* End behind an event; the client is to come back in so long. */
void stream_end(struct stream *st, unsigned retry_ms, const char *reason);

/* End behind what has been read. */
void stream_finish(struct stream *st, const char *reason);

/* Stop; harmless when zeroed. */
void stream_stop(struct stream *st);

/* The client takes more. */
void stream_drained(struct stream *st);

/* The client will send no more: it gets the history, and nothing live. */
void stream_no_live(struct stream *st);

/* Redis is away. */
void stream_outage(struct stream *st);

/* Redis will not serve us. */
void stream_refused(struct stream *st);

#endif
