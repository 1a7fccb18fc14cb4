/*
 * zone.h: how far local time is from UTC, for who computes with it.
 *
 * A zone is a function of the time: its offset. Where its rules come from is left to who makes it:
 * sys/zone_named.h knows the zones of the system; a test invents one. Nothing here depends on the
 * process's own zone.
 */
#ifndef FIT_BASE_ZONE_H
#define FIT_BASE_ZONE_H

#include <stdint.h>

struct zone { /* first in an implementation's own struct */
    /* Seconds that local time is ahead of UTC (east is positive) at that second since 1970, UTC. */
    int32_t (*offset)(const struct zone *zone, int64_t at);
};

extern const struct zone zone_utc;

/* A date and time of day, as a clock on the wall shows it (proleptic Gregorian). */
struct zone_civil {
    int64_t year;
    unsigned month, day; /* 1 .. 12, 1 .. 31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0 is Sunday */
};

/* Seconds since 1970 as such, and back, without any zone: the one is shifted by the offset before.
 * The weekday is not looked at. */
struct zone_civil zone_civil_of(int64_t seconds);
int64_t zone_seconds_of(const struct zone_civil *civil);

#endif
