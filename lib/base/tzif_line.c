/* tzif_line.c: a time zone in a line: "CET-1CEST,M3.5.0,M10.5.0/3". */
#include "base/tzif_line.h"

#include "base/zone.h"

enum { DAY = 86400, HOUR = 3600, LONGEST_HOURS = 167, FURTHEST_HOURS = 24, SHORTEST_NAME = 3 };

/* ---- reading ---- */

static char look(const struct str *text)
{
    return text->len ? text->data[0] : '\0';
}

static void skip(struct str *text, size_t count)
{
    text->data += count;
    text->len -= count;
}

static bool passes(struct str *text, char c)
{
    if (!text->len || look(text) != c)
        return false;
    skip(text, 1);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool read_number(struct str *text, int low, int high, int *number)
{
    if (!is_digit(look(text)))
        return false;
    for (*number = 0; is_digit(look(text)); skip(text, 1)) {
        *number = *number * 10 + (look(text) - '0');
        if (*number > high)
            return false;
    }
    return *number >= low;
}

/* "CET" or "<+01>": nobody asks for it. */
static bool skip_name(struct str *text)
{
    bool quoted = passes(text, '<');
    size_t len = 0;
    while (len < text->len &&
           (is_letter(text->data[len]) ||
            (quoted && (is_digit(text->data[len]) || strchr("+-", text->data[len])))))
        len++;
    skip(text, len);
    return len >= SHORTEST_NAME && (!quoted || passes(text, '>'));
}

/* [+-]hh[:mm[:ss]], in seconds. */
static bool read_time(struct str *text, int most_hours, int32_t *seconds)
{
    int sign = passes(text, '-') ? -1 : 1;
    if (sign > 0)
        (void)passes(text, '+');
    int hours, minutes = 0, rest = 0;
    if (!read_number(text, 0, most_hours, &hours))
        return false;
    if (passes(text, ':')) {
        if (!read_number(text, 0, 59, &minutes))
            return false;
        if (passes(text, ':') && !read_number(text, 0, 59, &rest))
            return false;
    }
    *seconds = sign * (hours * HOUR + minutes * 60 + rest);
    return true;
}

static bool read_offset(struct str *text, int32_t *east)
{
    int32_t west;
    if (!read_time(text, FURTHEST_HOURS, &west))
        return false;
    *east = -west;
    return true;
}

static bool read_day(struct str *text, struct tzif_day *day)
{
    *day = (struct tzif_day){.kind = TZIF_DAY, .time = 2 * HOUR};
    bool read;
    if (passes(text, 'M')) {
        day->kind = TZIF_MONTH;
        read = read_number(text, 1, 12, &day->month) && passes(text, '.') &&
               read_number(text, 1, 5, &day->week) && passes(text, '.') &&
               read_number(text, 0, 6, &day->day);
    } else if (passes(text, 'J')) {
        day->kind = TZIF_JULIAN;
        read = read_number(text, 1, 365, &day->day);
    } else {
        read = read_number(text, 0, 365, &day->day);
    }
    return read && (!passes(text, '/') || read_time(text, LONGEST_HOURS, &day->time));
}

static bool read_rules(struct str text, struct tzif_line *line)
{
    return passes(&text, ',') && read_day(&text, &line->start) && passes(&text, ',') &&
           read_day(&text, &line->end) && !text.len;
}

bool tzif_line_read(struct tzif_line *line, struct str text)
{
    *line = (struct tzif_line){0};
    if (!skip_name(&text) || !read_offset(&text, &line->standard))
        return false;
    if (!text.len)
        return true;
    line->has_summer = true;
    line->summer = line->standard + HOUR;
    if (!skip_name(&text))
        return false;
    if (text.len && look(&text) != ',' && !read_offset(&text, &line->summer))
        return false;
    return read_rules(text.len ? text : STR(",M3.2.0,M11.1.0"), line);
}

/* ---- looking ---- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* That weekday of its month. */
static int64_t month_day(const struct tzif_day *day, int64_t year)
{
    static const unsigned char lengths[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct zone_civil first = {.year = year, .month = (unsigned)day->month, .day = 1};
    int64_t start = zone_seconds_of(&first);
    int weekday = (int)((start / DAY % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    int date = (day->day - weekday + 7) % 7 + (day->week - 1) * 7;
    if (date >= lengths[day->month] + (day->month == 2 && is_leap(year)))
        date -= 7;
    return start + date * (int64_t)DAY;
}

/* Its beginning in that year, as clocks show it. */
static int64_t local_of(const struct tzif_day *day, int64_t year)
{
    if (day->kind == TZIF_MONTH)
        return month_day(day, year) + day->time;
    struct zone_civil first = {.year = year, .month = 1, .day = 1};
    int64_t days = day->day;
    if (day->kind == TZIF_JULIAN)
        days += (is_leap(year) && days >= 60) - 1;
    return zone_seconds_of(&first) + days * DAY + day->time;
}

/*
 * The last of the changes that are not after `at` tells. They may be of the year before, or, with
 * hours beyond a day, of the year after; where an end is a start, as with summer time all the year,
 * it is the start.
 */
static int32_t look_around(const struct tzif_line *line, int64_t at, int64_t year)
{
    int64_t last = INT64_MIN;
    int32_t offset = line->standard;
    for (int64_t i = year - 1; i <= year + 1; i++) {
        int64_t start = local_of(&line->start, i) - line->standard;
        int64_t end = local_of(&line->end, i) - line->summer;
        if (end <= at && end > last) {
            last = end;
            offset = line->standard;
        }
        if (start <= at && start >= last) {
            last = start;
            offset = line->summer;
        }
    }
    return offset;
}

int32_t tzif_line_offset(const struct tzif_line *line, int64_t at)
{
    if (!line->has_summer)
        return line->standard;
    struct zone_civil date = zone_civil_of(at), first = {.year = date.year, .month = 1, .day = 1};
    int64_t begin = zone_seconds_of(&first), length = 365 * (int64_t)DAY;
    int64_t start = local_of(&line->start, date.year) - line->standard;
    int64_t end = local_of(&line->end, date.year) - line->summer;
    bool within = start >= begin && start - begin < length && end >= begin && end - begin < length;
    if (!within || date.month == 1 || date.month == 12)
        return look_around(line, at, date.year);
    /* as nearly always: the changes of this year tell, and before the earlier it is as behind the
     * later */
    bool is_summer = start <= end ? start <= at && at < end : at < end || start <= at;
    return is_summer ? line->summer : line->standard;
}
