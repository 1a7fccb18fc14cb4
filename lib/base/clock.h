/*
 * clock.h: the time, which a test can invent.
 *
 * All times are int64_t nanoseconds. clock_now never goes back and counts while the machine sleeps
 * (CLOCK_BOOTTIME): deadlines, delays and durations are differences of it. clock_wall is the time
 * of day since 1970 (CLOCK_REALTIME), for people and for files. Neither blocks or fails.
 */
#ifndef FIT_BASE_CLOCK_H
#define FIT_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_now(void);
int64_t clock_wall(void);

/* From now on clock_now returns *now and clock_wall returns *wall; NULLs restore the real clocks.
 */
void clock_invent(const int64_t *now, const int64_t *wall);

/* RFC 3339 in UTC with milliseconds, "2026-11-23T17:35:00.123Z". */
enum { CLOCK_TEXT = 32 };
const char *clock_format(int64_t wall, char text[CLOCK_TEXT]);

/* Read a date and time of RFC 3339 ("2026-11-23T17:35:00.5+01:00", "...Z"), of the years 1970 to
 * 2261, without leap seconds. NULL, or a short static reason. */
const char *clock_parse(const char *text, int64_t *wall);

#endif
