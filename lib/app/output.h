#ifndef APP_OUTPUT_H
#define APP_OUTPUT_H

#include "base/opt.h"
#include "wire/format.h"

/*
 * How a reader prints a message: -j, -0, -D, -K, -F, --escape.
 */
struct output_conf {
	bool json, null;
	const char *delimiter, *key_delimiter, *format;
	int escape; /* auto, always, never */
};

extern const struct opt output_opts[];

struct output {
	struct format format;
	struct buf delimiter, scratch;
	bool escape;
	uint64_t nr; /* messages so far */
};

/*
 * terminal: the output is one. 0, or -1 and a reason in err (a usage error).
 */
int output_init(struct output *o, const struct output_conf *c, bool terminal,
    struct buf *err);
void output_free(struct output *o);

/* Append m as it is to be printed, with its delimiter. */
void output_add(struct output *o, struct buf *b, const struct msg *m);

#endif
