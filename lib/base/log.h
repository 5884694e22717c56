#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * Messages for people: `chat-tail: warn: connect redis:6379: Connection
 * refused`, one line each, on standard error. Under the journal (JOURNAL_STREAM
 * names fd 2) a line begins with its `<N>` priority instead of the level's
 * name. Bytes that are not printable ASCII or UTF-8 leave as \xNN, so that no
 * peer can write control characters to a terminal or forge a line. A line of
 * more than 1000 bytes is cut and ends in `...`. log_info names no level.
 */
enum log_level {
	LOG_LEVEL_QUIET, /* not even errors */
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_target {
	LOG_TO_STDERR,
	LOG_TO_SYSLOG, /* syslog(3), for when fd 2 is a client's socket */
};

/*
 * prog is borrowed for the life of the process. The level, which is
 * LOG_LEVEL_WARN at first, stays as it is.
 */
void log_init(const char *prog, enum log_target target);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Write a line unless the level is quieter than that; errno is kept. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
