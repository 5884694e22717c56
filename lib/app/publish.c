#include "app/publish.h"

#include "app/publish_impl.h"

#include <string.h>

enum {
	BACKOFF_BASE_MS = 100,
	BACKOFF_CAP_MS = 2000,
};

/* More fields than a message can have. */
#define ARGS_MAX ((size_t)1 << 30)

/* When there was no memory to send. */
#define AGAIN_S 0.1

/* ---- Giving up ---- */

static void
fail(struct publish *p, enum redis_trouble trouble, const char *why)
{
	struct publish_queue *q = &p->queue;
	struct publish_msg *pm;

	for (pm = q->head; pm != NULL; pm = pm->next)
		if (pm->state != PUBLISH_SETTLED)
			publish_queue_given_up(q, pm,
			    pm->state == PUBLISH_LOST ? PUBLISH_UNSURE
						      : PUBLISH_FAILED,
			    trouble, str_c(why));
	p->unsent = NULL;
	publish_keep_forget(p);
	p->refused = REDIS_FINE;
	p->trouble_since = 0.;
	publish_settle(p);
}

/*
 * Seconds left of this trouble, which began when the first write after the
 * last one that was stored failed.
 */
static double
patience(struct publish *p)
{
	int64_t retry_ms = p->conf->redis->retry_ms;
	ev_tstamp now = ev_now(p->loop);

	if (p->trouble_since == 0.)
		p->trouble_since = now;
	return (double)retry_ms / 1000. - (now - p->trouble_since);
}

/* ---- Writes refused: try again ---- */

static void
tell(struct publish *p, const char *why)
{
	if (!p->told && p->events->trouble != NULL)
		p->events->trouble(p->arg, why);
	p->told = true;
}

static void
on_retry(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct publish *p = w->data;

	(void)loop;
	(void)revents;
	if (p->refused != REDIS_FULL) {
		/* Another server may have become the master. */
		redis_restart(&p->redis, p->why);
		return;
	}
	p->refused = REDIS_FINE;
	publish_pump(p);
}

static void
back_off(struct publish *p)
{
	double left, delay;

	if (ev_is_active(&p->retry))
		return;
	left = patience(p);
	if (left <= 0.) {
		fail(p, p->refused, p->why);
		return;
	}
	delay = backoff_next(&p->backoff) / 1000.;
	tell(p, p->why);
	ev_timer_set(&p->retry, delay < left ? delay : left, 0.);
	ev_timer_start(p->loop, &p->retry);
}

/* ---- The pump ---- */

static void
flush_in(struct publish *p, double seconds)
{
	if (ev_is_active(&p->flush))
		return;
	ev_timer_set(&p->flush, seconds, 0.);
	ev_timer_start(p->loop, &p->flush);
}

static bool
may_send(const struct publish *p)
{
	return p->redis.state == REDIS_READY && !p->recovering &&
	    p->refused == REDIS_FINE;
}

/*
 * Messages wait for others only while Redis has something to do. Half a batch
 * does not wait: the other half is on its way meanwhile.
 */
static bool
due(const struct publish *p)
{
	const struct publish_queue *q = &p->queue;

	return may_send(p) &&
	    (q->n[PUBLISH_SENT] == 0 || p->conf->linger_ms == 0 ||
		2 * q->n[PUBLISH_UNSENT] >= p->conf->batch ||
		q->bytes >= p->conf->batch_bytes);
}

static void
ask_floors(struct publish *p, struct publish_msg *pm)
{
	for (; pm != NULL; pm = pm->next)
		if (publish_command_floor(p, pm->stream) != 0)
			flush_in(p, AGAIN_S);
}

/* Send what is unsent, up to the first whose stream's floor is unknown. */
void
publish_pump(struct publish *p)
{
	struct publish_msg *pm;

	if (!may_send(p))
		return;
	ev_timer_stop(p->loop, &p->flush);
	p->writer = p->redis.client_id;
	for (pm = p->unsent; pm != NULL; pm = pm->next) {
		if (pm->state != PUBLISH_UNSENT)
			continue;
		if (!pm->stream->known) {
			ask_floors(p, pm);
			break;
		}
		if (publish_command_add(p, pm) != 0) {
			flush_in(p, AGAIN_S);
			break;
		}
	}
	p->unsent = pm;
	publish_keep_trim(p);
}

static void
on_flush(struct ev_loop *loop, struct ev_timer *w, int revents)
{
	struct publish *p = w->data;

	(void)loop;
	(void)revents;
	if (p->redis.state == REDIS_CLOSED && publish_queue_open(&p->queue) > 0)
		redis_open(&p->redis);
	else
		publish_pump(p);
}

static void
report(struct publish *p)
{
	struct publish_msg *pm;

	while ((pm = publish_queue_shift(&p->queue)) != NULL) {
		if (pm->fn != NULL)
			pm->fn(pm->arg, &pm->m, &pm->result);
		publish_msg_free(pm);
	}
}

static bool
has_room(const struct publish *p, size_t part)
{
	return publish_queue_len(&p->queue) <
	    (p->conf->batch + part - 1) / part &&
	    p->queue.bytes < p->conf->batch_bytes / part;
}

