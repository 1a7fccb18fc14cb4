/*
 * schedule_fields.h: which minutes of the calendar the fields of a cron line match.
 *
 * Knows of no zone: a local time is seconds since 1970 as the clock on the wall shows them. Whole
 * years, months and days that cannot match are stepped over: the cost is that of a look at a month,
 * and for 29 February of a few years.
 */
#ifndef FIT_PATTERN_SCHEDULE_FIELDS_H
#define FIT_PATTERN_SCHEDULE_FIELDS_H

#include "pattern/schedule.h"

/* The local years that are searched. */
enum { SCHEDULE_FIRST_YEAR = 1969, SCHEDULE_LAST_YEAR = 2262 };

/* The first whole minute from local on that matches. False: none up to SCHEDULE_LAST_YEAR. */
bool schedule_fields_next(const struct schedule *schedule, int64_t local, int64_t *match);

/* The last whole minute up to local that matches. False: none from SCHEDULE_FIRST_YEAR on. */
bool schedule_fields_prev(const struct schedule *schedule, int64_t local, int64_t *match);

/* There is a day that matches. */
bool schedule_fields_possible(const struct schedule *schedule);

#endif
