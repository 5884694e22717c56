#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <stddef.h>

enum { TARGET_BYTES = 256 };

/* A key or path with the channel's number in place of its `%`; its length. */
size_t target_format(
    char out[TARGET_BYTES], const char *pattern, size_t channel);

#endif