/* Something has become known of a message: draw the conclusions. */
void
publish_settle(struct publish *p)
{
	report(p);
	if (p->refused != REDIS_FINE && p->queue.n[PUBLISH_SENT] == 0)
		back_off(p);
	else if (due(p))
		publish_pump(p);
	if (p->full && has_room(p, 2)) {
		p->full = false;
		if (p->events->room != NULL)
			p->events->room(p->arg);
	}
	if (p->busy && p->queue.head == NULL && p->trimming == 0 &&
	    p->untrimmed == NULL) {
		p->busy = false;
		if (p->events->idle != NULL)
			p->events->idle(p->arg);
	}
}

/* ---- The connection ---- */

static void
resume(struct publish *p)
{
	p->recovering = false;
	p->unsent = p->queue.head;
	publish_pump(p);
	publish_settle(p);
}

static void
on_ready(void *arg)
{
	struct publish *p = arg;

	p->recovering = p->queue.n[PUBLISH_LOST] > 0;
	if (p->recovering)
		publish_readback(p, resume);
	else
		resume(p);
}

static void
on_lost(void *arg, const char *why)
{
	struct publish *p = arg;

	ev_timer_stop(p->loop, &p->retry);
	ev_timer_stop(p->loop, &p->flush);
	p->refused = REDIS_FINE;
	p->recovering = false;
	if (!p->busy) {
		redis_close(&p->redis);
	} else if (patience(p) > 0.) {
		tell(p, why);
	} else {
		redis_close(&p->redis);
		fail(p, REDIS_LOST, why);
	}
}

static void
on_failed(void *arg, enum redis_trouble trouble, const char *why)
{
	struct publish *p = arg;

	ev_timer_stop(p->loop, &p->retry);
	fail(p, trouble, why);
}

static const struct redis_events redis_events = {
    on_ready, on_lost, on_failed, NULL};

/* ---- What others call ---- */

void
publish_init(struct publish *p, struct ev_loop *loop,
    const struct publish_conf *conf, const struct publish_events *events,
    void *arg)
{
	memset(p, 0, sizeof(*p));
	p->loop = loop;
	p->conf = conf;
	p->events = events;
	p->arg = arg;
	redis_init(&p->redis, loop, conf->redis, &redis_events, p, true);
	publish_queue_init(&p->queue, p);
	buf_init(&p->args, ARGS_MAX);
	backoff_init(&p->backoff, BACKOFF_BASE_MS, BACKOFF_CAP_MS,
	    (uint64_t)(ev_now(loop) * 1e6));
	ev_timer_init(&p->flush, on_flush, 0., 0.);
	ev_timer_init(&p->retry, on_retry, 0., 0.);
	p->flush.data = p->retry.data = p;
}

void
publish_free(struct publish *p)
{
	if (p->loop == NULL)
		return;
	redis_close(&p->redis);
	ev_timer_stop(p->loop, &p->flush);
	ev_timer_stop(p->loop, &p->retry);
	publish_keep_forget(p);
	publish_queue_free(&p->queue);
	buf_free(&p->args);
	p->loop = NULL;
}

/* once is taken over. */
static int
add(struct publish *p, const struct msg *m, struct str once, publish_fn *fn,
    void *arg)
{
	struct publish_msg *pm =
	    publish_queue_add(&p->queue, p->conf->prefix, p->conf->field, m);

	if (pm == NULL) {
		buf_give_back(once);
		return -1;
	}
	pm->once = once;
	pm->fn = fn;
	pm->arg = arg;
	p->busy = true;
	if (p->unsent == NULL)
		p->unsent = pm;
	p->full = p->full || !has_room(p, 1);
	if (p->redis.state == REDIS_CLOSED) {
		/* Not here: it may fail at once, with a publish_fn. */
		flush_in(p, 0.);
	} else if (due(p)) {
		publish_pump(p);
	} else if (may_send(p)) {
		flush_in(p, (double)p->conf->linger_ms / 1000.);
	}
	return p->full ? 1 : 0;
}

int
publish_add(struct publish *p, const struct msg *m, publish_fn *fn, void *arg)
{
	return add(p, m, str_c(NULL), fn, arg);
}

/* Outside of what begins with the prefix, where the streams are. */
static struct str
once_key(const struct publish *p, const struct msg *m, struct str key)
{
	struct buf b;

	buf_init(&b, ARGS_MAX);
	buf_addz(&b, "once:");
	buf_adds(&b, p->conf->prefix);
	buf_adds(&b, m->channel);
	buf_addc(&b, ':');
	buf_adds(&b, key);
	if (b.failed)
		buf_free(&b);
	return buf_take(&b);
}

int
publish_add_once(struct publish *p, const struct msg *m, struct str key,
    publish_fn *fn, void *arg)
{
	struct str once = once_key(p, m, key);

	return once.p != NULL ? add(p, m, once, fn, arg) : -1;
}

void
publish_flush(struct publish *p)
{
	publish_pump(p);
}

void
publish_forget(struct publish *p, const void *arg)
{
	struct publish_msg *pm;

	for (pm = p->queue.head; pm != NULL; pm = pm->next)
		if (pm->arg == arg)
			pm->fn = NULL;
}

size_t
publish_pending(const struct publish *p)
{
	return publish_queue_len(&p->queue);
}
