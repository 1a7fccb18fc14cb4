/*
 * schedule.h: when something is due: a cron line, an interval, one moment.
 *
 *     30s, 1h30m             every so long, from an anchor on
 *     17 3 * * mon-fri       five fields of cron: minute hour day month weekday
 *     @hourly, @daily, ...   the names of cron (@reboot is refused: that is not a time)
 *     at 17:30               once: today or tomorrow; also "at 2026-12-24T18:00", local time, and
 *                            RFC 3339 with an offset
 *
 * Cron lines are read as cronie reads them (crontab(5)): names of months and weekdays in any case,
 * also in lists and ranges; steps of ranges and of stars; 7 is Sunday; leading zeros mean nothing.
 * Ranges do not go around, and "~" (a random time) is refused: each start would draw another. If
 * neither day nor weekday begins with a star, one of them has to match, else both; a field that
 * begins with a star counts as starred, so also "*" "/2".
 *
 * Where local time jumps by less than three hours (cron(8)): a line whose minute or hour begins
 * with a star is matched against what the clock shows, so it does not run in an hour that is left
 * out and runs again in one that is repeated. All other lines are fixed times: those that fall into
 * what is left out are due at once after it, one time each line (cronie starts it for each time
 * that it missed), and in what is repeated they are due the first time only. Jumps of three hours
 * and more are corrections: nothing is made up for, nothing is left out. So it is in any zone; what
 * cronie does in another zone than its own (CRON_TZ) it calls imperfect itself.
 *
 * Pure: time comes as clock_wall, the zone as a function, whose changes are more than a day apart.
 * Costs do not depend on how far the next time is: whole years, months and days that cannot match
 * are stepped over. A next time takes some ten to hundred looks at the offset, and as many more for
 * each day whose matches are all left out.
 */
#ifndef FIT_PATTERN_SCHEDULE_H
#define FIT_PATTERN_SCHEDULE_H

#include "base/err.h"
#include "base/zone.h"

#include <stdbool.h>
#include <stdint.h>

/* Nothing is due from then on, nor before 1970: seconds, 2262-01-01T00:00:00Z. */
#define SCHEDULE_END INT64_C(9214646400)

#define SCHEDULE_SHORTEST INT64_C(1000000) /* nanoseconds: intervals below it are refused */

enum schedule_kind { SCHEDULE_CRON, SCHEDULE_INTERVAL, SCHEDULE_AT };

struct schedule {
    enum schedule_kind kind;
    /* Cron: bit i is set where i matches. */
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool either_day;  /* day and weekday both are restricted: one of them is enough */
    bool starred;     /* minute or hour begins with a star: matched against the clock as it is */
    int64_t interval; /* nanoseconds */
    int64_t anchor;   /* clock_wall: the interval counts from here; the caller's to set */
    int64_t at;       /* clock_wall */
};

/*
 * Read one. now and zone are for "at". -1 with ERR_USAGE: the text of err names the field and the
 * place; also for what can never be due (30 February).
 */
int schedule_parse(struct schedule *schedule, const char *text, const struct zone *zone,
                   int64_t now, struct err *err);

/* The first time above `after`. False: never again. */
bool schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after,
                   int64_t *when);
/* The last time that is not above `until`. False: there was none (an interval begins at its
 * anchor). */
bool schedule_prev(const struct schedule *schedule, const struct zone *zone, int64_t until,
                   int64_t *when);

#endif
