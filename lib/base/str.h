#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A borrowed run of bytes: not terminated, may hold NUL. p == NULL means
 * "absent", which is not the same as empty (p set, n == 0).
 */
struct str {
	const char *p;
	size_t n;
};

/* A view of a string literal. */
#define STR(lit) ((struct str){"" lit, sizeof(lit) - 1})

/* A view of a C string; NULL gives the absent view. */
struct str str_c(const char *s);

/* A view of n bytes at p. */
struct str str_n(const void *p, size_t n);

/* The absent view equals only itself. */
bool str_eq(struct str a, struct str b);
/* ASCII letters compare without case; nothing depends on the locale. */
bool str_ieq(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);

/* The index of byte c in s, or s.n when there is none. */
size_t str_find(struct str s, char c);

/* FNV-1a; of the bytes only: an absent view is as an empty one. */
uint64_t str_hash(struct str s);

/* s without its first n bytes (n <= s.n). */
struct str str_from(struct str s, size_t n);

/* s without leading and trailing spaces and tabs. */
struct str str_trim(struct str s);

/*
 * Cut s at the first byte c: what stands before it is returned, *rest is what
 * stands after it, or absent when c does not occur.
 */
struct str str_cut(struct str s, char c, struct str *rest);

/*
 * Does s match the glob pattern (`*`, `?`, `[a-z]`, `[^x]`, backslash quotes
 * the next byte), as Redis KEYS and PSUBSCRIBE match? Time is bounded by
 * s.n * pattern.n.
 */
bool str_glob(struct str pattern, struct str s);

#endif
