#include "app/reader_main.h"

#include "app/position.h"

struct program {
	struct tool tool;
	struct position position;
	struct reader_conf conf;
	struct output_conf output;
	struct reader reader;
};

static void
read_position(struct program *p, struct reader_use *use)
{
	struct buf err;

	buf_init(&err, 1024);
	if (position_read(&p->position, tool_now_ms(), &use->start, &use->until,
		&use->cursor, &err) != 0)
		tool_usage(&p->tool, "%.*s", (int)err.n, err.p);
	buf_free(&err);
}

int
reader_main(const struct reader_program *rp, int argc, char **argv)
{
	struct program p = {.tool = {.name = rp->name,
				.synopsis = rp->synopsis,
				.about = rp->about}};
	const struct opt_group groups[] = {
	    {"Position", position_opts, &p.position, false},
	    {rp->title, rp->opts, rp->base, false},
	    {"Limits", reader_opts, &p.conf, false},
	    {"Output", output_opts, &p.output, false},
	    {NULL, NULL, NULL, false},
	};
	struct reader_use use = rp->use;

	p.tool.groups = groups;
	reader_conf_init(&p.conf);
	tool_start(&p.tool, argc, argv);
	read_position(&p, &use);
	rp->apply(rp->base, &p.tool, &use);
	reader_start(&p.reader, &p.tool, &p.conf, &p.output, &use);
	tool_run(&p.tool);
	reader_free(&p.reader);
	position_free(&p.position);
	opt_list_free(&p.conf.types);
	return tool_end(&p.tool);
}
