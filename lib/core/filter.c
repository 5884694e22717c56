#include "core/filter.h"

#include "wire/msg.h"

#include <string.h>

/* <0, 0, >0 */
static int
compare(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* The part of set from the first type on that is not less. */
static struct str
find(struct str set, struct str type)
{
	while (set.n > 0) {
		struct str rest;
		if (compare(str_cut(set, '\0', &rest), type) >= 0)
			break;
		set = rest;
	}
	return set;
}

static size_t
count(struct str set)
{
	size_t n = 0;

	for (size_t i = 0; i < set.n; i++)
		n += set.p[i] == '\0';
	return n;
}

bool
filter_has(struct str set, struct str type)
{
	struct str rest = find(set, type);

	return rest.n > 0 && str_eq(str_cut(rest, '\0', &rest), type);
}

int
filter_add(struct buf *set, struct str type)
{
	size_t behind;
	char *at;

	if (type.n == 0 || !msg_event_ok(type))
		return -1;
	if (filter_has(buf_str(set), type))
		return 0;
	behind = find(buf_str(set), type).n;
	if (count(buf_str(set)) == FILTER_TYPES_MAX ||
	    buf_room(set, type.n + 1) == NULL)
		return -1;
	at = set->p + set->n - behind;
	memmove(at + type.n + 1, at, behind);
	memcpy(at, type.p, type.n);
	at[type.n] = '\0';
	buf_used(set, type.n + 1);
	return 0;
}
