#ifndef WIRE_ID_H
#define WIRE_ID_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* A Redis stream entry id, MS-SEQ. 0-0 is before every entry. */
struct id {
	uint64_t ms, seq;
};

#define ID_MIN ((struct id){0, 0})
#define ID_MAX ((struct id){UINT64_MAX, UINT64_MAX})

/* Room for the longest id (two 20-digit numbers) and its NUL. */
#define ID_TEXT 42

/*
 * Strict: `digits-digits` without sign, space or needless leading zero; both
 * must fit 64 bits. Redis itself takes odder forms (`+5-6`). 0 or -1.
 */
int id_parse(struct str s, struct id *id);

/* As id_parse, or `digits` alone, whose sequence number becomes seq. */
int id_parse_short(struct str s, uint64_t seq, struct id *id);

/* NUL-terminated; its length. */
size_t id_format(char out[ID_TEXT], struct id id);

/* <0, 0, >0 */
int id_cmp(struct id a, struct id b);
bool id_eq(struct id a, struct id b);

/* The next and the previous possible id; ID_MAX and ID_MIN stay as they are. */
struct id id_next(struct id id);
struct id id_prev(struct id id);

#endif
