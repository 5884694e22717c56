/* Follow channels: the last messages, and then those that come. */

#include "app/reader_main.h"

#include <stddef.h>

struct tail {
	const char *cursor_file;
	bool exit_at_end;
};

static const struct opt opts[] = {
    {'e', "exit-at-end", NULL, OPT_FLAG, offsetof(struct tail, exit_at_end),
	"stop at the end as it is at the start", NULL, NULL, 0},
    {0, "cursor-file", "FILE", OPT_STR, offsetof(struct tail, cursor_file),
	"start after the cursor in FILE, if there is one; keep it there", NULL,
	NULL, 0},
    {0, NULL, NULL, OPT_FLAG, 0, NULL, NULL, NULL, 0},
};

static void
apply(const void *base, const struct tool *t, struct reader_use *use)
{
	const struct tail *tail = base;

	(void)t;
	use->end = tail->exit_at_end ? FEED_NOW : FEED_LIVE;
	use->cursor_file = tail->cursor_file;
}

int
main(int argc, char **argv)
{
	struct tail tail = {0};
	const struct reader_program program = {
	    .name = "chat-tail",
	    .synopsis = "chat-tail [OPTION]... CHANNEL...",
	    .about = "Print the last messages of channels, and then those "
		     "that come.",
	    .title = "Following",
	    .opts = opts,
	    .base = &tail,
	    .use = {.start = {FEED_LAST, 10, ID_MIN}},
	    .apply = apply,
	};

	return reader_main(&program, argc, argv);
}
