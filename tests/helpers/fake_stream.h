#ifndef FAKE_STREAM_H
#define FAKE_STREAM_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/id.h"

#include <stdbool.h>

/*
 * The stream of a fake Redis (fake_redis.h), which all keys that end with
 * `room` name, and as much of its commands as is used.
 */

enum { FAKE_ENTRIES = 128 };

struct fake_entry {
	struct id id;
	struct str type, data; /* borrowed */
};

struct fake_stream {
	struct fake_entry entries[FAKE_ENTRIES];
	size_t nentries;
	unsigned long long nadded;
	struct id last, deleted;
	struct buf added; /* the data of XADD */
};

void fake_stream_init(struct fake_stream *f);

/* As if the key had been deleted; and as it was at the start. */
void fake_stream_delete(struct fake_stream *f);
void fake_stream_reset(struct fake_stream *f);

/* Drop the oldest entry. */
void fake_stream_trim(struct fake_stream *f);

void fake_stream_add(struct fake_stream *f, struct str type, struct str data);

/*
 * Append the reply to a command. false: it waits (XREAD BLOCK), and nothing was
 * appended. A command that is not well-formed: abort(3).
 */
bool fake_stream_reply(
    struct fake_stream *f, struct buf *b, const struct str *argv, size_t argc);

#endif
