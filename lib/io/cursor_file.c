#include "io/cursor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

int
cursor_file_read(const char *path, struct id *id)
{
	char text[ID_TEXT + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct str s;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0)
		return (int)n;
	s = str_n(text, (size_t)n);
	if (s.p[s.n - 1] == '\n')
		s.n--;
	if (id_parse(s, id) == 0)
		return 1;
	errno = EINVAL;
	return -1;
}

int
cursor_file_write(const char *path, struct id id)
{
	char text[ID_TEXT + 1], beside[PATH_BYTES];
	size_t n = id_format(text, id);
	int fd, written;

	text[n++] = '\n';
	if (snprintf(beside, sizeof(beside), "%s.new", path) >=
	    (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return -1;
	written = write(fd, text, n) == (ssize_t)n;
	if (close(fd) != 0 || !written)
		return -1;
	return rename(beside, path);
}
