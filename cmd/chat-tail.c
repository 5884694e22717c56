#include "app/position.h"
#include "app/reader.h"

#include <stddef.h>

struct tail {
	const char *cursor_file;
	bool exit_at_end;
};

static const struct opt tail_opts[] = {
    {'e', "exit-at-end", NULL, OPT_FLAG, offsetof(struct tail, exit_at_end),
	"stop at the end as it is at the start", NULL, NULL, 0},
    {0, "cursor-file", "FILE", OPT_STR, offsetof(struct tail, cursor_file),
	"start after the id in FILE, if there is one, and keep it there", NULL,
	NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

int
main(int argc, char **argv)
{
	static struct tail tail;
	static struct position position;
	static struct reader_conf conf;
	static struct output_conf output;
	static struct reader reader;
	const struct opt_group groups[] = {
	    {"Position", position_opts, &position, false},
	    {"Following", tail_opts, &tail, false},
	    {"Limits", reader_opts, &conf, false},
	    {"Output", output_opts, &output, false},
	    {NULL, NULL, NULL, false},
	};
	struct tool tool = {
	    .name = "chat-tail",
	    .synopsis = "chat-tail [OPTION]... CHANNEL...",
	    .about = "Print the last messages of channels, and then those "
		     "that come.",
	    .groups = groups,
	};
	struct reader_use use = {.start = {FEED_LAST, 10, ID_MIN}};
	struct buf err;
	int status;

	reader_conf_init(&conf);
	tool_start(&tool, argc, argv);
	buf_init(&err, 1024);
	if (position_read(
		&position, tool_now_ms(), &use.start, &use.until, &err) != 0)
		tool_usage(&tool, "%.*s", (int)err.n, err.p);
	use.end = tail.exit_at_end ? FEED_NOW : FEED_LIVE;
	use.cursor_file = tail.cursor_file;
	reader_start(&reader, &tool, &conf, &output, &use);
	status = tool_run(&tool);
	reader_free(&reader);
	position_free(&position);
	opt_list_free(&conf.types);
	buf_free(&err);
	tool_end(&tool);
	return status;
}
