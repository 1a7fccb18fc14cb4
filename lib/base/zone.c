/* zone.c: civil dates. The day counts are those of a year that begins in March, in eras of 400
 * years: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
#include "base/zone.h"

enum { DAY = 86400, ERA_DAYS = 146097, EPOCH_DAYS = 719468 /* from 0000-03-01 to 1970-01-01 */ };

static int32_t no_offset(const struct zone *zone, int64_t at)
{
    (void)zone;
    (void)at;
    return 0;
}

const struct zone zone_utc = {no_offset};

int64_t zone_change(const struct zone *zone, int64_t from, int64_t to)
{
    int32_t before = zone->offset(zone, from);
    int64_t same = from, other = from;
    while (zone->offset(zone, other) == before) {
        if (other == to)
            return to + 1;
        same = other;
        other = to - same > ZONE_STEP ? same + ZONE_STEP : to;
    }
    while (other - same > 1) {
        int64_t middle = same + (other - same) / 2;
        if (zone->offset(zone, middle) == before)
            same = middle;
        else
            other = middle;
    }
    return other;
}

int64_t zone_instant(const struct zone *zone, int64_t local)
{
    int64_t from = local - ZONE_FURTHEST, end = local + ZONE_FURTHEST;
    while (from <= end) {
        int64_t next = zone_change(zone, from, end);
        int64_t at = local - zone->offset(zone, from);
        if (at < from) /* left out by the change at from */
            return from;
        if (at < next)
            return at;
        from = next;
    }
    return end;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

struct zone_civil zone_civil_of(int64_t seconds)
{
    int64_t days = floor_div(seconds, DAY);
    unsigned rest = (unsigned)(seconds - days * DAY);
    int64_t shifted = days + EPOCH_DAYS;
    int64_t era = floor_div(shifted, ERA_DAYS);
    unsigned of_era = (unsigned)(shifted - era * ERA_DAYS);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* 0 is March */
    return (struct zone_civil){
        .year = era * 400 + year + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
        .hour = rest / 3600,
        .minute = rest / 60 % 60,
        .second = rest % 60,
        .weekday = (unsigned)((days % 7 + 11) % 7), /* 1970-01-01 was a Thursday */
    };
}

int64_t zone_seconds_of(const struct zone_civil *civil)
{
    int64_t year = civil->year - (civil->month <= 2);
    int64_t era = floor_div(year, 400);
    unsigned of_era = (unsigned)(year - era * 400);
    unsigned month = civil->month > 2 ? civil->month - 3 : civil->month + 9;
    unsigned of_year = (153 * month + 2) / 5 + civil->day - 1;
    int64_t days = era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAYS;
    return days * DAY + civil->hour * 3600 + civil->minute * 60 + civil->second;
}
