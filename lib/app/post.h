#ifndef APP_POST_H
#define APP_POST_H

#include "app/client.h"
#include "app/publish.h"
#include "app/route.h"
#include "wire/chunked.h"

/* A request to publish a message: its body is read, stored, and answered. */

struct post_conf {
	struct publish *publish; /* NULL: nothing is published */
	uint64_t max_size;       /* of a body, bytes */
	int64_t timeout_ms;      /* for the whole of a body */
};

struct post {
	struct client *client;
	const struct post_conf *conf;
	struct str channel; /* borrowed */
	const struct post_type *type;
	bool chunked, done;
	int64_t length; /* of a body that is not chunked */
	struct chunked chunks;
	struct buf body, event, mid;
};

/*
 * Begin with the request's head; refuses through c what cannot be stored. conf,
 * c and the channel are borrowed.
 */
void post_start(struct post *p, struct client *c, const struct post_conf *conf,
    const struct http_request *req, const struct route *r);

/* Bytes of the body, or its end (0), as from client_events.input. */
void post_input(struct post *p, const char *data, size_t n);

/* The client's deadline has passed. */
void post_late(struct post *p);

/* Stop; what was handed to Redis goes its way. Harmless when zeroed. */
void post_stop(struct post *p);

#endif
