#include "app/publish.h"
#include "app/publish_impl.h"
#include "base/log.h"

#include <stddef.h>

/* ---- Options ---- */

/* `~N`: about N; the rest of value is given back. */
static struct str
read_about(const char *value, bool *about)
{
	struct str s = str_c(value);

	*about = str_starts(s, STR("~"));
	return *about ? str_from(s, 1) : s;
}

static int
set_maxlen(void *base, const struct opt *o, const char *value, struct buf *err)
{
	struct publish_keep *k = base;

	(void)o;
	if (num_u64(read_about(value, &k->maxlen_about), &k->maxlen) != 0 ||
	    k->maxlen > INT64_MAX) {
		buf_addz(err, "not a number of messages");
		return -1;
	}
	k->has_maxlen = true;
	return 0;
}

static int
set_maxage(void *base, const struct opt *o, const char *value, struct buf *err)
{
	struct publish_keep *k = base;
	struct str s = read_about(value, &k->maxage_about);

	(void)o;
	if (num_duration(s, &k->maxage_ms) != 0 || k->maxage_ms == 0) {
		buf_addz(err, "not a duration");
		return -1;
	}
	if (k->maxage_ms == NUM_INF)
		k->maxage_ms = 0;
	return 0;
}

const struct opt publish_keep_opts[] = {
    {0, "maxlen", "[~]N", OPT_FN, 0,
	"keep the newest N messages; ~ trims cheaply, to N or some more", NULL,
	set_maxlen, 0},
    {0, "maxage", "[~]DUR", OPT_FN, 0, "keep the messages of this time", NULL,
	set_maxage, 0},
    {0, "ttl", "DUR", OPT_DUR, offsetof(struct publish_keep, ttl_ms),
	"drop the channel so long after its last message", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

/* ---- Limits ---- */

static void
limit(struct publish *p, struct str what, bool about, struct str threshold)
{
	publish_arg(p, what);
	publish_arg(p, about ? STR("~") : STR("="));
	publish_arg(p, threshold);
}

/* The smallest id that is to be kept. */
static struct str
oldest(const struct publish *p, char out[NUM_TEXT])
{
	int64_t now = (int64_t)(ev_now(p->loop) * 1000.);
	int64_t age = p->conf->keep.maxage_ms;

	return str_n(
	    out, num_format(out, now > age ? (uint64_t)(now - age) : 0));
}

/* XADD takes one limit only. */
void
publish_keep_args(struct publish *p, char text[NUM_TEXT])
{
	const struct publish_keep *k = &p->conf->keep;

	if (k->has_maxlen)
		limit(p, STR("MAXLEN"), k->maxlen_about,
		    str_n(text, num_format(text, k->maxlen)));
	else if (k->maxage_ms > 0)
		limit(p, STR("MINID"), k->maxage_about, oldest(p, text));
}

/* ---- After a batch ---- */

static bool
wants_xtrim(const struct publish_keep *k)
{
	return k->has_maxlen && k->maxage_ms > 0;
}

static bool
wants_expire(const struct publish_keep *k)
{
	return k->ttl_ms > 0 && k->ttl_ms != NUM_INF;
}

void
publish_keep_note(struct publish_stream *s)
{
	struct publish *p = s->owner;
	const struct publish_keep *k = &p->conf->keep;

	if (s->untrimmed || !(wants_xtrim(k) || wants_expire(k)))
		return;
	publish_stream_hold(s);
	s->untrimmed = true;
	s->next_untrimmed = p->untrimmed;
	p->untrimmed = s;
}

static struct publish_stream *
shift(struct publish *p)
{
	struct publish_stream *s = p->untrimmed;

	if (s != NULL) {
		p->untrimmed = s->next_untrimmed;
		s->untrimmed = false;
	}
	return s;
}

void
publish_keep_forget(struct publish *p)
{
	struct publish_stream *s;

	while ((s = shift(p)) != NULL)
		publish_stream_release(s);
}

static void
on_trimmed(void *arg, const struct redis_reply *rep)
{
	struct publish_stream *s = arg;
	struct publish *p = s->owner;
	struct str text = redis_text(rep);

	p->trimming--;
	if (rep == NULL)
		publish_keep_note(s);
	else if (redis_type(rep) == REDIS_ERROR)
		log_warn("%.*s: not trimmed: %.*s", (int)s->channel.n,
		    s->channel.p, (int)text.n, text.p);
	publish_stream_release(s);
	if (rep != NULL)
		publish_settle(p);
}

static void
end(struct publish *p, struct publish_stream *s)
{
	if (publish_command_end(p, on_trimmed, s, 0) != 0)
		return;
	publish_stream_hold(s);
	p->trimming++;
}

static void
trim(struct publish *p, struct publish_stream *s)
{
	const struct publish_keep *k = &p->conf->keep;
	char text[NUM_TEXT];

	if (wants_xtrim(k)) {
		publish_command(p, STR("XTRIM"), s->key);
		limit(p, STR("MINID"), k->maxage_about, oldest(p, text));
		end(p, s);
	}
	if (wants_expire(k)) {
		publish_command(p, STR("PEXPIRE"), s->key);
		publish_arg(
		    p, str_n(text, num_format(text, (uint64_t)k->ttl_ms)));
		end(p, s);
	}
}

void
publish_keep_trim(struct publish *p)
{
	struct publish_stream *s;

	while ((s = shift(p)) != NULL) {
		trim(p, s);
		publish_stream_release(s);
	}
}
