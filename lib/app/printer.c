#include "app/printer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* More than a batch of the largest messages becomes in any format. */
#define PAGE_MAX ((size_t)8 << 30)

enum { KEEP = 256 << 10 };

static void
on_flush(struct ev_loop *loop, struct ev_prepare *w, int revents)
{
	struct printer *p = w->data;
	int verdict;

	(void)loop;
	(void)revents;
	if (p->page.n == 0 || p->blocked)
		return;
	verdict = conn_write(&p->out, buf_str(&p->page));
	buf_shrink(&p->page, KEEP);
	p->blocked = verdict > 0;
	if (verdict < 0)
		tool_stop_output(p->tool, errno);
	else if (verdict == 0)
		p->written(p->arg);
}

static void
on_drained(void *arg)
{
	struct printer *p = arg;

	p->blocked = false;
	p->written(p->arg);
}

static void
on_gone(void *arg, int err)
{
	struct printer *p = arg;

	tool_stop_output(p->tool, err);
}

void
printer_init(struct printer *p, struct tool *t, const struct output_conf *conf,
    void (*written)(void *arg), void *arg)
{
	static const struct conn_events events = {NULL, on_drained, on_gone};
	struct buf err;

	memset(p, 0, sizeof(*p));
	p->tool = t;
	p->written = written;
	p->arg = arg;
	buf_init(&err, 1024);
	if (output_init(&p->output, conf, isatty(1), &err) != 0)
		tool_usage(t, "%.*s", (int)err.n, err.p);
	buf_free(&err);
	buf_init(&p->page, PAGE_MAX);
	conn_init(&p->out, t->loop, -1, 1, PAGE_MAX, &events, p);
	conn_watch_gone(&p->out);
	ev_prepare_init(&p->flush, on_flush);
	p->flush.data = p;
	ev_prepare_start(t->loop, &p->flush);
}

void
printer_free(struct printer *p)
{
	if (p->tool == NULL)
		return;
	ev_prepare_stop(p->tool->loop, &p->flush);
	conn_free(&p->out);
	output_free(&p->output);
	buf_free(&p->page);
}

void
printer_add(struct printer *p, const struct msg *m)
{
	output_add(&p->output, &p->page, m);
}

bool
printer_busy(const struct printer *p)
{
	return p->page.n > 0 || conn_is_full(&p->out);
}
