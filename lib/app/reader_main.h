#ifndef APP_READER_MAIN_H
#define APP_READER_MAIN_H

#include "app/reader.h"

/* What one of the reading programs adds to what they share. */
struct reader_program {
	const char *name, *synopsis, *about;
	const char *title; /* of its own options */
	const struct opt *opts;
	void *base;
	struct reader_use use; /* as it is without options */
	/* What its own options say; may end the program by tool_usage. */
	void (*apply)(
	    const void *base, const struct tool *t, struct reader_use *use);
};

/* A whole program: the result is what main returns. */
int reader_main(const struct reader_program *p, int argc, char **argv);

#endif
