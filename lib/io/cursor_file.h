#ifndef IO_CURSOR_FILE_H
#define IO_CURSOR_FILE_H

#include "wire/id.h"

/* A file that holds the id after which to go on: one line. */

/*
 * 1: *id was read. 0: there is no such file, or it is empty. -1 with errno;
 * EINVAL: what it holds is no id.
 */
int cursor_file_read(const char *path, struct id *id);

/*
 * Replace the file by one that holds id: it is written beside it, as PATH.new,
 * and renamed into place, so that it always holds a whole cursor. 0, or -1
 * with errno.
 */
int cursor_file_write(const char *path, struct id id);

#endif
