#include "io/reply.h"

#include <hiredis/hiredis.h>
#include <string.h>

static const redisReply *
reply(const struct redis_reply *r)
{
	return (const redisReply *)(const void *)r;
}

enum redis_type
redis_type(const struct redis_reply *r)
{
	if (r == NULL)
		return REDIS_NIL;
	switch (reply(r)->type) {
	case REDIS_REPLY_STRING:
	case REDIS_REPLY_STATUS:
		return REDIS_TEXT;
	case REDIS_REPLY_ARRAY:
		return REDIS_ARRAY;
	case REDIS_REPLY_INTEGER:
		return REDIS_INT;
	case REDIS_REPLY_ERROR:
		return REDIS_ERROR;
	default:
		return REDIS_NIL;
	}
}

long long
redis_int(const struct redis_reply *r)
{
	return redis_type(r) == REDIS_INT ? reply(r)->integer : 0;
}

struct str
redis_text(const struct redis_reply *r)
{
	enum redis_type t = redis_type(r);

	if (t != REDIS_TEXT && t != REDIS_ERROR)
		return str_c(NULL);
	return str_n(reply(r)->str, (size_t)reply(r)->len);
}

size_t
redis_len(const struct redis_reply *r)
{
	return redis_type(r) == REDIS_ARRAY ? reply(r)->elements : 0;
}

const struct redis_reply *
redis_at(const struct redis_reply *r, size_t i)
{
	if (i >= redis_len(r))
		return NULL;
	return (const struct redis_reply *)(void *)reply(r)->element[i];
}

const struct redis_reply *
redis_get(const struct redis_reply *r, const char *name)
{
	for (size_t i = 0; i + 1 < redis_len(r); i += 2)
		if (str_eq(redis_text(redis_at(r, i)), str_c(name)))
			return redis_at(r, i + 1);
	return NULL;
}

enum redis_trouble
redis_trouble(const struct redis_reply *r)
{
	static const struct {
		const char *prefix;
		enum redis_trouble trouble;
	} table[] = {
	    {"LOADING", REDIS_DOWN},
	    {"MASTERDOWN", REDIS_DOWN},
	    {"UNBLOCKED", REDIS_DOWN}, /* it has become a replica */
	    {"CLUSTERDOWN", REDIS_DOWN},
	    {"TRYAGAIN", REDIS_DOWN},
	    {"BUSY ", REDIS_DOWN},
	    {"ERR max number of clients", REDIS_DOWN},
	    {"READONLY", REDIS_READONLY},
	    {"OOM", REDIS_FULL},
	    {"MISCONF", REDIS_FULL},
	    {"NOREPLICAS", REDIS_FULL},
	    {"NOAUTH", REDIS_DENIED},
	    {"NOPERM", REDIS_DENIED},
	    {"WRONGPASS", REDIS_DENIED},
	    {"DENIED", REDIS_DENIED},
	    {"WRONGTYPE", REDIS_WRONGTYPE},
	};

	if (r == NULL)
		return REDIS_LOST;
	if (redis_type(r) != REDIS_ERROR)
		return REDIS_FINE;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (str_starts(redis_text(r), str_c(table[i].prefix)))
			return table[i].trouble;
	return REDIS_REFUSED;
}

const char *
redis_why(char out[REDIS_WHY], const struct redis_reply *r)
{
	struct str s = redis_type(r) == REDIS_ERROR ? redis_text(r)
	    : r == NULL                             ? STR("connection lost")
						    : STR("unexpected reply");

	if (s.n >= REDIS_WHY)
		s.n = REDIS_WHY - 1;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return out;
}
