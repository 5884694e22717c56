#include "app/outbox.h"

#include <errno.h>
#include <string.h>

enum {
	ITEMS_MAX = 64 << 20,
	/* More than that does not wait for the end of the turn. */
	FLUSH_BYTES = 1 << 20,
};

static struct outbox_item *
items(const struct outbox *o)
{
	return (struct outbox_item *)(void *)o->items.p;
}

static size_t
nitems(const struct outbox *o)
{
	return o->items.n / sizeof(struct outbox_item);
}

static void
write_some(struct outbox *o, const struct outbox_item *item, size_t n)
{
	struct burst_write w[BURST_MAX];

	for (size_t i = 0; i < n; i++)
		w[i] = (struct burst_write){&item[i].client->conn,
		    frame_batch_bytes(&o->frames, &item[i].slice), 0, 0};
	burst_write(&o->burst, w, n);
	for (size_t i = 0; i < n; i++) {
		errno = w[i].error;
		item[i].sent(item[i].arg, &item[i].slice,
		    client_sent(item[i].client, w[i].done));
	}
}

void
outbox_flush(struct outbox *o)
{
	size_t n = nitems(o);

	for (size_t i = 0, k; i < n; i += k) {
		k = n - i < BURST_MAX ? n - i : BURST_MAX;
		write_some(o, items(o) + i, k);
	}
	buf_shrink(&o->items, o->keep);
	frame_batch_clear(&o->frames, o->keep);
	ev_prepare_stop(o->loop, &o->turn);
}

static void
on_turn(struct ev_loop *loop, struct ev_prepare *w, int revents)
{
	(void)loop;
	(void)revents;
	outbox_flush(w->data);
}

int
outbox_format(struct outbox *o, uint64_t serial, const struct frame_look *look,
    const struct msg *m, size_t n, struct frame_slice *slice)
{
	struct frame_batch *f = &o->frames;

	if (f->bytes.n > FLUSH_BYTES && !frame_batch_has(f, serial, look, m, n))
		outbox_flush(o);
	*slice = frame_batch_add(f, serial, look, m, n);
	ev_feed_event(o->loop, &o->turn, EV_CUSTOM);
	if (!f->bytes.failed && !f->marks.failed)
		return 0;
	outbox_flush(o);
	return -1;
}

int
outbox_add(struct outbox *o, const struct outbox_item *item)
{
	return buf_add(&o->items, item, sizeof(*item));
}

void
outbox_init(struct outbox *o, struct ev_loop *loop, size_t keep)
{
	memset(o, 0, sizeof(*o));
	o->loop = loop;
	o->keep = keep;
	frame_batch_init(&o->frames);
	buf_init(&o->items, ITEMS_MAX);
	ev_prepare_init(&o->turn, on_turn);
	/*
	 * After what Redis can work at meanwhile. A read that waits for more is
	 * sent after us: what comes while we write is in its answer, too, and
	 * fewer and larger writes carry it.
	 */
	ev_set_priority(&o->turn, EV_MINPRI);
	o->turn.data = o;
}

void
outbox_free(struct outbox *o)
{
	if (o->loop == NULL)
		return;
	ev_prepare_stop(o->loop, &o->turn);
	frame_batch_free(&o->frames);
	buf_free(&o->items);
	burst_free(&o->burst);
}
