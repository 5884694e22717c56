#include "app/position.h"
#include "app/reader.h"

#include <stddef.h>

struct replay {
	bool reverse, follow;
};

static const struct opt replay_opts[] = {
    {'r', "reverse", NULL, OPT_FLAG, offsetof(struct replay, reverse),
	"newest first", NULL, NULL, 0},
    {'f', "follow", NULL, OPT_FLAG, offsetof(struct replay, follow),
	"go on live after the end", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

int
main(int argc, char **argv)
{
	static struct replay replay;
	static struct position position;
	static struct reader_conf conf;
	static struct output_conf output;
	static struct reader reader;
	const struct opt_group groups[] = {
	    {"Position", position_opts, &position, false},
	    {"Order", replay_opts, &replay, false},
	    {"Limits", reader_opts, &conf, false},
	    {"Output", output_opts, &output, false},
	    {NULL, NULL, NULL, false},
	};
	struct tool tool = {
	    .name = "chat-replay",
	    .synopsis = "chat-replay [OPTION]... CHANNEL...",
	    .about = "Print the history of channels, merged in the order of "
		     "their ids.",
	    .groups = groups,
	};
	struct reader_use use = {
	    .start = {FEED_BEGINNING, 0, ID_MIN}, .ordered = true};
	struct buf err;
	int status;

	reader_conf_init(&conf);
	tool_start(&tool, argc, argv);
	buf_init(&err, 1024);
	if (position_read(
		&position, tool_now_ms(), &use.start, &use.until, &err) != 0)
		tool_usage(&tool, "%.*s", (int)err.n, err.p);
	if (replay.reverse && replay.follow)
		tool_usage(&tool, "-r goes without -f");
	use.end = FEED_NOW;
	use.reverse = replay.reverse;
	use.follow = replay.follow;
	reader_start(&reader, &tool, &conf, &output, &use);
	status = tool_run(&tool);
	reader_free(&reader);
	position_free(&position);
	opt_list_free(&conf.types);
	buf_free(&err);
	tool_end(&tool);
	return status;
}
