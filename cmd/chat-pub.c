#include "app/sender.h"

int
main(int argc, char **argv)
{
	static struct sender_conf conf;
	static struct compose_conf compose;
	static struct sender sender;
	const struct opt_group groups[] = {
	    {"Input", sender_input_opts, &conf, false},
	    {"Messages", compose_opts, &compose, false},
	    {"Channels", publish_keep_opts, &conf.keep, false},
	    {"Sending", sender_opts, &conf, false},
	    {NULL, NULL, NULL, false},
	};
	struct tool tool = {
	    .name = "chat-pub",
	    .synopsis = "chat-pub [OPTION]... CHANNEL MESSAGE...\n"
			"chat-pub [OPTION]... CHANNEL <lines\n"
			"chat-pub -j [OPTION]... [CHANNEL] <ndjson",
	    .about = "Publish messages: the operands, or the lines of "
		     "standard input.",
	    .groups = groups,
	};
	int status;

	sender_conf_init(&conf);
	compose_conf_init(&compose);
	tool_start(&tool, argc, argv);
	sender_start(&sender, &tool, &conf, &compose);
	status = tool_run(&tool);
	sender_free(&sender);
	compose_conf_free(&compose);
	tool_end(&tool);
	return status;
}
