#include "io/listen.h"

#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
addresses(void)
{
	static const char *const good[] = {"80", "0", "65535", "127.0.0.1:80",
	    "localhost:80", "[::1]:80", "[::]:80", "/run/x", "/"};
	static const char *const bad[] = {"", ":", ":80", "x", "x:", "x:y",
	    "65536", "-1", "+80", "80 ", " 80", "0x50", "::1:80", "[]:80",
	    "[::1]", "[::1]80", "[::1:80", "a:b:80", "run/x",
	    "18446744073709551696"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ok(listen_is_address(good[i]), "address: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!listen_is_address(bad[i]), "no address: %s", bad[i]);
}

static void
long_address(size_t n, bool want)
{
	char text[1024];

	memset(text, 'a', n);
	strcpy(text + n, ":80");
	ok(listen_is_address(text) == want, "a host of %zu bytes", n);
}

static int
handed(const char *pid, const char *fds)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	return listen_handed();
}

static void
handed_over(void)
{
	char self[32];

	snprintf(self, sizeof(self), "%ld", (long)getpid());
	is_int(listen_handed(), 0, "nothing is handed over");
	is_int(handed(self, "1"), 1, "one socket");
	is_int(handed(self, "3"), 3, "three");
	is_int(handed("1", "1"), 0, "to another process");
	is_int(handed(self, ""), 0, "no number");
	is_int(handed(self, "-1"), 0, "a negative number");
	is_int(handed(self, "4294967297"), 0, "too large a number");
	unsetenv("LISTEN_PID");
	is_int(listen_handed(), 0, "to nobody");
}

int
main(void)
{
	static struct listen zeroed;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	listen_close(&zeroed);
	addresses();
	long_address(255, true);
	long_address(256, false);
	handed_over();
	return done();
}
