#include "known.h"

#include <string.h>

const struct known_message *
known_find(const struct known *k, uint64_t seq, const char *p, size_t n)
{
	const struct known_message *m = &k->message[seq % KNOWN_MESSAGES];

	if (m->n == 0 || m->seq != seq || n < m->n ||
	    memcmp(p, m->bytes, m->n) != 0)
		return NULL;
	return m;
}

void
known_add(struct known *k, uint64_t seq, uint64_t sent, const char *p, size_t n)
{
	struct known_message *m = &k->message[seq % KNOWN_MESSAGES];

	if (n > KNOWN_BYTES)
		return;
	m->seq = seq;
	m->sent = sent;
	m->n = n;
	memcpy(m->bytes, p, n);
}
