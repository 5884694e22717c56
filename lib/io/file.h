#ifndef IO_FILE_H
#define IO_FILE_H

#include "base/buf.h"

/* Read up to this much beyond the last byte: room that a buffer has to have. */
enum { FILE_PIECE = 4096 };

/*
 * Append the whole of a file. 0, or -1 with errno, EFBIG where the buffer is
 * too small.
 */
int file_read(struct buf *b, const char *path);

#endif
