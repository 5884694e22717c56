#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_BYTES = 1000 };

/* What a cut line ends in; room is always kept for it. */
static const char cut_mark[] = "...\n";

static struct {
	const char *prog;
	enum log_target target;
	enum log_level level;
	bool journal; /* fd 2 is a stream to the journal */
} state = {.level = LOG_LEVEL_WARN};

static const struct {
	int priority;
	const char *label;
} levels[] = {
    [LOG_LEVEL_ERROR] = {LOG_ERR, "error: "},
    [LOG_LEVEL_WARN] = {LOG_WARNING, "warn: "},
    [LOG_LEVEL_INFO] = {LOG_INFO, ""},
    [LOG_LEVEL_DEBUG] = {LOG_DEBUG, "debug: "},
};

struct line {
	char p[LINE_BYTES];
	size_t n;
};

/* JOURNAL_STREAM=DEVICE:INODE is inherited: fd 2 may be another file by now. */
static bool
is_journal(int fd)
{
	const char *name = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (name == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(name, own) == 0;
}

void
log_init(const char *prog, enum log_target target)
{
	state.prog = prog;
	state.target = target;
	state.journal = target == LOG_TO_STDERR && is_journal(STDERR_FILENO);
	if (target == LOG_TO_SYSLOG)
		openlog(prog, LOG_PID, LOG_DAEMON);
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

static bool
put(struct line *l, const char *p, size_t n)
{
	if (n > sizeof(l->p) - (sizeof(cut_mark) - 1) - l->n)
		return false;
	memcpy(l->p + l->n, p, n);
	l->n += n;
	return true;
}

/*
 * The second byte of a sequence whose first byte is lead, when only a part of
 * 80-BF may follow: no overlong form, surrogate or code point past U+10FFFF
 * (RFC 3629), and no C1 control (U+0080 to U+009F).
 */
static bool
may_follow(unsigned char lead, unsigned char c)
{
	switch (lead) {
	case 0xc2:
	case 0xe0:
		return c >= 0xa0;
	case 0xed:
		return c <= 0x9f;
	case 0xf0:
		return c >= 0x90;
	case 0xf4:
		return c <= 0x8f;
	default:
		return true;
	}
}

/* The bytes of the printable character that p begins with, or 0. */
static size_t
printable(const char *p, size_t n)
{
	unsigned char lead = (unsigned char)p[0];
	size_t len;

	if (lead < 0x80)
		return lead >= 0x20 && lead != 0x7f;
	if (lead < 0xc2 || lead > 0xf4)
		return 0;
	len = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (n < len || !may_follow(lead, (unsigned char)p[1]))
		return 0;
	for (size_t i = 1; i < len; i++)
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static bool
put_escape(struct line *l, char c)
{
	char text[5];

	snprintf(text, sizeof(text), "\\x%02x", (unsigned)(unsigned char)c);
	return put(l, text, 4);
}

static void
put_text(struct line *l, const char *p, size_t n)
{
	while (n > 0) {
		size_t len = printable(p, n);
		if (!(len > 0 ? put(l, p, len) : put_escape(l, *p))) {
			memcpy(l->p + l->n, cut_mark, 3);
			l->n += 3;
			return;
		}
		len += len == 0;
		p += len;
		n -= len;
	}
}

static void
put_head(struct line *l, enum log_level level)
{
	char head[128];
	int n = 0;

	if (state.journal)
		n = snprintf(
		    head, sizeof(head), "<%d>", levels[level].priority);
	if (state.prog != NULL)
		n += snprintf(
		    head + n, sizeof(head) - (size_t)n, "%.100s: ", state.prog);
	put(l, head, (size_t)n);
	if (!state.journal)
		put(l, levels[level].label, strlen(levels[level].label));
}

/* One write a line, so that lines of several processes do not mix. */
static void
write_line(enum log_level level, const char *text, size_t n)
{
	struct line l = {.n = 0};

	put_head(&l, level);
	put_text(&l, text, n);
	l.p[l.n++] = '\n';
	while (write(STDERR_FILENO, l.p, l.n) < 0 && errno == EINTR)
		;
}

static void
write_syslog(enum log_level level, const char *text, size_t n)
{
	struct line l = {.n = 0};

	put_text(&l, text, n);
	syslog(levels[level].priority, "%.*s", (int)l.n, l.p);
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_BYTES + 1];
	int n, saved_errno = errno;

	if (level > state.level)
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n > LINE_BYTES)
		n = LINE_BYTES;
	if (n >= 0 && state.target == LOG_TO_SYSLOG)
		write_syslog(level, text, (size_t)n);
	else if (n >= 0)
		write_line(level, text, (size_t)n);
	errno = saved_errno;
}

void
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}
