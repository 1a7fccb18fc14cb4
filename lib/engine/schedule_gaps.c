/* schedule_gaps.c: at which times of day the fixed times are due that clocks skip. */
#include "engine/schedule_gaps.h"

#include "base/num.h"

enum { MINUTE = 60, CORRECTION = 3 * 3600 /* pattern/schedule.h */ };

#define TWO_YEARS (2 * 366 * INT64_C(86400))

/* Of the change at that second: how far the clock jumps; else 0, as of a correction. */
static int32_t jump_at(const struct zone *zone, int64_t at)
{
    int32_t jump = zone->offset(zone, at) - zone->offset(zone, at - 1);
    return jump > -CORRECTION && jump < CORRECTION ? jump : 0;
}

static bool is_set(uint64_t bits, unsigned i)
{
    return bits >> i & 1;
}

/* A time of some day would be left out by it. */
static bool leaves_out(const struct schedule *schedule, const struct zone *zone, int64_t change)
{
    int64_t end = change + zone->offset(zone, change);
    for (int64_t local = end - jump_at(zone, change); local < end; local += MINUTE) {
        struct zone_civil date = zone_civil_of(local);
        if (is_set(schedule->minutes, date.minute) && is_set(schedule->hours, date.hour))
            return true;
    }
    return false;
}

static bool is_known(const struct schedule_gap *gaps, size_t count, const struct schedule_gap *gap)
{
    for (size_t i = 0; i < count; i++) {
        if (gaps[i].month == gap->month && gaps[i].hour == gap->hour &&
            gaps[i].minute == gap->minute)
            return true;
    }
    return false;
}

size_t schedule_gaps_find(const struct schedule *schedule, const struct zone *zone, int64_t now,
                          struct schedule_gap gaps[SCHEDULE_GAPS])
{
    int64_t at = now / NUM_SECOND, end = at + TWO_YEARS;
    size_t count = 0;
    if (schedule->kind != SCHEDULE_CRON || schedule->starred)
        return 0;
    while (count < SCHEDULE_GAPS && (at = zone_change(zone, at, end)) <= end) {
        if (jump_at(zone, at) <= 0 || !leaves_out(schedule, zone, at))
            continue;
        struct zone_civil date = zone_civil_of(at + zone->offset(zone, at));
        struct schedule_gap gap = {date.month, date.hour, date.minute};
        if (!is_known(gaps, count, &gap))
            gaps[count++] = gap;
    }
    return count;
}

bool schedule_gaps_repeat(const struct zone *zone, int64_t now)
{
    int64_t at = now / NUM_SECOND, end = at + TWO_YEARS;
    while ((at = zone_change(zone, at, end)) <= end) {
        if (jump_at(zone, at) < 0)
            return true;
    }
    return false;
}
