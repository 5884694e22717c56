#ifndef APP_POST_IMPL_H
#define APP_POST_IMPL_H

/* What the parts of app/post share, and nobody else. */

#include "app/post.h"

enum { POST_MID_MAX = 256 };

/* ---- post.c ---- */

/* What is answered to the end of a message; text is NULL when stored. */
struct post_outcome {
	int status;
	const char *text;
};

extern const struct post_outcome post_outcomes[];

/* The line that tells where m is: JSON. */
void post_add_receipt(struct buf *b, const struct post *p, const struct msg *m);

void post_count_stored(struct post *p, const struct publish_result *res);

/* May n messages be stored now? If not, the client is refused. */
bool post_may_store(struct post *p, uint64_t n);

/* Hand a message on; post_lines_result or the answer follows. 0 or -1. */
int post_hand_on(struct post *p, struct msg *m);

/* ---- post_type.c: what a body is as messages ---- */

struct post_type {
	const char *name;
	/*
	 * Turn the body into the payload, in place. NULL, or what is wrong with
	 * it (static text). Absent: each of its lines is a message.
	 */
	const char *(*read)(struct post *p);
};

/* By the fields of a request; NULL: none that is taken. */
const struct post_type *post_type_find(const struct http_request *req);

extern const char post_type_wanted[]; /* text for people */

/* ---- post_lines.c: many messages, a line each ---- */

/* The body is whole: store what is in it. */
void post_lines_store(struct post *p);

/* What became of the next one that was handed on. */
void post_lines_result(
    struct post *p, const struct msg *m, const struct publish_result *res);

void post_lines_free(struct post_lines *l);

#endif
