#include "io/cursor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, TEXT_MAX = 64 << 10 };

int
cursor_file_read(const char *path, struct buf *b)
{
	char *text = buf_room(b, TEXT_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	n = text == NULL ? -1 : read(fd, text, TEXT_MAX);
	close(fd);
	if (n <= 0)
		return (int)n;
	buf_used(b, (size_t)n - (text[n - 1] == '\n'));
	return 1;
}

int
cursor_file_write(const char *path, struct str cursor)
{
	char beside[PATH_BYTES];
	int fd, written;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >=
	    (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	written = dprintf(fd, "%.*s\n", (int)cursor.n, cursor.p);
	if (close(fd) != 0 || written < 0)
		return -1;
	return rename(beside, path);
}
