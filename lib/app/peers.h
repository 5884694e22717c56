#ifndef APP_PEERS_H
#define APP_PEERS_H

#include "base/str.h"

#include <stddef.h>

/* How many connections each address has. */

struct peer;

struct peers {
	struct peer **rows; /* allocated with the first */
};

/* One more of that address. NULL: out of memory. */
struct peer *peers_enter(struct peers *ps, struct str address);
size_t peers_count(const struct peer *p);

/* One less. NULL is harmless. */
void peers_leave(struct peers *ps, struct peer *p);

/* All must have left. Harmless when zeroed. */
void peers_free(struct peers *ps);

#endif
