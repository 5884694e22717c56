#ifndef APP_SERVER_OPTIONS_H
#define APP_SERVER_OPTIONS_H

#include "app/access.h"
#include "app/history.h"
#include "app/position.h"
#include "app/publish.h"
#include "base/opt.h"
#include "core/quota.h"

/* The options of a server of channels. */
struct server_options {
	bool inetd, publish, reuse_port, stats;
	const char *page, *heartbeat_event, *event_type;
	int64_t heartbeat_ms, hold_ms, stall_ms, request_ms;
	uint64_t max_size, max_channels, max_conns, max_conns_per_peer;
	int64_t max_lifetime_ms, drain_ms, once_ms;
	struct quota_rate rate;
	struct opt_list listen;
	struct access_options access;
	struct history_options history;
	struct position position;
	struct publish_keep keep;
};

/* Set the defaults, and the groups that fill o. */
enum { SERVER_GROUPS = 7 };
void server_options_init(
    struct server_options *o, struct opt_group groups[SERVER_GROUPS]);

/* 0, or -1 and a reason in err, which is a usage error. */
int server_options_check(
    const struct server_options *o, int64_t now_ms, struct buf *err);

/*
 * Where -a begins in several channels (wire/cursor.h), borrowed from the
 * options, which have been checked; absent if that is not how they begin.
 */
struct str server_options_cursor(const struct server_options *o);

/*
 * Take over what was read once more; fresh gets in exchange what o had. Options
 * that a running server cannot change are left as they are, with a warning.
 */
void server_options_take(
    struct server_options *o, struct server_options *fresh);

void server_options_free(struct server_options *o);

#endif
