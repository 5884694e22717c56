#include "base/date.h"

#include <stdbool.h>

/* Days from 0000-01-01 to 1970-01-01. */
enum { EPOCH_DAY = 719528 };

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int
date_month_days(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0000-01-01 to the first of January of year (>= 0). */
static int64_t
year_start(int year)
{
	/* The leap days of the years before it; the year 0 had one. */
	int64_t leap = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;

	return year * 365 + leap;
}

int64_t
date_to_day(const struct date *d)
{
	int64_t day = year_start(d->year) + d->day - 1;

	for (int m = 1; m < d->month; m++)
		day += date_month_days(d->year, m);
	return day - EPOCH_DAY;
}

struct date
date_from_day(int64_t day)
{
	struct date d = {.month = 1};

	day += EPOCH_DAY;
	d.year = (int)(day * 400 / 146097); /* at most one off */
	if (year_start(d.year) > day)
		d.year--;
	else if (year_start(d.year + 1) <= day)
		d.year++;
	day -= year_start(d.year);
	while (day >= date_month_days(d.year, d.month))
		day -= date_month_days(d.year, d.month++);
	d.day = (int)day + 1;
	return d;
}
