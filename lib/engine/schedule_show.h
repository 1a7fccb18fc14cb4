/*
 * schedule_show.h: the next times of a schedule, for people and for scripts.
 *
 * One a line, in RFC 3339 with the offset of local time, which tells repeated hours apart:
 * 2026-11-27T05:00:00+01:00. Sorted as they come; a fraction where there is one.
 */
#ifndef FIT_ENGINE_SCHEDULE_SHOW_H
#define FIT_ENGINE_SCHEDULE_SHOW_H

#include "base/buf.h"
#include "pattern/schedule.h"

/* Append a time as that zone shows it (in UTC if its offset is not of whole minutes). */
void schedule_show_time(struct buf *text, const struct zone *zone, int64_t at);

/* Print the first count times above `after` on standard output, or all if there are fewer. The exit
 * status: 0, or 1 after saying why. */
int schedule_show_next(const struct schedule *schedule, const struct zone *zone, int64_t after,
                       uint64_t count);

#endif
