#ifndef APP_ROUTE_H
#define APP_ROUTE_H

#include "app/frame.h"
#include "base/buf.h"
#include "wire/cursor.h"
#include "wire/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request asks for: its path, and the parameters of its query. */

enum route_kind {
	ROUTE_SERVER, /* `*`: the server as a whole */
	ROUTE_EVENTS,
	ROUTE_MESSAGES,
	ROUTE_LIVE,  /* is the process alive? */
	ROUTE_READY, /* does Redis answer, too? */
	ROUTE_PAGE,
	ROUTE_METRICS, /* of the server, as text */
	ROUTE_STATS,   /* and as JSON */
};

/*
 * With so many, of names as long as there is room for, a request that comes
 * back with a cursor of them all is still no larger than HTTP_HEAD_MAX.
 */
enum { ROUTE_CHANNELS_MAX = 400 };

/* Where a channel is to begin of which no cursor says so. */
enum route_from {
	ROUTE_FROM_POLICY, /* the request does not say */
	ROUTE_FROM_LAST,
	ROUTE_FROM_SINCE,
};

struct route {
	enum route_kind kind;
	const char *allow; /* static: the methods */
	/* Names with a NUL between any two; owned; absent if there are none. */
	struct str channels;
	size_t nchannels;
	/* Of a stream */
	enum route_from from;
	struct cursor_part *places; /* owned: what is known of each channel */
	struct buf cursor; /* the text that it says so with; empty for none */
	bool foreign;      /* and it is another program's (wire/cursor.h) */
	uint64_t last;
	struct buf since;  /* a TIME (num_time) */
	bool bad_cursor;   /* Last-Event-ID is not one */
	struct buf filter; /* core/filter.h; empty: all types are wanted */
	enum frame_style style;
	bool strict, marker, stop_at_gap;
	/* Of a message; empty for none */
	struct buf event;
	/* Of a list: the most that is wanted of it */
	uint64_t limit;
	/* private: while it is being found */
	struct buf names;
	size_t max_channels;
	bool by_path, too_many;
};

/* What is served. The strings are borrowed. */
struct route_conf {
	const char *const *channels; /* names and patterns (str_glob) */
	size_t nchannels;
	size_t max_channels; /* of one stream */
	struct str cursor;   /* instead of the policy; may be absent */
	bool publish, page, stats;
	bool foreign; /* cursors of other programs are good, too */
};

/*
 * 0, or the status with which to refuse (400, 404, 405) and a static text.
 * allow is set unless there is no such path. In any case r is to be freed.
 */
int route_find(struct route *r, const struct http_request *req,
    const struct route_conf *conf, const char **why);
void route_free(struct route *r);

#endif
