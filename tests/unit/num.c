#include "base/num.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 2026-09-01T10:00:00Z */
static const int64_t now_ms = 1788256800000;

typedef int read_fn(struct str s, int64_t *v);

static int
read_u64(struct str s, int64_t *v)
{
	return num_u64(s, (uint64_t *)v);
}

static int
read_hex(struct str s, int64_t *v)
{
	return num_hex(s, (uint64_t *)v);
}

static int
read_size(struct str s, int64_t *v)
{
	return num_size(s, (uint64_t *)v);
}

/* Both in one number. */
static int
read_rate(struct str s, int64_t *v)
{
	int64_t per_ms;
	uint64_t n;

	if (num_rate(s, &n, &per_ms) != 0)
		return -1;
	*v = (int64_t)n * 1000000 + per_ms;
	return 0;
}

static int
read_time(struct str s, int64_t *v)
{
	return num_time(s, now_ms, v);
}

/* Read text and every prefix of it, each ending where memory ends. */
static int
read_flush(read_fn *read, struct str text, int64_t *v)
{
	for (size_t n = 0; n < text.n; n++)
		(void)read(flush_copy(str_n(text.p, n)), v);
	*v = -77;
	return read(flush_copy(text), v);
}

static void
takes(read_fn *read, const char *what, const char *text, int64_t want)
{
	int64_t v;
	int r = read_flush(read, str_c(text), &v);

	ok(r == 0 && v == want, "%s %s is %lld (%d, %lld)", what, text,
	    (long long)want, r, (long long)v);
}

static void
refuses(read_fn *read, const char *what, struct str text)
{
	int64_t v;
	int r = read_flush(read, text, &v);

	ok(r == -1, "not a %s: %.*s", what, (int)text.n, text.p);
	ok(v == -77, "nothing is stored");
}

struct taken {
	const char *text;
	int64_t want;
};

static void
test_table(read_fn *read, const char *what, const struct taken *good,
    size_t n_good, const char *const *bad, size_t n_bad)
{
	for (size_t i = 0; i < n_good; i++)
		takes(read, what, good[i].text, good[i].want);
	for (size_t i = 0; i < n_bad; i++)
		refuses(read, what, str_c(bad[i]));
}

static void
test_integers(void)
{
	static const struct taken good[] = {
	    {"0", 0},
	    {"007", 7},
	    {"18446744073709551615", -1},
	    {"00000000000000000000000018446744073709551615", -1},
	};
	static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "-0",
	    "1a", "0x1", "1.0", "1e3", "18446744073709551616",
	    "18446744073709551620", "99999999999999999999"};
	static const struct taken good_hex[] = {
	    {"0", 0},
	    {"fF", 255},
	    {"DeadBeef", 0xdeadbeef},
	    {"00000000000000a1", 0xa1},
	    {"ffffffffffffffff", -1},
	};
	static const char *const bad_hex[] = {"", "g", "0x1", " 1", "1 ", "-1",
	    "+1", "1;x", "00000000000000001", "@", "`", "/", ":"};

	test_table(read_u64, "number", good, COUNT(good), bad, COUNT(bad));
	refuses(read_u64, "number", STR("1\0"));
	test_table(read_hex, "hex number", good_hex, COUNT(good_hex), bad_hex,
	    COUNT(bad_hex));
}

static void
test_durations(void)
{
	static const struct taken good[] = {
	    {"0", 0},
	    {"10", 10000},
	    {"1.5", 1500},
	    {"5s", 5000},
	    {"500ms", 500},
	    {"5m", 300000},
	    {"2h", 7200000},
	    {"3d", 259200000},
	    {"1.5h", 5400000},
	    {"0.25d", 21600000},
	    {"0.0009", 0},
	    {"0.0019999999999999999999999999999999999999", 1},
	    {"0.9ms", 0},
	    {"1.9999999999999999999999999999999999999s", 1999},
	    {"0.00000001157407407407d", 0},
	    {"0.00000001157407407408d", 1},
	    {"inf", NUM_INF},
	    {"9223372036854775806ms", INT64_MAX - 1},
	    {"9223372036854775.806", INT64_MAX - 1},
	};
	static const char *const bad[] = {"", "s", "ms", ".5", "1.", "1.s",
	    "1..5", "1.5.5", "-1", "+1", " 1", "1 ", "1 s", "1S", "1M", "1min",
	    "1w", "1mss", "1ss", "Inf", "INF", "infinity", "inf ", "1e3", "nan",
	    "9223372036854775807ms", "9223372036854775.807", "9223372036854776",
	    "106751991168d", "18446744073709551616"};
	static const struct taken good_size[] = {
	    {"0", 0},
	    {"1000", 1000},
	    {"64k", 65536},
	    {"64K", 65536},
	    {"1M", 1048576},
	    {"1m", 1048576},
	    {"2G", 2147483648},
	    {"2g", 2147483648},
	    {"17179869183G", (int64_t)(UINT64_MAX - (1 << 30) + 1)},
	};
	static const char *const bad_size[] = {"", "k", "1kb", "1KiB", "1T",
	    "1.5M", "-1", "+1", "1 k", " 1", "1k ", "kk", "inf", "17179869184G",
	    "18446744073709551616"};

	test_table(
	    num_duration, "duration", good, COUNT(good), bad, COUNT(bad));
	refuses(num_duration, "duration", STR("5\0s"));
	refuses(num_duration, "duration", STR("5\0"));
	test_table(read_size, "size", good_size, COUNT(good_size), bad_size,
	    COUNT(bad_size));
}

