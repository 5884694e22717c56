#include "base/log.h"

#include "tap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The other end of fd 2: one datagram is one write(2). */
static int reader = -1;

static char line[65536];

static void
catch_stderr(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0 ||
	    dup2(fds[0], STDERR_FILENO) < 0)
		abort();
	close(fds[0]);
	close(reader);
	reader = fds[1];
}

/* What the next write to fd 2 held; absent if there was none. */
static struct str
next_write(void)
{
	ssize_t n = recv(reader, line, sizeof(line), MSG_DONTWAIT);

	return n < 0 ? str_c(NULL) : str_n(line, (size_t)n);
}

static void
test_levels(void)
{
	is_int(log_get_level(), LOG_LEVEL_WARN, "the level at first");
	log_error("early %d", 1);
	is_str(next_write(), STR("error: early 1\n"), "before log_init");
	log_init("chat-x", LOG_TO_STDERR);
	log_error("connect %s: %s", "redis:6379", "Connection refused");
	is_str(next_write(),
	    STR("chat-x: error: connect redis:6379: Connection refused\n"),
	    "an error");
	log_warn("w");
	is_str(next_write(), STR("chat-x: warn: w\n"), "a warning");
	log_info("i");
	log_debug("d");
	is_str(next_write(), str_c(NULL), "the others are quiet");
	log_set_level(LOG_LEVEL_DEBUG);
	log_info("i");
	is_str(next_write(), STR("chat-x: i\n"), "information has no label");
	log_debug("d");
	is_str(next_write(), STR("chat-x: debug: d\n"), "debug");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("w");
	is_str(next_write(), str_c(NULL), "errors only");
	log_set_level(LOG_LEVEL_QUIET);
	log_error("e");
	is_str(next_write(), str_c(NULL), "quiet");
	log_set_level(LOG_LEVEL_DEBUG);
	errno = ERANGE;
	log_debug("%s", "");
	is_int(errno, ERANGE, "errno is kept");
	is_str(next_write(), STR("chat-x: debug: \n"), "empty");
}

/* text as log_info shows it, without `chat-x: ` and the line's end. */
static void
shows(const char *text, const char *want, const char *name)
{
	struct str got;

	log_info("%s", text);
	got = next_write();
	if (!ok(got.n >= 9 && got.p[got.n - 1] == '\n', "%s: a line", name))
		return;
	is_str(str_n(got.p + 8, got.n - 9), str_c(want), name);
}

static void
test_escape(void)
{
	shows("a\nb\r", "a\\x0ab\\x0d", "no line is forged");
	shows("\x1b[31m\t\x7f", "\\x1b[31m\\x09\\x7f", "control characters");
	shows("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
	    "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "UTF-8");
	shows("\xc2\x9b\x33\x31m", "\\xc2\\x9b31m", "C1 controls");
	shows("\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0",
	    "the bounds of C1");
	shows("\x80\xff\xfe", "\\x80\\xff\\xfe", "no lead byte");
	shows("\xc0\xaf\xc1\xbf", "\\xc0\\xaf\\xc1\\xbf", "overlong, 2 bytes");
	shows("\xe0\x9f\xbf\xe0\xa0\x80", "\\xe0\\x9f\\xbf\xe0\xa0\x80",
	    "overlong, 3 bytes");
	shows("\xf0\x8f\xbf\xbf\xf0\x90\x80\x80",
	    "\\xf0\\x8f\\xbf\\xbf\xf0\x90\x80\x80", "overlong, 4 bytes");
	shows("\xed\x9f\xbf\xed\xa0\x80", "\xed\x9f\xbf\\xed\\xa0\\x80",
	    "surrogates");
	shows("\xf4\x8f\xbf\xbf\xf4\x90\x80\x80\xf5\x80\x80\x80",
	    "\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80\\xf5\\x80\\x80\\x80",
	    "past the last character");
	shows("\xe2\x82", "\\xe2\\x82", "cut short");
	shows("\xe2\x28\xac", "\\xe2(\\xac", "no continuation");
	shows("\xc3\n", "\\xc3\\x0a", "a lead byte hides no line end");
}

static void
test_long(void)
{
	char text[5000];
	struct str got;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	got = next_write();
	ok(got.n <= 1000 && got.n > 990, "a long line is cut (%zu)", got.n);
	is_str(str_from(got, got.n - 6), STR("aa...\n"), "and says so");
	is_str(next_write(), str_c(NULL), "one write");

	text[984] = '\0';
	log_info("%s", text);
	got = next_write();
	is_str(str_from(got, got.n - 5), STR("aaaa\n"), "not cut");

	memset(text, '\n', sizeof(text) - 1);
	log_info("%s", text);
	got = next_write();
	ok(got.n <= 1000, "many escapes are cut (%zu)", got.n);
	is_str(str_from(got, got.n - 8), STR("\\x0a...\n"), "between two");
}

/* Set JOURNAL_STREAM for fd 2; add is added to the inode. */
static void
set_stream(uintmax_t add)
{
	char text[64];
	struct stat st;

	if (fstat(STDERR_FILENO, &st) != 0)
		abort();
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + add);
	setenv("JOURNAL_STREAM", text, 1);
	log_init("chat-x", LOG_TO_STDERR);
}

static void
test_journal(void)
{
	set_stream(0);
	log_error("e");
	is_str(next_write(), STR("<3>chat-x: e\n"), "journal: error");
	log_warn("w");
	is_str(next_write(), STR("<4>chat-x: w\n"), "journal: warning");
	log_info("i");
	is_str(next_write(), STR("<6>chat-x: i\n"), "journal: information");
	log_debug("d\n<0>x");
	is_str(next_write(), STR("<7>chat-x: d\\x0a<0>x\n"), "journal: debug");
	set_stream(1);
	log_warn("w");
	is_str(next_write(), STR("chat-x: warn: w\n"), "another file");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	log_init("chat-x", LOG_TO_STDERR);
	log_warn("w");
	is_str(next_write(), STR("chat-x: warn: w\n"), "nonsense");
	unsetenv("JOURNAL_STREAM");
}

static void
test_syslog(void)
{
	log_init("chat-x", LOG_TO_SYSLOG);
	log_error("a test of chat-x: ignore it");
	is_str(next_write(), str_c(NULL), "syslog leaves fd 2 alone");
	log_init("chat-x", LOG_TO_STDERR);
	close(STDERR_FILENO);
	errno = 0;
	log_error("e");
	is_int(errno, 0, "no fd 2 is no error");
}

int
main(void)
{
	unsetenv("JOURNAL_STREAM");
	catch_stderr();
	test_levels();
	test_escape();
	test_long();
	test_journal();
	test_syslog();
	return done();
}
