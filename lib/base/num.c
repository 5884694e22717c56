#include "base/num.h"

#include "base/date.h"

#include <stdbool.h>
#include <string.h>

enum { MS = 1000, DAY_S = 86400, RATE_MAX = 1000000 };

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z in Unix seconds. */
static const int64_t FIRST_S = -62167219200, LAST_S = 253402300799;

struct unit {
	const char *name;
	uint64_t size;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
num_u64(struct str s, uint64_t *v)
{
	uint64_t n = 0;

	if (s.n == 0)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -1;
		uint64_t d = (uint64_t)(s.p[i] - '0');
		if (n > (UINT64_MAX - d) / 10)
			return -1;
		n = n * 10 + d;
	}
	*v = n;
	return 0;
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
num_hex(struct str s, uint64_t *v)
{
	uint64_t n = 0;

	if (s.n == 0 || s.n > 16)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		int d = hex_digit(s.p[i]);
		if (d < 0)
			return -1;
		n = n << 4 | (uint64_t)d;
	}
	*v = n;
	return 0;
}

/* The digits that s begins with. */
static struct str
take_digits(struct str *s)
{
	struct str d = {s->p, 0};

	while (d.n < s->n && is_digit(s->p[d.n]))
		d.n++;
	*s = str_from(*s, d.n);
	return d;
}

