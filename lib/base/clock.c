/* clock.c: the time, which a test can invent. */
#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static const int64_t *invented_now;
static const int64_t *invented_wall;

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now(void)
{
    return invented_now ? *invented_now : read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
    return invented_wall ? *invented_wall : read_clock(CLOCK_REALTIME);
}

void clock_invent(const int64_t *now, const int64_t *wall)
{
    invented_now = now;
    invented_wall = wall;
}

const char *clock_format(int64_t wall, char text[CLOCK_TEXT])
{
    time_t seconds = (time_t)(wall / 1000000000);
    struct tm utc;
    char day[24];
    gmtime_r(&seconds, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, CLOCK_TEXT, "%s.%03dZ", day, (int)(wall / 1000000 % 1000));
    return text;
}

/* count digits as a number from min to max; moves *text on. -1: they are not. */
static int digits(const char **text, int count, int min, int max)
{
    int number = 0;
    for (; count; count--, ++*text) {
        if (**text < '0' || **text > '9')
            return -1;
        number = number * 10 + (**text - '0');
    }
    return number >= min && number <= max ? number : -1;
}

static bool passes(const char **text, char c)
{
    if (**text != c)
        return false;
    ++*text;
    return true;
}

static bool parse_fraction(const char **text, int64_t *nanoseconds)
{
    *nanoseconds = 0;
    if (!passes(text, '.'))
        return true;
    const char *start = *text;
    for (int64_t unit = 100000000; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
        *nanoseconds += unit * (**text - '0');
    return *text > start;
}

/* Seconds that the zone is ahead of UTC. */
static bool parse_zone(const char **text, int *ahead)
{
    *ahead = 0;
    if (passes(text, 'Z') || passes(text, 'z'))
        return **text == '\0';
    int sign = **text == '-' ? -1 : 1;
    if (!passes(text, '+') && !passes(text, '-'))
        return false;
    int hours = digits(text, 2, 0, 23);
    int minutes = hours >= 0 && passes(text, ':') ? digits(text, 2, 0, 59) : -1;
    *ahead = sign * (hours * 3600 + minutes * 60);
    return minutes >= 0 && **text == '\0';
}

static bool parse_day(const char **text, struct tm *utc)
{
    utc->tm_year = digits(text, 4, 1970, 2261) - 1900;
    if (utc->tm_year < 0 || !passes(text, '-'))
        return false;
    utc->tm_mon = digits(text, 2, 1, 12) - 1;
    if (utc->tm_mon < 0 || !passes(text, '-'))
        return false;
    utc->tm_mday = digits(text, 2, 1, 31);
    return utc->tm_mday > 0 && (passes(text, 'T') || passes(text, 't'));
}

static bool parse_hours(const char **text, struct tm *utc)
{
    utc->tm_hour = digits(text, 2, 0, 23);
    if (utc->tm_hour < 0 || !passes(text, ':'))
        return false;
    utc->tm_min = digits(text, 2, 0, 59);
    if (utc->tm_min < 0 || !passes(text, ':'))
        return false;
    utc->tm_sec = digits(text, 2, 0, 59);
    return utc->tm_sec >= 0;
}

const char *clock_parse(const char *text, int64_t *wall)
{
    struct tm utc = {0};
    int64_t fraction;
    int ahead;
    if (!parse_day(&text, &utc) || !parse_hours(&text, &utc) || !parse_fraction(&text, &fraction) ||
        !parse_zone(&text, &ahead))
        return "not a time like 2026-11-23T17:35:00Z";
    int day = utc.tm_mday;
    int64_t seconds = timegm(&utc);
    if (utc.tm_mday != day)
        return "there is no such day";
    *wall = (seconds - ahead) * 1000000000 + fraction;
    return NULL;
}
