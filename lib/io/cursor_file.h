#ifndef IO_CURSOR_FILE_H
#define IO_CURSOR_FILE_H

#include "base/buf.h"
#include "base/str.h"

/* A file that holds the cursor after which to go on: one line. */

/*
 * 1: its text was appended to b, without the newline. 0: there is no such file,
 * or it is empty. -1 with errno.
 */
int cursor_file_read(const char *path, struct buf *b);

/*
 * Replace the file by one that holds the cursor: it is written beside it, as
 * PATH.new, and renamed into place, so that it always holds a whole one. 0, or
 * -1 with errno.
 */
int cursor_file_write(const char *path, struct str cursor);

#endif
