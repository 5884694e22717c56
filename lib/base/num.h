#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* A duration without end. */
#define NUM_INF INT64_MAX

/* Room for any number or time that is formatted here, with its NUL. */
#define NUM_TEXT 32

/*
 * Strict readers: the whole of s must be the number. No sign (unless said),
 * no spaces, no locale. Return 0, or -1 when s is not one or does not fit.
 */

/* Decimal digits; leading zeros are taken. */
int num_u64(struct str s, uint64_t *v);

/* 1 to 16 hexadecimal digits of either case (an HTTP chunk size). */
int num_hex(struct str s, uint64_t *v);

/*
 * DUR: `10`, `1.5`, `5s` (seconds), `500ms`, `5m`, `2h`, `3d`, `0`, `inf`
 * -> milliseconds, NUM_INF for inf. A fraction finer than 1 ms is cut off.
 */
int num_duration(struct str s, int64_t *ms);

/* SIZE: `1000`, `64k`, `1M`, `2G` (powers of 1024, either case) -> bytes. */
int num_size(struct str s, uint64_t *bytes);

/*
 * RATE: `5`, `5/s` (the same), `100/m`, `1000/h` -> 1 to 1 000 000, and the
 * milliseconds in which so many are.
 */
int num_rate(struct str s, uint64_t *n, int64_t *per_ms);

/*
 * TIME: `now`, a DUR ago `-2h`, epoch seconds (`1756735200`, `1756735200.5`)
 * or milliseconds (12 digits and more), RFC 3339 (`2026-09-01`,
 * `2026-09-01T10:00:00.5Z`, `2026-09-01T10:00:00+02:00`; T may be a space;
 * without a zone UTC; no leap second) -> Unix time in ms. now_ms is the time
 * of the call.
 */
int num_time(struct str s, int64_t now_ms, int64_t *ms);

/* v in decimal, NUL-terminated; its length. */
size_t num_format(char out[NUM_TEXT], uint64_t v);

/* Thousandths: 1500 -> `1.5`, 2000 -> `2`; its length. */
size_t num_format_milli(char out[NUM_TEXT], uint64_t v);

/* Times outside of the years 0000 to 9999 are shown as the nearest inside. */

/* Unix ms -> `2026-09-01T10:00:00.123Z` (24 bytes); its length. */
size_t num_format_iso(char out[NUM_TEXT], int64_t ms);

/* Unix s -> `Tue, 01 Sep 2026 10:00:00 GMT` (IMF-fixdate, RFC 9110 5.6.7). */
size_t num_format_http(char out[NUM_TEXT], int64_t s);

#endif
