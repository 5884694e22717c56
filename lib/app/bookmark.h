#ifndef APP_BOOKMARK_H
#define APP_BOOKMARK_H

#include "wire/cursor.h"

/* Where a reader stands in its channels, kept in a file. */
struct bookmark {
	const char *path; /* NULL: there is no file */
	struct cursor_part **parts;
	size_t n;
	bool moved; /* since it was saved */
};

/* For at most max channels. path is borrowed. 0, or -1 out of memory. */
int bookmark_init(struct bookmark *b, const char *path, size_t max);
void bookmark_free(struct bookmark *b);

/* One more channel. part is borrowed, and moved by the caller. */
void bookmark_add(struct bookmark *b, struct cursor_part *part);

/*
 * Once, after all channels have been added: take the positions that the cursor
 * of several channels holds, unless it is absent, and then those that the file
 * holds, if there is one. 0, or -1 with errno; EINVAL: what the file holds is
 * no cursor of these channels.
 */
int bookmark_load(struct bookmark *b, struct str cursor);

/* Replace the file, if the bookmark has moved. 0, or -1 with errno. */
int bookmark_save(struct bookmark *b);

#endif
