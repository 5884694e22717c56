#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdint.h>

/* A date in the proleptic Gregorian calendar, of the years 0000 to 9999. */
struct date {
	int year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
};

int date_month_days(int year, int month);

/* Days since 1970-01-01, negative before it, and back. */
int64_t date_to_day(const struct date *d);
struct date date_from_day(int64_t day);

#endif
