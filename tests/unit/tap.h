#ifndef TAP_H
#define TAP_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* Unit tests print TAP. Every function below is one or more test points. */

/* One point; fmt names it. Returns cond. */
bool ok(bool cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The bytes are equal; prints both if not. */
bool is_str(struct str got, struct str want, const char *name);
bool is_int(long long got, long long want, const char *name);

/* Print the plan; the exit status of the test program. */
int done(void);

/*
 * A copy of s that ends flush against a page that cannot be read, so that one
 * byte read too far is a crash. Valid until the next call; s.n < 16 MiB.
 */
struct str flush_copy(struct str s);

#endif
