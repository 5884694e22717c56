#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Growable bytes with a hard maximum. The first failure (maximum reached, out
 * of memory) sticks: later calls add nothing and return -1, so that a writer
 * may check `failed` once at its end. A zeroed struct may be freed; it must be
 * initialised before anything is added.
 */
struct buf {
	char *p;
	size_t n;   /* bytes held */
	size_t cap; /* bytes that fit, with one more for a NUL */
	size_t max; /* bytes that n may never pass */
	bool failed;
};

/* An empty buffer of at most max bytes; nothing is allocated yet. */
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);

/* As buf_free, for what held a secret: the memory is zeroed first. */
void buf_wipe(struct buf *b);

/*
 * The bytes, in no more memory than they need, for who will have them back in
 * the end; absent for none. The buffer is empty then.
 */
struct str buf_take(struct buf *b);
void buf_give_back(struct str taken);

/* Forget the bytes and the failure; keep the memory. */
void buf_clear(struct buf *b);

/* Forget the bytes and give back memory beyond keep bytes. */
void buf_shrink(struct buf *b, size_t keep);

/*
 * Append what lies outside of the buffer. All return 0, or -1 when the buffer
 * has failed.
 */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_adds(struct buf *b, struct str s);
int buf_addz(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addu(struct buf *b, uint64_t v);
int buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Room for at least n more bytes behind the held ones: the address, or NULL
 * when the buffer has failed. buf_used says how many of them were filled.
 */
char *buf_room(struct buf *b, size_t n);
void buf_used(struct buf *b, size_t n);

/* Remove the first n bytes (n <= b->n). */
void buf_drop(struct buf *b, size_t n);

/* Cut to the first n bytes (n <= b->n). */
void buf_cut(struct buf *b, size_t n);

/* The bytes held, never absent; valid until the buffer changes. */
struct str buf_str(const struct buf *b);

#endif
