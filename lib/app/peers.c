#include "app/peers.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096 };

struct peer {
	struct peer *next;
	size_t row, count, n;
	char address[];
};

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
	size_t row = str_hash(address) % ROWS;
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
