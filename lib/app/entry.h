#ifndef APP_ENTRY_H
#define APP_ENTRY_H

#include "base/buf.h"
#include "core/gap.h"
#include "io/redis.h"
#include "wire/msg.h"

/* Stream replies of Redis as messages and facts. */

/*
 * The entries of one XRANGE, XREVRANGE or (a stream's part of) XREAD reply.
 * Everything points into the reply.
 */
struct entries {
	struct buf msgs;   /* struct msg */
	struct buf fields; /* struct msg_field */
	size_t n;
	size_t bytes;    /* of names and values, about */
	uint64_t serial; /* of what was read: another for each reply */
};

void entries_init(struct entries *e);
void entries_free(struct entries *e);

/*
 * After much has been read, and nothing more is to come soon: give memory back
 * to the system, all that the process has free.
 */
void entries_trim(struct entries *e);

/*
 * Read list; channel and data_name as in wire/msg.h. 0, or -1 when it does not
 * have the shape of a list of entries.
 */
int entries_read(struct entries *e, const struct redis_reply *list,
    struct str channel, struct str data_name);

/* The messages read, in the order of the reply. */
const struct msg *entries_msgs(const struct entries *e);

/*
 * How many entries to ask for, so that they make a page of good size: at first,
 * and after the page e, of which `before` were asked for. most: no more.
 */
uint64_t entries_first_count(uint64_t most);
uint64_t entries_next_count(
    const struct entries *e, uint64_t before, uint64_t most);

/* XINFO STREAM. 0, or -1 when it does not have that shape. */
int entry_info(struct gap_facts *f, const struct redis_reply *info);

/* Does the reply to XINFO STREAM say that there is no such key? */
bool entry_is_missing(const struct redis_reply *r);

/* The id of one entry of a list. 0 or -1. */
int entry_id(struct id *id, const struct redis_reply *entry);

#endif
