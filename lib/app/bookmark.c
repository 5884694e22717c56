#include "app/bookmark.h"

#include "io/cursor_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Enough for 1024 channels with the longest of keys and ids. */
enum { CURSOR_MAX = 64 << 10 };

int
bookmark_init(struct bookmark *b, const char *path, size_t max)
{
	memset(b, 0, sizeof(*b));
	b->path = path;
	b->parts = calloc(max, sizeof(struct cursor_part *));
	return b->parts == NULL ? -1 : 0;
}

void
bookmark_free(struct bookmark *b)
{
	free(b->parts);
}

void
bookmark_add(struct bookmark *b, struct cursor_part *part)
{
	b->parts[b->n++] = part;
}

static int
read_file(struct bookmark *b, struct buf *text)
{
	int found = cursor_file_read(b->path, text);

	if (found <= 0)
		return found;
	if (cursor_parse(buf_str(text), b->parts, b->n) == 0)
		return 0;
	errno = EINVAL;
	return -1;
}

int
bookmark_load(struct bookmark *b, struct str cursor)
{
	struct buf text;
	int failed;

	cursor_sort(b->parts, b->n);
	if (cursor.p != NULL)
		(void)cursor_parse(cursor, b->parts, b->n);
	if (b->path == NULL)
		return 0;
	buf_init(&text, CURSOR_MAX);
	failed = read_file(b, &text);
	buf_free(&text);
	return failed;
}

int
bookmark_save(struct bookmark *b)
{
	struct buf text;
	int failed;

	if (b->path == NULL || !b->moved)
		return 0;
	b->moved = false;
	buf_init(&text, CURSOR_MAX);
	cursor_format(&text, b->parts, b->n);
	failed = cursor_file_write(b->path, buf_str(&text));
	buf_free(&text);
	return failed;
}
