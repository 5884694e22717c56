#ifndef WIRE_CURSOR_H
#define WIRE_CURSOR_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A cursor as text: where a reader of one or of several channels stands. It
 * consists of letters, digits and `-_.~`, so that it needs no quoting in a
 * header, in an address or in a shell.
 *
 * With one channel it is the id. With several it holds an id for each, under a
 * key that is made from the channel's name and not from its place: who reads it
 * may ask for other channels in another order. With ids of our time and seq
 * below 64 that is 14 bytes a channel and 6 more: 118 for 8 channels, 902 for
 * 64. A check at its end tells damage from channels that it does not hold.
 *
 * Keys are the first 24 bits of the hash of the name, or more, up to 54, so
 * that all channels of the writer differ. Of the channels that only the reader
 * asks for, one in 16 million has the key of a given channel in the text. If
 * both are asked for, the position of neither is known; if the other one is not
 * asked for any more, its position is taken for that of the new one.
 */

/* Where a reader stands in one channel. */
struct cursor_part {
	uint64_t key; /* the hash of its name */
	struct id id;
	bool known;
};

/* The part of a channel whose position is not known yet. */
struct cursor_part cursor_part_of(struct str channel);

/*
 * Another program's cursor, of a form that we do not know, may be any text that
 * comes back unchanged: 1 to 1024 bytes of UTF-8 without control characters,
 * and without blanks at its ends.
 */
enum { CURSOR_FOREIGN_MAX = 1024 };
bool cursor_is_foreign(struct str s);

/* Put parts into the order of their keys, as they are wanted below. */
void cursor_sort(struct cursor_part **parts, size_t n);

/*
 * Append the cursor of n channels. Those that are not known are left out, as
 * are those whose names cannot be told apart by 54 bits.
 */
void cursor_format(struct buf *b, struct cursor_part *const *parts, size_t n);

/*
 * Read a cursor for n channels. Those that it holds become known with their
 * ids; the others are left as they are. What it holds of other channels does
 * not count. An id alone is a cursor of one channel only. Strict: 0, or -1 when
 * any of it is malformed, and then nothing is changed.
 */
int cursor_parse(struct str s, struct cursor_part *const *parts, size_t n);

#endif
