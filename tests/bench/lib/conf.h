#ifndef BENCH_CONF_H
#define BENCH_CONF_H

#include <stdbool.h>
#include <stdint.h>

/* What load is asked for; --help tells each. */
struct conf {
	uint64_t port, clients, channels, size, rate, window, maxlen;
	uint64_t stuck, herd, back, prefill, server, redis;
	int64_t run_ms, warm_ms, settle_ms, limit_ms;
	const char *path, *xadd, *post, *pipe, *key, *field;
	bool help;
};

/* Defaults and the command line. Does not return for --help and errors. */
void conf_read(struct conf *c, int argc, char **argv);

#endif
