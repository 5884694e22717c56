/* Print the history of channels. */

#include "app/reader_main.h"

#include <stddef.h>

struct replay {
	bool reverse, follow;
};

static const struct opt opts[] = {
    {'r', "reverse", NULL, OPT_FLAG, offsetof(struct replay, reverse),
	"newest first", NULL, NULL, 0},
    {'f', "follow", NULL, OPT_FLAG, offsetof(struct replay, follow),
	"go on live after the end", NULL, NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static void
apply(const void *base, const struct tool *t, struct reader_use *use)
{
	const struct replay *replay = base;

	if (replay->reverse && replay->follow)
		tool_usage(t, "-r goes without -f");
	use->reverse = replay->reverse;
	use->follow = replay->follow;
}

int
main(int argc, char **argv)
{
	struct replay replay = {0};
	const struct reader_program program = {
	    .name = "chat-replay",
	    .synopsis = "chat-replay [OPTION]... CHANNEL...",
	    .about = "Print the history of channels, merged in the order of "
		     "their ids.",
	    .title = "Order",
	    .opts = opts,
	    .base = &replay,
	    .use = {.start = {FEED_BEGINNING, 0, ID_MIN},
		.end = FEED_NOW,
		.ordered = true},
	    .apply = apply,
	};

	return reader_main(&program, argc, argv);
}
