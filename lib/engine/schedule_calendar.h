/*
 * schedule_calendar.h: a schedule in the words of other schedulers: the fields of crontab(5), and
 * the calendar events of systemd.time(7).
 */
#ifndef FIT_ENGINE_SCHEDULE_CALENDAR_H
#define FIT_ENGINE_SCHEDULE_CALENDAR_H

#include "base/buf.h"
#include "base/err.h"
#include "pattern/schedule.h"

/*
 * Append the five fields, or a name of cron, of a schedule whose text that is. -1 with ERR_USAGE:
 * cron cannot say it (an interval that does not divide an hour or a day, a single time).
 */
int schedule_calendar_crontab(struct buf *fields, const struct schedule *schedule, const char *text,
                              struct err *err);

/*
 * Append "OnCalendar=..." lines for a cron line or a moment: two where a day or a weekday is
 * enough. For times that a change of local time leaves out, which systemd leaves out too, there is
 * one more, at the end of what is left out, in the months of the changes that come in the two years
 * from now on: who is started then looks what is due. zone_name: of the zone, or NULL for the
 * machine's. -1 with ERR_USAGE: systemd cannot say the year.
 */
int schedule_calendar_systemd(struct buf *lines, const struct schedule *schedule,
                              const struct zone *zone, const char *zone_name, int64_t now,
                              struct err *err);

#endif