static void
test_rates(void)
{
	static const struct taken good[] = {
	    {"1", 1001000},
	    {"5/s", 5001000},
	    {"007/s", 7001000},
	    {"100/m", 100060000},
	    {"2/h", 2 * 1000000 + 3600000},
	    {"1000000/s", 1000000001000},
	};
	static const char *const bad[] = {"", "0", "0/s", "/s", "1/", "1/d",
	    "1 /s", "1/ s", "1s", "1/s ", "1/S", "1.5/s", "-1/s", "1000001/s",
	    "1/ss"};

	test_table(read_rate, "rate", good, COUNT(good), bad, COUNT(bad));
}

static const struct taken good_times[] = {
    {"now", 1788256800000},
    {"-0", 1788256800000},
    {"-2h", 1788249600000},
    {"-1.5", 1788256798500},
    {"-30000d", 1788256800000 - 30000 * 86400000LL},
    {"0", 0},
    {"1756735200", 1756735200000},
    {"1756735200.5", 1756735200500},
    {"1756735200.1239", 1756735200123},
    {"99999999999", 99999999999000},
    {"100000000000", 100000000000},
    {"1756735200123", 1756735200123},
    {"9223372036854775806", INT64_MAX - 1},
    {"1970-01-01", 0},
    {"2026-09-01", 1788220800000},
    {"2026-09-01T10:00:00Z", 1788256800000},
    {"2026-09-01t10:00:00z", 1788256800000},
    {"2026-09-01 10:00:00", 1788256800000},
    {"2026-09-01T10:00:00.5Z", 1788256800500},
    {"2026-09-01T10:00:00.1239", 1788256800123},
    {"2026-09-01T12:00:00+02:00", 1788256800000},
    {"2026-09-01T04:15:00-05:45", 1788256800000},
    {"2026-09-01T10:00:00-00:00", 1788256800000},
    {"2026-09-01T23:59:59.999999", 1788307199999},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2024-02-29", 1709164800000},
    {"2000-02-29", 951782400000},
    {"0000-01-01", -62167219200000},
    {"9999-12-31T23:59:59Z", 253402300799000},
};

static const char *const bad_times[] = {
    "",
    "Now",
    "now ",
    "-",
    "-inf",
    "--1",
    "- 1",
    "-2026-09-01",
    "-9223372036854775806ms0",
    "+1",
    "1.",
    ".5",
    "1756735200s",
    "1756735200000.5",
    "9223372036854775807",
    "99999999999999999999",
    "2026-09",
    "2026-9-01",
    "2026-09-1",
    "26-09-01",
    "02026-09-01",
    "2026/09/01",
    "20260901T10:00:00-00:00",
    "2026-00-01",
    "2026-13-01",
    "2026-01-00",
    "2026-01-32",
    "2026-04-31",
    "2025-02-29",
    "2100-02-29",
    "2024-02-30",
    "2026-09-01T",
    "2026-09-01Z",
    "2026-09-01+02:00",
    "2026-09-01T10",
    "2026-09-01T10:00",
    "2026-09-01T10:00Z",
    "2026-09-01T24:00:00Z",
    "2026-09-01T23:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-09-01T1:00:00Z",
    "2026-09-01T10:00:00.Z",
    "2026-09-01T10:00:00,5Z",
    "2026-09-01T10:00:00 Z",
    "2026-09-01T10:00:00ZZ",
    "2026-09-01T10:00:00+2:00",
    "2026-09-01T10:00:00+0200",
    "2026-09-01T10:00:00+24:00",
    "2026-09-01T10:00:00+02:60",
    "2026-09-01T10:00:00+02",
    "2026-09-01_10:00:00Z",
    "2026-09-01  10:00:00",
    " 2026-09-01",
    "2026-09-01 ",
    "+026-09-01",
};

