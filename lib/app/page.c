#include "app/page.h"

#include "base/log.h"
#include "io/file.h"

#include <errno.h>
#include <string.h>

enum { PAGE_MAX = 2 << 20 };

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
	if (file_read(&text, path) == 0) {
		client_answer(c,
		    &(struct client_answer){200, "text/html; charset=utf-8",
			buf_str(&text), fields});
	} else {
		log_error("%s: %s", path, strerror(errno));
		client_refuse(c, 500, "the page cannot be read");
	}
	buf_free(&text);
}