static bool
take_char(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

/*
 * 0.DIGITS times unit, cut to a whole number. From the right, as
 * (d1 + (d2 + ...) / 10) / 10: cutting each quotient changes nothing, because
 * what is added to it next is whole.
 */
static uint64_t
scale_fraction(struct str digits, uint64_t unit)
{
	uint64_t v = 0;

	for (size_t i = digits.n; i-- > 0;)
		v = ((uint64_t)(digits.p[i] - '0') * unit + v) / 10;
	return v;
}

/* whole * unit + fraction, if that is below INT64_MAX. */
static int
scale(struct str whole, struct str fraction, uint64_t unit, int64_t *v)
{
	uint64_t n, f = scale_fraction(fraction, unit);

	if (num_u64(whole, &n) != 0 || n > (INT64_MAX - 1 - f) / unit)
		return -1;
	*v = (int64_t)(n * unit + f);
	return 0;
}

/* [ "." 1*DIGIT ]: 0, or -1 for a point without digits. */
static int
take_fraction(struct str *s, struct str *digits)
{
	*digits = (struct str){s->p, 0};
	if (!take_char(s, '.'))
		return 0;
	*digits = take_digits(s);
	return digits->n > 0 ? 0 : -1;
}

/* The size of the unit named s in a table ended by size 0; 0 if none. */
static uint64_t
unit_size(const struct unit *units, struct str s)
{
	while (units->size > 0 && !str_eq(s, str_c(units->name)))
		units++;
	return units->size;
}

/* DUR = "inf" / 1*DIGIT [ "." 1*DIGIT ] [ "ms" / "s" / "m" / "h" / "d" ] */
int
num_duration(struct str s, int64_t *ms)
{
	static const struct unit units[] = {
	    {"", MS},
	    {"ms", 1},
	    {"s", MS},
	    {"m", 60 * MS},
	    {"h", 3600 * MS},
	    {"d", (uint64_t)DAY_S * MS},
	    {NULL, 0},
	};
	struct str whole, fraction;
	uint64_t unit;

	if (str_eq(s, STR("inf"))) {
		*ms = NUM_INF;
		return 0;
	}
	whole = take_digits(&s);
	if (take_fraction(&s, &fraction) != 0)
		return -1;
	unit = unit_size(units, s);
	return unit == 0 ? -1 : scale(whole, fraction, unit, ms);
}

/* SIZE = 1*DIGIT [ "k" / "K" / "m" / "M" / "g" / "G" ] */
int
num_size(struct str s, uint64_t *bytes)
{
	static const struct unit units[] = {
	    {"", 1},
	    {"k", 1u << 10},
	    {"K", 1u << 10},
	    {"m", 1u << 20},
	    {"M", 1u << 20},
	    {"g", 1u << 30},
	    {"G", 1u << 30},
	    {NULL, 0},
	};
	struct str whole = take_digits(&s);
	uint64_t n, unit = unit_size(units, s);

	if (unit == 0 || num_u64(whole, &n) != 0 || n > UINT64_MAX / unit)
		return -1;
	*bytes = n * unit;
	return 0;
}

int
num_rate(struct str s, uint64_t *n, int64_t *per_ms)
{
	static const struct unit units[] = {
	    {"", MS},
	    {"/s", MS},
	    {"/m", 60 * MS},
	    {"/h", 3600 * MS},
	    {NULL, 0},
	};
	struct str whole = take_digits(&s);
	uint64_t unit = unit_size(units, s), v;

	if (unit == 0 || num_u64(whole, &v) != 0 || v == 0 || v > RATE_MAX)
		return -1;
	*n = v;
	*per_ms = (int64_t)unit;
	return 0;
}

/* Exactly width digits, with a value from min to max. */
static bool
take_field(struct str *s, size_t width, int min, int max, int *v)
{
	struct str field = *s;
	uint64_t n;

	if (s->n < width)
		return false;
	field.n = width;
	if (num_u64(field, &n) != 0 || n < (uint64_t)min || n > (uint64_t)max)
		return false;
	*s = str_from(*s, width);
	*v = (int)n;
	return true;
}

/* full-date = 4DIGIT "-" 2DIGIT "-" 2DIGIT; its first second. */
static bool
take_date(struct str *s, int64_t *sec)
{
	struct date d;

	if (!take_field(s, 4, 0, 9999, &d.year) || !take_char(s, '-') ||
	    !take_field(s, 2, 1, 12, &d.month) || !take_char(s, '-') ||
	    !take_field(s, 2, 1, date_month_days(d.year, d.month), &d.day))
		return false;
	*sec = date_to_day(&d) * DAY_S;
	return true;
}

/*
 * partial-time = 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ]. A leap second
 * has no Unix time: 60 is refused.
 */
static bool
take_time(struct str *s, int64_t *ms)
{
	struct str fraction;
	int hour, min, sec;

	if (!take_field(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_field(s, 2, 0, 59, &min) || !take_char(s, ':') ||
	    !take_field(s, 2, 0, 59, &sec) || take_fraction(s, &fraction) != 0)
		return false;
	*ms = (hour * 3600 + min * 60 + sec) * (int64_t)MS +
	    (int64_t)scale_fraction(fraction, MS);
	return true;
}

/* time-offset = "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT; none is UTC. */
static bool
take_zone(struct str *s, int64_t *ms)
{
	int hour, min, sign = 1;

	*ms = 0;
	if (s->n == 0 || take_char(s, 'Z') || take_char(s, 'z'))
		return true;
	if (take_char(s, '-'))
		sign = -1;
	else if (!take_char(s, '+'))
		return false;
	if (!take_field(s, 2, 0, 23, &hour) || !take_char(s, ':') ||
	    !take_field(s, 2, 0, 59, &min))
		return false;
	*ms = sign * (hour * 60 + min) * (int64_t)(60 * MS);
	return true;
}

/* RFC 3339, 5.6: full-date [ ( "T" / "t" / " " ) partial-time [ offset ] ] */
static int
read_rfc3339(struct str s, int64_t *ms)
{
	int64_t date_s, time_ms = 0, zone_ms = 0;

	if (!take_date(&s, &date_s))
		return -1;
	if (s.n > 0) {
		if (!take_char(&s, 'T') && !take_char(&s, 't') &&
		    !take_char(&s, ' '))
			return -1;
		if (!take_time(&s, &time_ms) || !take_zone(&s, &zone_ms))
			return -1;
	}
	if (s.n > 0)
		return -1;
	*ms = date_s * MS + time_ms - zone_ms;
	return 0;
}

/* 1*11DIGIT [ "." 1*DIGIT ] in seconds, or 12*DIGIT in milliseconds. */
static int
read_epoch(struct str s, int64_t *ms)
{
	struct str whole = take_digits(&s), fraction;
	bool in_ms = whole.n >= 12;

	if (take_fraction(&s, &fraction) != 0 || s.n > 0)
		return -1;
	if (in_ms && fraction.n > 0)
		return -1;
	return scale(whole, fraction, in_ms ? 1 : MS, ms);
}

int
num_time(struct str s, int64_t now_ms, int64_t *ms)
{
	int64_t ago;

	if (str_eq(s, STR("now"))) {
		*ms = now_ms;
		return 0;
	}
	if (take_char(&s, '-')) {
		if (num_duration(s, &ago) != 0 || ago == NUM_INF ||
		    now_ms < INT64_MIN + ago)
			return -1;
		*ms = now_ms - ago;
		return 0;
	}
	if (str_find(s, '-') < s.n)
		return read_rfc3339(s, ms);
	return read_epoch(s, ms);
}

size_t
num_format(char out[NUM_TEXT], uint64_t v)
{
	size_t n = 1;

	for (uint64_t w = v; w >= 10; w /= 10)
		n++;
	out[n] = '\0';
	for (size_t i = n; i-- > 0; v /= 10)
		out[i] = (char)('0' + v % 10);
	return n;
}

/* v in width digits; the address behind them. */
static char *
put_num(char *p, int64_t v, int width)
{
	for (int i = width; i-- > 0; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

size_t
num_format_milli(char out[NUM_TEXT], uint64_t v)
{
	size_t n = num_format(out, v / 1000);

	if (v % 1000 == 0)
		return n;
	out[n++] = '.';
	put_num(out + n, (int64_t)(v % 1000), 3);
	for (n += 3; out[n - 1] == '0';)
		n--;
	out[n] = '\0';
	return n;
}

static char *
put_text(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

/* hh:mm:ss */
static char *
put_time(char *p, int64_t s)
{
	p = put_num(p, s / 3600, 2);
	*p++ = ':';
	p = put_num(p, s / 60 % 60, 2);
	*p++ = ':';
	return put_num(p, s % 60, 2);
}

/* The whole number not above a / b, where C rounds towards zero. */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

size_t
num_format_iso(char out[NUM_TEXT], int64_t ms)
{
	int64_t t = clamp(ms, FIRST_S * MS, LAST_S * MS + MS - 1);
	int64_t s = floor_div(t, MS), day = floor_div(s, DAY_S);
	struct date d = date_from_day(day);
	char *p = put_num(out, d.year, 4);

	*p++ = '-';
	p = put_num(p, d.month, 2);
	*p++ = '-';
	p = put_num(p, d.day, 2);
	*p++ = 'T';
	p = put_time(p, s - day * DAY_S);
	*p++ = '.';
	p = put_num(p, t - s * MS, 3);
	p = put_text(p, "Z");
	*p = '\0';
	return (size_t)(p - out);
}

size_t
num_format_http(char out[NUM_TEXT], int64_t s)
{
	static const char day_names[][4] = {
	    "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char month_names[][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t t = clamp(s, FIRST_S, LAST_S), day = floor_div(t, DAY_S);
	struct date d = date_from_day(day);
	/* The epoch was a Thursday. */
	char *p = put_text(out, day_names[day - floor_div(day, 7) * 7]);

	p = put_text(p, ", ");
	p = put_num(p, d.day, 2);
	*p++ = ' ';
	p = put_text(p, month_names[d.month - 1]);
	*p++ = ' ';
	p = put_num(p, d.year, 4);
	*p++ = ' ';
	p = put_time(p, t - day * DAY_S);
	p = put_text(p, " GMT");
	*p = '\0';
	return (size_t)(p - out);
}
