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
        interval += length;
        if (!reason && interval > NUM_LONGEST)
            reason = "longer than a hundred years";
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

static const char no_such_year[] = "only years from 1970 to 2261 are known";

static bool is_date(const char *text)
{
    return strlen(text) >= DATE_LEN && strspn(text, "0123456789") == 4 && text[4] == '-' &&
           text[7] == '-';
}

static bool is_known_year(const char *date)
{
    return strncmp(date, "1970", 4) >= 0 && strncmp(date, "2261", 4) <= 0;
}

/*
 * A date and what follows it (a time of day, perhaps without seconds, and perhaps an offset) as
 * RFC 3339 wants them. NULL, or what is wrong. local: without an offset; wall is then what clocks
 * show.
 */
static const char *read_date(const char *date, const char *rest, int64_t *wall, bool *local)
{
    size_t time = strspn(rest, "0123456789:.");
    const char *seconds = time == strlen("hh:mm") ? ":00" : "";
    *local = rest[time] == '\0';
    char text[AT_TEXT];
    int len = snprintf(text, sizeof text, "%.*sT%.*s%s%s", DATE_LEN, date, (int)time, rest, seconds,
                       *local ? "Z" : rest + time);
    const char *reason = len < AT_TEXT ? clock_parse(text, wall) : "";
    static const char no_such_day[] = "there is no such day";
    if (!reason || strcmp(reason, no_such_day) == 0)
        return reason;
    return is_date(date) && !is_known_year(date)
               ? no_such_year
               : "not a time like 17:30, 2026-12-24T18:00 or 2026-12-24T18:00:00+01:00";
}

/* What clocks show for the first time, with its fraction of a second. */
static int64_t instant_of(const struct zone *zone, int64_t shown)
{
    int64_t instant = zone_instant(zone, shown / NUM_SECOND);
    return instant * NUM_SECOND + shown % NUM_SECOND;
}

/* "17:30": today, or, if it was before now, tomorrow. */
static const char *read_time_of_day(const char *text, const struct zone *zone, int64_t now,
                                    int64_t *at)
{
    enum { DAY = 86400 };
    int64_t seconds = now / NUM_SECOND, shown;
    bool local;
    const char *reason = read_date("1970-01-01", text, &shown, &local);
    if (reason || !local)
        return reason ? reason : "an offset from UTC needs a date before it";
    int64_t today = (seconds + zone->offset(zone, seconds)) / DAY * DAY * NUM_SECOND;
    *at = instant_of(zone, today + shown);
    if (*at < now)
        *at = instant_of(zone, today + DAY * NUM_SECOND + shown);
    return NULL;
}

static int read_moment(struct schedule *schedule, const char *text, const struct zone *zone,
                       int64_t now, struct err *err)
{
    text += strspn(text, " \t");
    int64_t at;
    bool local;
    const char *reason;
    if (!is_date(text)) {
        reason = read_time_of_day(text, zone, now, &at);
    } else {
        size_t separator = text[DATE_LEN] && strchr("Tt ", text[DATE_LEN]) ? 1 : 0;
        reason = read_date(text, text + DATE_LEN + separator, &at, &local);
        if (!separator)
            reason = "a time of day is missing behind the date";
        if (!reason && local)
            at = instant_of(zone, at);
        if (!reason && at < 0) /* by its offset */
            reason = no_such_year;
    }
    if (reason)
        return err_set(err, ERR_USAGE, "%s", reason);
    *schedule = (struct schedule){.kind = SCHEDULE_AT, .at = at};
    return 0;
}

static int read_text(struct schedule *schedule, const char *text, const struct zone *zone,
                     int64_t now, struct err *err)
{
    if (!*text)
        return err_set(err, ERR_USAGE, "empty");
    if (strncmp(text, "at", 2) == 0 && (!text[2] || strchr(" \t", text[2])))
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
