/* MAP_ANONYMOUS. */
#define _DEFAULT_SOURCE

#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int points, failures;

bool
ok(bool cond, const char *fmt, ...)
{
	va_list ap;

	printf("%s %d - ", cond ? "ok" : "not ok", ++points);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failures += !cond;
	return cond;
}

static void
show(const char *what, struct str s)
{
	printf("# %s (%zu): ", what, s.n);
	for (size_t i = 0; i < s.n && i < 400; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c > 0x7e)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('\n');
}

bool
is_str(struct str got, struct str want, const char *name)
{
	bool same = got.n == want.n && (got.p == NULL) == (want.p == NULL) &&
	    (got.n == 0 || memcmp(got.p, want.p, got.n) == 0);

	ok(same, "%s", name);
	if (!same) {
		show(" got", got);
		show("want", want);
	}
	return same;
}

bool
is_int(long long got, long long want, const char *name)
{
	if (!ok(got == want, "%s", name)) {
		printf("#  got %lld\n# want %lld\n", got, want);
		return false;
	}
	return true;
}

int
done(void)
{
	printf("1..%d\n", points);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct str
flush_copy(struct str s)
{
	static char *end;
	static const size_t room = 16u << 20;

	if (end == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || mprotect(p + room, page, PROT_NONE) != 0)
			abort();
		end = p + room;
	}
	if (s.n >= room)
		abort();
	return (struct str){memcpy(end - s.n, s.p, s.n), s.n};
}
