#include "wire/id.h"

#include "base/num.h"

#include <string.h>

/* num_u64 takes leading zeros; two spellings of one id must not exist. */
static int
part(struct str s, uint64_t *v)
{
	if (s.n > 1 && s.p[0] == '0')
		return -1;
	return num_u64(s, v);
}

int
id_parse(struct str s, struct id *id)
{
	struct str rest, ms = str_cut(s, '-', &rest);
	struct id got;

	if (rest.p == NULL || part(ms, &got.ms) != 0 ||
	    part(rest, &got.seq) != 0)
		return -1;
	*id = got;
	return 0;
}

int
id_parse_short(struct str s, uint64_t seq, struct id *id)
{
	uint64_t ms;

	if (part(s, &ms) != 0)
		return id_parse(s, id);
	*id = (struct id){ms, seq};
	return 0;
}

size_t
id_format(char out[ID_TEXT], struct id id)
{
	char seq[NUM_TEXT];
	size_t n = num_format(out, id.ms);

	out[n++] = '-';
	size_t nseq = num_format(seq, id.seq);
	memcpy(out + n, seq, nseq + 1);
	return n + nseq;
}

int
id_cmp(struct id a, struct id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return (a.seq > b.seq) - (a.seq < b.seq);
}

bool
id_eq(struct id a, struct id b)
{
	return a.ms == b.ms && a.seq == b.seq;
}

struct id
id_next(struct id id)
{
	if (id.seq < UINT64_MAX)
		return (struct id){id.ms, id.seq + 1};
	if (id.ms < UINT64_MAX)
		return (struct id){id.ms + 1, 0};
	return id;
}

struct id
id_prev(struct id id)
{
	if (id.seq > 0)
		return (struct id){id.ms, id.seq - 1};
	if (id.ms > 0)
		return (struct id){id.ms - 1, UINT64_MAX};
	return id;
}