static void
test_times(void)
{
	int64_t ms = 0;

	test_table(read_time, "time", good_times, COUNT(good_times), bad_times,
	    COUNT(bad_times));
	is_int(num_time(STR("-9223372036854775806ms"), -3, &ms), -1,
	    "a time before the first one");
	setenv("TZ", "Asia/Kolkata", 1);
	tzset();
	takes(read_time, "with TZ set, time", "2026-09-01", 1788220800000);
}

static void
is_format(size_t n, const char *got, const char *want)
{
	is_str(str_n(got, n), str_c(want), want);
	is_int((long long)strlen(got), (long long)n, "its length");
}

static void
is_iso(int64_t ms, const char *want)
{
	char out[NUM_TEXT];

	is_format(num_format_iso(out, ms), out, want);
}

static void
is_http(int64_t s, const char *want)
{
	char out[NUM_TEXT];

	is_format(num_format_http(out, s), out, want);
}

static void
test_format(void)
{
	char out[NUM_TEXT];

	is_format(num_format(out, 0), out, "0");
	is_format(num_format(out, 9), out, "9");
	is_format(num_format(out, 10), out, "10");
	is_format(num_format(out, UINT64_MAX), out, "18446744073709551615");
	is_format(num_format_milli(out, 0), out, "0");
	is_format(num_format_milli(out, 1), out, "0.001");
	is_format(num_format_milli(out, 20), out, "0.02");
	is_format(num_format_milli(out, 300), out, "0.3");
	is_format(num_format_milli(out, 1000), out, "1");
	is_format(num_format_milli(out, 10050), out, "10.05");
	is_format(
	    num_format_milli(out, UINT64_MAX), out, "18446744073709551.615");
	is_iso(0, "1970-01-01T00:00:00.000Z");
	is_iso(-1, "1969-12-31T23:59:59.999Z");
	is_iso(now_ms + 123, "2026-09-01T10:00:00.123Z");
	is_iso(1709251199999, "2024-02-29T23:59:59.999Z");
	is_iso(-62167219200000, "0000-01-01T00:00:00.000Z");
	is_iso(-62167219200001, "0000-01-01T00:00:00.000Z");
	is_iso(253402300799999, "9999-12-31T23:59:59.999Z");
	is_iso(253402300800000, "9999-12-31T23:59:59.999Z");
	is_iso(INT64_MIN, "0000-01-01T00:00:00.000Z");
	is_iso(INT64_MAX, "9999-12-31T23:59:59.999Z");
	is_http(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
	is_http(0, "Thu, 01 Jan 1970 00:00:00 GMT");
	is_http(-1, "Wed, 31 Dec 1969 23:59:59 GMT");
	is_http(now_ms / 1000, "Tue, 01 Sep 2026 10:00:00 GMT");
	is_http(INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
	is_http(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
}

/* Every day of the 10000 years: as libc has it, and back to the same time. */
static void
test_calendar(void)
{
	char got[NUM_TEXT], want[NUM_TEXT];
	int wrong = 0, lost = 0;

	for (int64_t s = -62167219200 + 86399; s < 253402300800; s += 86400) {
		time_t t = (time_t)s;
		struct tm tm;
		int64_t ms;
		struct str iso = str_n(got, num_format_iso(got, s * 1000 + 7));

		lost += num_time(iso, 0, &ms) != 0 || ms != s * 1000 + 7;
		num_format_http(got, s);
		gmtime_r(&t, &tm);
		strftime(want, sizeof(want), "%a, %d %b %Y %T GMT", &tm);
		/* glibc writes the years below 1000 without zeros. */
		if (tm.tm_year >= 1000 - 1900)
			wrong += strcmp(got, want) != 0;
	}
	is_int(wrong, 0, "days that differ from libc's");
	is_int(lost, 0, "days that do not survive a round trip");
}

int
main(void)
{
	test_integers();
	test_rates();
	test_durations();
	test_times();
	test_format();
	test_calendar();
	return done();
}
