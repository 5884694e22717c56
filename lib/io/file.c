#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int
file_read(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;
	ssize_t n;
	char *p;

	if (fd < 0)
		return -1;
	do {
		p = buf_room(b, FILE_PIECE);
		n = p != NULL ? read(fd, p, FILE_PIECE) : -1;
		if (n > 0)
			buf_used(b, (size_t)n);
	} while (n > 0 || (n < 0 && p != NULL && errno == EINTR));
	err = p != NULL ? errno : EFBIG;
	close(fd);
	errno = err;
	return n < 0 ? -1 : 0;
}
