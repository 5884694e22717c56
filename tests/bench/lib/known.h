#ifndef BENCH_KNOWN_H
#define BENCH_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the last messages of a channel as one client has read them:
 * others compare them with theirs, which is cheaper than reading them again.
 * They begin with the line that holds the message and go on up to the same of
 * the next one.
 */
enum { KNOWN_MESSAGES = 512, KNOWN_BYTES = 488 };

struct known_message {
	uint64_t seq, sent;
	size_t n; /* 0: none */
	char bytes[KNOWN_BYTES];
};

struct known {
	struct known_message message[KNOWN_MESSAGES];
};

/* Message seq, if that is what n bytes at p begin with; else NULL. */
const struct known_message *known_find(
    const struct known *k, uint64_t seq, const char *p, size_t n);

void known_add(
    struct known *k, uint64_t seq, uint64_t sent, const char *p, size_t n);

#endif
