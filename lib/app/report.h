#ifndef APP_REPORT_H
#define APP_REPORT_H

#include "app/client.h"
#include "app/hub.h"
#include "app/route.h"
#include "app/server.h"
#include "app/stats.h"

/*
 * What a server does and has done, told to who asks for it: as text for
 * Prometheus, and as JSON with the channels, those with the most readers first.
 * All is borrowed. It takes a look at each connection: about 0.1 us.
 */
struct report {
	const struct stats *stats;
	const struct server *server;
	struct hub *hub;
	int64_t started_ms; /* Unix time */
};

/* Answer a request for ROUTE_METRICS or ROUTE_STATS. */
void report_answer(
    const struct report *r, struct client *c, const struct route *route);

#endif
