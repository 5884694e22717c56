#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H

#include "base/buf.h"
#include "base/hist.h"
#include "base/str.h"

/*
 * Metrics as text, in the exposition format of Prometheus, version 0.0.4. Names
 * are the caller's and taken as they are; texts and values may be any bytes.
 */

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

/* The lines `# HELP` and `# TYPE`, before all samples of that name. */
void metrics_family(
    struct buf *b, const char *name, enum metrics_type type, struct str help);

/* label may be NULL for none; number is decimal. */
void metrics_sample(struct buf *b, const char *name, const char *label,
    struct str value, struct str number);

/* All samples of a histogram, in seconds. */
void metrics_hist(struct buf *b, const char *name, const struct hist *h);

#endif
