#include "app/publish.h"
#include "app/publish_impl.h"

#include "app/entry.h"
#include "base/log.h"

#include <stdio.h>

/* How much of a message a slow line may be expected to carry. */
enum { BYTES_PER_MS = 64 };

/* ---- Making commands ---- */

void
publish_arg(struct publish *p, struct str s)
{
	buf_add(&p->args, &s, sizeof(s));
}

void
publish_command(struct publish *p, struct str word, struct str key)
{
	buf_clear(&p->args);
	publish_arg(p, word);
	publish_arg(p, key);
}

int
publish_command_end(struct publish *p, redis_fn *fn, void *arg, int64_t more_ms)
{
	const struct str *argv = (const struct str *)(void *)p->args.p;

	if (p->args.failed)
		return -1;
	return redis_send(
	    &p->redis, fn, arg, more_ms, p->args.n / sizeof(*argv), argv);
}

const char *
publish_why(const struct publish_stream *s, struct str text)
{
	struct publish *p = s->owner;

	snprintf(p->why, sizeof(p->why), "%.*s: %.*s", (int)s->channel.n,
	    s->channel.p, (int)text.n, text.p);
	return p->why;
}

/* ---- The floor of a stream, before its first message ---- */

static void
learn_floor(struct publish_stream *s, const struct redis_reply *rep)
{
	s->known = true;
	s->floor = ID_MIN;
	if (redis_len(rep) > 0)
		(void)entry_id(&s->floor, redis_at(rep, 0));
	if (redis_trouble(rep) != REDIS_DENIED)
		return;
	s->blind = true;
	log_info("%.*s: may not be read: were the connection lost, it could "
		 "not be told what was stored",
	    (int)s->channel.n, s->channel.p);
}

static void
on_floor(void *arg, const struct redis_reply *rep)
{
	struct publish_stream *s = arg;
	struct publish *p = s->owner;
	enum redis_trouble trouble = redis_trouble(rep);

	s->asked = false;
	if (trouble != REDIS_LOST && trouble != REDIS_DOWN)
		learn_floor(s, rep);
	if (trouble == REDIS_DOWN)
		redis_restart(&p->redis, publish_why(s, redis_text(rep)));
	else if (trouble != REDIS_LOST)
		publish_pump(p);
	publish_stream_release(s);
}

int
publish_command_floor(struct publish *p, struct publish_stream *s)
{
	if (s->known || s->asked)
		return 0;
	publish_command(p, STR("XREVRANGE"), s->key);
	publish_arg(p, STR("+"));
	publish_arg(p, STR("-"));
	publish_arg(p, STR("COUNT"));
	publish_arg(p, STR("1"));
	if (publish_command_end(p, on_floor, s, 0) != 0)
		return -1;
	publish_stream_hold(s);
	s->asked = true;
	return 0;
}

/* ---- Messages ---- */

static void
give_up(struct publish_msg *pm, enum publish_end end,
    enum redis_trouble trouble, struct str text)
{
	publish_queue_given_up(&pm->stream->owner->queue, pm, end, trouble,
	    str_c(publish_why(pm->stream, text)));
}

static void
stored(struct publish *p, struct publish_msg *pm, const struct redis_reply *rep)
{
	struct id id;

	if (pm->once.p != NULL && redis_type(rep) == REDIS_ARRAY) {
		pm->result.before = redis_int(redis_at(rep, 0)) != 0;
		rep = redis_at(rep, 1);
	}
	if (redis_type(rep) == REDIS_NIL) {
		give_up(
		    pm, PUBLISH_MISSING, REDIS_FINE, STR("no such channel"));
	} else if (id_parse(redis_text(rep), &id) != 0) {
		give_up(pm, PUBLISH_REFUSED, REDIS_REFUSED,
		    STR("unexpected reply to XADD"));
	} else {
		publish_queue_stored(&p->queue, pm, &id);
		p->trouble_since = 0.;
		p->told = false;
		backoff_reset(&p->backoff);
	}
}

static void
added(struct publish *p, struct publish_msg *pm, const struct redis_reply *rep)
{
	enum redis_trouble trouble = redis_trouble(rep);

	switch (trouble) {
	case REDIS_FINE:
		stored(p, pm, rep);
		break;
	case REDIS_DOWN:
	case REDIS_READONLY:
	case REDIS_FULL:
		/* Later ones may still be taken: every reply is waited for. */
		(void)publish_why(pm->stream, redis_text(rep));
		publish_queue_set(&p->queue, pm, PUBLISH_UNSENT);
		p->unsent = p->queue.head;
		p->refused = trouble;
		break;
	default:
		give_up(pm, PUBLISH_REFUSED, trouble, redis_text(rep));
	}
}

static void
on_added(void *arg, const struct redis_reply *rep)
{
	struct publish_msg *pm = arg;
	struct publish *p = pm->stream->owner;

	if (rep == NULL) {
		publish_queue_set(&p->queue, pm, PUBLISH_LOST);
		return;
	}
	added(p, pm, rep);
	publish_settle(p);
}

/*
 * XADD, unless the once key holds an id: {whether it did, that id or the new
 * one}. Errors are those of XADD.
 */
static const char once_script[] =
    "local id = redis.call('GET', KEYS[2]) "
    "if id then return {1, id} end "
    "id = redis.pcall('XADD', KEYS[1], unpack(ARGV, 2)) "
    "if type(id) == 'table' then return id end "
    "if id then redis.call('SET', KEYS[2], id, 'PX', ARGV[1]) end "
    "return {0, id}";

/* The beginning of the command that stores it. */
static void
begin_add(struct publish *p, const struct publish_msg *pm, char ms[NUM_TEXT])
{
	if (pm->once.p == NULL) {
		publish_command(p, STR("XADD"), pm->stream->key);
		return;
	}
	publish_command(p, STR("EVAL"), str_c(once_script));
	publish_arg(p, STR("2"));
	publish_arg(p, pm->stream->key);
	publish_arg(p, pm->once);
	publish_arg(p, str_n(ms, num_format(ms, (uint64_t)p->conf->once_ms)));
}

int
publish_command_add(struct publish *p, struct publish_msg *pm)
{
	char text[NUM_TEXT], ms[NUM_TEXT];

	begin_add(p, pm, ms);
	if (p->conf->no_create)
		publish_arg(p, STR("NOMKSTREAM"));
	publish_keep_args(p, text);
	publish_arg(p, STR("*"));
	for (size_t i = 0; i < pm->m.nfields; i++) {
		publish_arg(p, pm->fields[i].name);
		publish_arg(p, pm->fields[i].value);
	}
	if (publish_command_end(
		p, on_added, pm, (int64_t)(pm->bytes / BYTES_PER_MS)) != 0)
		return -1;
	publish_queue_set(&p->queue, pm, PUBLISH_SENT);
	publish_keep_note(pm->stream);
	return 0;
}
