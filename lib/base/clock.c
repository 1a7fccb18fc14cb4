/* clock.c: the time, which a test can invent. */
#include "base/clock.h"

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
