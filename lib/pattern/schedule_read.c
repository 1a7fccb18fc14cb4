/* schedule_read.c: read a schedule: an interval, a moment, or what cron reads. */
#include "pattern/schedule.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "pattern/schedule_cron.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- intervals ---- */

/* The larger the earlier: "1h30m", not "30m1h". 0: it is none. */
static int rank_of(struct str unit)
{
    static const char *const units[] = {"ms", "s", "m", "h", "d"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (str_eq(unit, str_of(units[i])))
            return (int)i + 1;
    }
    return 0;
}

/* A number and its unit from the front of text, which is moved on. NULL, or what is wrong. */
static const char *read_part(const char **text, int *rank, int64_t *length)
{
    const char *start = *text, *unit = start;
    while (is_digit(*unit) || *unit == '.')
        unit++;
    const char *end = unit;
    while (*end && !is_digit(*end) && *end != '.')
        end++;
    char part[NUM_TEXT];
    size_t len = (size_t)(end - start);
    if (len >= sizeof part)
        return "too large";
    memcpy(part, start, len);
    part[len] = '\0';
    int larger = *rank;
    *rank = rank_of((struct str){unit, (size_t)(end - unit)});
    *text = end;
    const char *reason = num_duration(part, length);
    if (!reason && larger && (!*rank || *rank >= larger))
        reason = "not a duration (ms, s, m, h, d; the larger before the smaller)";
    return reason;
}

static int read_interval(struct schedule *schedule, const char *text, struct err *err)
{
    if (!is_digit(*text))
        return err_set(err, ERR_USAGE,
                       "neither an interval (30s, 1h30m) nor five fields of cron, a name of cron "
                       "(@daily) or \"at TIME\"");
    int64_t interval = 0, length = 0;
    int rank = 0;
    do {
        const char *reason = read_part(&text, &rank, &length);
        if (!reason && __builtin_add_overflow(interval, length, &interval))
            reason = "too large";
        if (reason)
            return err_set(err, ERR_USAGE, "%s", reason);
    } while (*text);
    if (interval < SCHEDULE_SHORTEST)
        return err_set(err, ERR_USAGE, "an interval is at least 1ms");
    *schedule = (struct schedule){.kind = SCHEDULE_INTERVAL, .interval = interval};
    return 0;
}

/* ---- moments ---- */

enum { DATE_LEN = 10, AT_TEXT = 64 };

static bool is_date(const char *text)
{
    return strlen(text) >= DATE_LEN && is_digit(text[0]) && text[4] == '-' && text[7] == '-';
}

/* How much a time of day lacks of "hh:mm:ss": what is to be put behind it. NULL: it is none. */
static const char *missing_of(const char *text)
{
    size_t len = strspn(text, "0123456789:");
    return text[len] || (len != 5 && len != 8) ? NULL : len == 5 ? ":00" : "";
}

/* A date and time as clocks show it, in seconds. */
static bool read_local(const char *date, const char *time, int64_t *local)
{
    const char *missing = missing_of(time);
    char text[AT_TEXT];
    int64_t wall;
    if (!missing ||
        snprintf(text, sizeof text, "%.*sT%s%sZ", DATE_LEN, date, time, missing) >= AT_TEXT ||
        clock_parse(text, &wall))
        return false;
    *local = wall / NUM_SECOND;
    return true;
}

static int refuse_moment(struct err *err)
{
    return err_set(err, ERR_USAGE,
                   "not a time like 17:30, 2026-12-24T18:00 or 2026-12-24T18:00:00+01:00");
}

/* "17:30": today, or, if it was before now, tomorrow. */
static int read_time_of_day(const char *text, const struct zone *zone, int64_t now, int64_t *at,
                            struct err *err)
{
    enum { DAY = 86400 };
    int64_t today = now / NUM_SECOND + zone->offset(zone, now / NUM_SECOND), time;
    if (!read_local("1970-01-01", text, &time))
        return refuse_moment(err);
    int64_t local = today - (today % DAY + DAY) % DAY + time;
    *at = zone_instant(zone, local) * NUM_SECOND;
    if (*at < now)
        *at = zone_instant(zone, local + DAY) * NUM_SECOND;
    return 0;
}

static int read_moment(struct schedule *schedule, const char *text, const struct zone *zone,
                       int64_t now, struct err *err)
{
    *schedule = (struct schedule){.kind = SCHEDULE_AT};
    text += strspn(text, " \t");
    if (!is_date(text))
        return read_time_of_day(text, zone, now, &schedule->at, err);
    char separator = text[DATE_LEN];
    bool dated = separator == 'T' || separator == 't' || separator == ' ';
    int64_t local;
    if (dated && read_local(text, text + DATE_LEN + 1, &local)) {
        schedule->at = zone_instant(zone, local) * NUM_SECOND;
        return 0;
    }
    return clock_parse(text, &schedule->at) ? refuse_moment(err) : 0;
}

static int read_text(struct schedule *schedule, const char *text, const struct zone *zone,
                     int64_t now, struct err *err)
{
    if (!*text)
        return err_set(err, ERR_USAGE, "empty");
    if (strncmp(text, "at", 2) == 0 && strspn(text + 2, " \t"))
        return read_moment(schedule, text + 2, zone, now, err);
    if (*text == '@' || strpbrk(text, " \t"))
        return schedule_cron_read(schedule, str_of(text), err);
    return read_interval(schedule, text, err);
}

int schedule_parse(struct schedule *schedule, const char *text, const struct zone *zone,
                   int64_t now, struct err *err)
{
    struct str trimmed = str_trim(str_of(text));
    char *words = mem_strndup(trimmed.data, trimmed.len);
    int result = read_text(schedule, words, zone, now, err);
    free(words);
    return result;
}
