/* schedule_calendar.c: a schedule in the words of other schedulers. */
#include "engine/schedule_calendar.h"

#include "base/num.h"
#include "engine/schedule_gaps.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* ---- crontab(5) ---- */

/* Exact while the clock is not changed: cron counts hours of the day, not what passes. */
static int interval_fields(struct buf *fields, int64_t interval, struct err *err)
{
    int64_t seconds = interval / NUM_SECOND;
    bool whole = interval % NUM_SECOND == 0;
    if (whole && seconds == MINUTE)
        buf_puts(fields, "* * * * *");
    else if (whole && seconds < HOUR && seconds % MINUTE == 0 && HOUR % seconds == 0)
        buf_addf(fields, "*/%d * * * *", (int)(seconds / MINUTE));
    else if (whole && seconds == HOUR)
        buf_puts(fields, "0 * * * *");
    else if (whole && seconds < DAY && seconds % HOUR == 0 && DAY % seconds == 0)
        buf_addf(fields, "0 */%d * * *", (int)(seconds / HOUR));
    else if (whole && seconds == DAY)
        buf_puts(fields, "0 0 * * *");
    else
        return err_set(err, ERR_USAGE,
                       "cron knows minutes, and no intervals that do not divide an hour or a day");
    return 0;
}

/* The words with one blank between them. */
static void copy_fields(struct buf *fields, const char *text)
{
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    while (*text) {
        size_t len = strcspn(text, blanks);
        buf_add(fields, text, len);
        text += len + strspn(text + len, blanks);
        if (*text)
            buf_addc(fields, ' ');
    }
}

int schedule_calendar_crontab(struct buf *fields, const struct schedule *schedule, const char *text,
                              struct err *err)
{
    switch (schedule->kind) {
    case SCHEDULE_INTERVAL:
        return interval_fields(fields, schedule->interval, err);
    case SCHEDULE_AT:
        return err_set(err, ERR_USAGE, "cron knows no year: use at(1), or --print systemd");
    case SCHEDULE_CRON:
        break;
    }
    copy_fields(fields, text);
    return 0;
}

/* ---- systemd.time(7) ---- */

static bool is_set(uint64_t bits, unsigned i)
{
    return bits >> i & 1;
}

/* "first/step": bits are first, first + step, ... up to high, three at least. 0: they are not. */
static unsigned step_of(uint64_t bits, unsigned high)
{
    unsigned first = (unsigned)__builtin_ctzll(bits);
    uint64_t rest = bits & (bits - 1);
    if (!rest || !(rest & (rest - 1)))
        return 0;
    unsigned step = (unsigned)__builtin_ctzll(rest) - first;
    uint64_t all = 0;
    for (unsigned i = first; i <= high; i += step)
        all |= UINT64_C(1) << i;
    return step > 1 && all == bits ? step : 0;
}

/* A component: *, a step, or a list with ranges. */
static void add_component(struct buf *text, uint64_t bits, unsigned low, unsigned high)
{
    uint64_t all = ((UINT64_C(2) << high) - 1) & ~((UINT64_C(1) << low) - 1);
    unsigned step = step_of(bits, high);
    if (bits == all) {
        buf_addc(text, '*');
        return;
    }
    if (step) {
        buf_addf(text, "%02u", (unsigned)__builtin_ctzll(bits));
        /* systemd (seen in 252) steps beyond the end, and so over a midnight's first match, where
         * it is not told the end */
        if ((high - low + 1) % step)
            buf_addf(text, "..%02u", high);
        buf_addf(text, "/%u", step);
        return;
    }
    const char *separator = "";
    for (unsigned i = low; i <= high; i++) {
        if (!is_set(bits, i))
            continue;
        unsigned last = i;
        while (last < high && is_set(bits, last + 1))
            last++;
        buf_addf(text, last > i + 1 ? "%s%02u..%02u" : "%s%02u", separator, i, last);
        i = last > i + 1 ? last : i;
        separator = ",";
    }
}

static void add_weekdays(struct buf *text, uint32_t weekdays)
{
    static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    enum { ALL = 0x7f };
    if (weekdays == ALL)
        return;
    const char *separator = "";
    for (unsigned i = 1; i <= 7; i++) { /* its weeks begin on Monday */
        if (is_set(weekdays, i % 7)) {
            buf_addf(text, "%s%s", separator, names[i % 7]);
            separator = ",";
        }
    }
    buf_addc(text, ' ');
}

static void add_event(struct buf *lines, const struct schedule *schedule, uint32_t days,
                      uint32_t weekdays, const char *zone_name)
{
    buf_puts(lines, "OnCalendar=");
    add_weekdays(lines, weekdays);
    buf_puts(lines, "*-");
    add_component(lines, schedule->months, 1, 12);
    buf_addc(lines, '-');
    add_component(lines, days, 1, 31);
    buf_addc(lines, ' ');
    add_component(lines, schedule->hours, 0, 23);
    buf_addc(lines, ':');
    add_component(lines, schedule->minutes, 0, 59);
    buf_puts(lines, ":00");
    if (zone_name)
        buf_addf(lines, " %s", zone_name);
    buf_addc(lines, '\n');
}

/* What clocks skip, and what they repeat. */
static void add_changes(struct buf *lines, const struct schedule *schedule, const struct zone *zone,
                        const char *zone_name, int64_t now)
{
    struct schedule_gap gaps[SCHEDULE_GAPS];
    size_t count = schedule_gaps_find(schedule, zone, now, gaps);
    if (count)
        buf_puts(lines, "# when clocks have skipped times, they are due at once\n");
    for (size_t i = 0; i < count; i++)
        buf_addf(lines, "OnCalendar=*-%02u-* %02u:%02u:00%s%s\n", gaps[i].month, gaps[i].hour,
                 gaps[i].minute, zone_name ? " " : "", zone_name ? zone_name : "");
    if (schedule->starred && schedule_gaps_repeat(zone, now))
        buf_puts(lines, "# what clocks repeat, systemd does not\n");
}

/* In UTC, down to its microseconds. */
static int add_moment(struct buf *lines, int64_t at, struct err *err)
{
    enum { LAST_YEAR = 2199 }; /* of a calendar event */
    struct zone_civil date = zone_civil_of(at / NUM_SECOND);
    if (date.year > LAST_YEAR)
        return err_set(err, ERR_USAGE, "systemd knows no years after %d", LAST_YEAR);
    buf_addf(lines, "OnCalendar=%04d-%02u-%02u %02u:%02u:%02u", (int)date.year, date.month,
             date.day, date.hour, date.minute, date.second);
    if (at % NUM_SECOND)
        buf_addf(lines, ".%06d", (int)(at % NUM_SECOND / 1000));
    buf_puts(lines, " UTC\n");
    return 0;
}

int schedule_calendar_systemd(struct buf *lines, const struct schedule *schedule,
                              const struct zone *zone, const char *zone_name, int64_t now,
                              struct err *err)
{
    enum { EVERY_WEEKDAY = 0x7f };
    const uint32_t every_day = UINT32_MAX - 1;
    if (schedule->kind == SCHEDULE_AT)
        return add_moment(lines, schedule->at, err);
    if (schedule->either_day) {
        add_event(lines, schedule, schedule->days, EVERY_WEEKDAY, zone_name);
        add_event(lines, schedule, every_day, schedule->weekdays, zone_name);
    } else {
        add_event(lines, schedule, schedule->days, schedule->weekdays, zone_name);
    }
    add_changes(lines, schedule, zone, zone_name, now);
    return 0;
}
