#include "app/peers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096 };

struct peer {
	struct peer *next;
	size_t row, count, n;
	char address[];
};

/* FNV-1a */
static size_t
row_of(struct str s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return (size_t)((h ^ h >> 32) % ROWS);
}

static struct peer *
find(const struct peers *ps, size_t row, struct str address)
{
	struct peer *p = ps->rows[row];

	while (p != NULL && !str_eq(str_n(p->address, p->n), address))
		p = p->next;
	return p;
}

static struct peer *
make(struct peers *ps, size_t row, struct str address)
{
	struct peer *p = malloc(sizeof(*p) + address.n);

	if (p == NULL)
		return NULL;
	*p = (struct peer){ps->rows[row], row, 0, address.n};
	memcpy(p->address, address.p, address.n);
	ps->rows[row] = p;
	return p;
}

struct peer *
peers_enter(struct peers *ps, struct str address)
{
	size_t row = row_of(address);
	struct peer *p;

	if (ps->rows == NULL &&
	    (ps->rows = calloc(ROWS, sizeof(struct peer *))) == NULL)
		return NULL;
	p = find(ps, row, address);
	if (p == NULL)
		p = make(ps, row, address);
	if (p != NULL)
		p->count++;
	return p;
}

size_t
peers_count(const struct peer *p)
{
	return p->count;
}

void
peers_leave(struct peers *ps, struct peer *p)
{
	struct peer **at;

	if (p == NULL || --p->count > 0)
		return;
	for (at = &ps->rows[p->row]; *at != p;)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

void
peers_free(struct peers *ps)
{
	free(ps->rows);
}
