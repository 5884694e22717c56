#include "app/page.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_MAX = 2 << 20, PIECE = 16 << 10 };

/* Append the whole of a file. 0, or -1 with errno. */
static int
read_file(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	do {
		char *p = buf_room(b, PIECE);
		if (p == NULL) {
			errno = EFBIG;
			n = -1;
			break;
		}
		n = read(fd, p, PIECE);
		if (n > 0)
			buf_used(b, (size_t)n);
	} while (n > 0);
	close(fd);
	return n < 0 ? -1 : 0;
}

/*
 * no-cache: it may be kept, but is asked for again. The page brings its own
 * content security policy; a frame around it is the one thing that only a
 * header can refuse.
 */
static const struct client_field fields[] = {
    {"Cache-Control", {"no-cache", 8}},
    {"Content-Security-Policy", {"frame-ancestors 'none'", 22}},
    {"X-Frame-Options", {"DENY", 4}},
    {"Referrer-Policy", {"no-referrer", 11}},
    {"Cross-Origin-Opener-Policy", {"same-origin", 11}},
    {NULL, {NULL, 0}},
};

void
page_answer(struct client *c, const char *path)
{
	struct buf text;

	buf_init(&text, PAGE_MAX);
	if (read_file(&text, path) == 0) {
		client_answer(c,
		    &(struct client_answer){200, "text/html; charset=utf-8",
			buf_str(&text), fields});
	} else {
		log_error("%s: %s", path, strerror(errno));
		client_refuse(c, 500, "the page cannot be read");
	}
	buf_free(&text);
}
