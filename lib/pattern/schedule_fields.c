/* schedule_fields.c: which minutes of the calendar the fields of a cron line match. */
#include "pattern/schedule_fields.h"

enum { MINUTES_OF_DAY = 24 * 60 };

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned length_of(int64_t year, unsigned month)
{
    static const unsigned char lengths[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : lengths[month];
}

/* Bits 1 to day. */
static uint32_t up_to(unsigned day)
{
    return (uint32_t)((UINT64_C(2) << day) - 2);
}

/* Bits from, from + 1, ... of bits. */
static uint32_t starting(uint32_t bits, unsigned from)
{
    return (uint32_t)((uint64_t)bits >> from << from);
}

static unsigned lowest(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

static unsigned highest(uint64_t bits)
{
    return 63 - (unsigned)__builtin_clzll(bits);
}

/* The days of that month that match: bit i is day i. */
static uint32_t days_of(const struct schedule *schedule, int64_t year, unsigned month)
{
    struct zone_civil first = {.year = year, .month = month, .day = 1};
    unsigned weekday = zone_civil_of(zone_seconds_of(&first)).weekday;
    uint64_t week = schedule->weekdays;
    uint64_t weeks = week | week << 7 | week << 14 | week << 21 | week << 28 | week << 35;
    uint32_t on_weekdays = (uint32_t)(weeks >> weekday << 1);
    uint32_t days =
        schedule->either_day ? schedule->days | on_weekdays : schedule->days & on_weekdays;
    return days & up_to(length_of(year, month));
}

/* The first day from *date on that matches; its time of day is kept. */
static bool next_day(const struct schedule *schedule, struct zone_civil *date)
{
    unsigned month = date->month, day = date->day;
    for (int64_t year = date->year; year <= SCHEDULE_LAST_YEAR; year++, month = 1, day = 1) {
        for (uint32_t left = starting(schedule->months, month); left; left &= left - 1, day = 1) {
            if (lowest(left) > month)
                day = 1;
            uint32_t days = starting(days_of(schedule, year, lowest(left)), day);
            if (!days)
                continue;
            date->year = year;
            date->month = lowest(left);
            date->day = lowest(days);
            return true;
        }
    }
    return false;
}

static bool prev_day(const struct schedule *schedule, struct zone_civil *date)
{
    unsigned month = date->month, day = date->day;
    for (int64_t year = date->year; year >= SCHEDULE_FIRST_YEAR; year--, month = 12, day = 31) {
        uint32_t left = schedule->months & up_to(month);
        for (; left; left &= ~(UINT32_C(1) << highest(left)), day = 31) {
            if (highest(left) < month)
                day = 31;
            uint32_t days = days_of(schedule, year, highest(left)) & up_to(day);
            if (!days)
                continue;
            date->year = year;
            date->month = highest(left);
            date->day = highest(days);
            return true;
        }
    }
    return false;
}

/* The first minute of a day from that one on; MINUTES_OF_DAY: none. */
static unsigned next_minute(const struct schedule *schedule, unsigned from)
{
    if (from >= MINUTES_OF_DAY)
        return MINUTES_OF_DAY;
    unsigned hour = from / 60;
    uint64_t minutes = schedule->minutes >> from % 60 << from % 60;
    if ((schedule->hours >> hour & 1) && minutes)
        return hour * 60 + lowest(minutes);
    uint32_t hours = starting(schedule->hours, hour + 1);
    return hours ? lowest(hours) * 60 + lowest(schedule->minutes) : MINUTES_OF_DAY;
}

/* The last minute of a day up to that one; MINUTES_OF_DAY: none. */
static unsigned prev_minute(const struct schedule *schedule, unsigned until)
{
    unsigned hour = until / 60;
    uint64_t minutes = schedule->minutes & ((UINT64_C(2) << until % 60) - 1);
    if ((schedule->hours >> hour & 1) && minutes)
        return hour * 60 + highest(minutes);
    uint32_t hours = schedule->hours & ((UINT32_C(1) << hour) - 1);
    return hours ? highest(hours) * 60 + highest(schedule->minutes) : MINUTES_OF_DAY;
}

static bool same_day(const struct zone_civil *a, const struct zone_civil *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day;
}

static int64_t at_minute(struct zone_civil date, unsigned minute)
{
    date.hour = minute / 60;
    date.minute = minute % 60;
    date.second = 0;
    return zone_seconds_of(&date);
}

bool schedule_fields_next(const struct schedule *schedule, int64_t local, int64_t *match)
{
    struct zone_civil today = zone_civil_of(local), day = today;
    if (!next_day(schedule, &day))
        return false;
    unsigned from = today.hour * 60 + today.minute + (today.second > 0);
    unsigned minute = next_minute(schedule, same_day(&day, &today) ? from : 0);
    if (minute == MINUTES_OF_DAY) {
        struct zone_civil tomorrow = zone_civil_of(at_minute(today, MINUTES_OF_DAY));
        day = tomorrow;
        if (!next_day(schedule, &day))
            return false;
        minute = next_minute(schedule, 0);
    }
    *match = at_minute(day, minute);
    return true;
}

bool schedule_fields_prev(const struct schedule *schedule, int64_t local, int64_t *match)
{
    struct zone_civil today = zone_civil_of(local), day = today;
    if (!prev_day(schedule, &day))
        return false;
    unsigned until = same_day(&day, &today) ? today.hour * 60 + today.minute : MINUTES_OF_DAY - 1;
    unsigned minute = prev_minute(schedule, until);
    if (minute == MINUTES_OF_DAY) {
        day = zone_civil_of(at_minute(today, 0) - 60);
        if (!prev_day(schedule, &day))
            return false;
        minute = prev_minute(schedule, MINUTES_OF_DAY - 1);
    }
    *match = at_minute(day, minute);
    return true;
}

bool schedule_fields_possible(const struct schedule *schedule)
{
    if (schedule->either_day)
        return true; /* there is one of each weekday in any month */
    for (uint32_t left = schedule->months; left; left &= left - 1) {
        if (schedule->days & up_to(length_of(2000, lowest(left))))
            return true; /* on each weekday in some year, also 29 February */
    }
    return false;
}
