#ifndef APP_POST_H
#define APP_POST_H

#include "app/client.h"
#include "app/publish.h"
#include "app/route.h"
#include "app/stats.h"
#include "core/quota.h"
#include "core/ratelimit.h"
#include "wire/chunked.h"

/* A request to publish: its body is read, stored, and answered. */

/* All is borrowed. */
struct post_conf {
	struct publish *publish; /* NULL: nothing is published */
	uint64_t max_size;       /* of a body, bytes */
	int64_t timeout_ms;      /* for the whole of a body */
	bool once; /* a message whose id the client gave is stored once */
	struct quota *quota;
	struct quota_rate rate; /* of messages from a peer */
	struct ratelimit *told;
};

struct post {
	struct client *client;
	const struct post_conf *conf;
	struct str channel, peer; /* borrowed */
	const struct post_type *type;
	bool chunked, done;
	int64_t length; /* of a body that is not chunked */
	struct chunked chunks;
	struct buf body, event, mid;
	struct post_lines *lines; /* owned: of many messages, or NULL */
	size_t waiting, stored, repeated, refused; /* messages */
};

/*
 * Begin with the request's head; refuses through c what cannot be stored. peer
 * is who asks; `-` or absent: nobody who could be told from others. conf, c,
 * the peer and the channel are borrowed.
 */
void post_start(struct post *p, struct client *c, const struct post_conf *conf,
    const struct http_request *req, const struct route *r, struct str peer);

/* Bytes of the body, or its end (0), as from client_events.input. */
void post_input(struct post *p, const char *data, size_t n);

/* The client's deadline has passed. */
void post_late(struct post *p);

/* Add what has become of its messages so far. */
void post_tally(const struct post *p, struct stats *t);

/* The connection has ended: add what the client did not wait for. */
void post_count_end(const struct post *p, struct stats *t);

/* Stop; what was handed to Redis goes its way. */
void post_stop(struct post *p);

#endif
