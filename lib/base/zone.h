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

/* Offsets are never further from 0 (RFC 8536, 3.2), in seconds. */
enum { ZONE_FURTHEST = 26 * 3600 };

/*
 * The first second above from at which the offset is another than at from; to + 1 if there is none
 * up to to. Changes of a zone are further apart than ZONE_STEP (in the years from 1970 on none of
 * the world are closer than days); one that is taken back within it may go unseen.
 */
enum { ZONE_STEP = 6 * 3600 };
int64_t zone_change(const struct zone *zone, int64_t from, int64_t to);

/* The first second at which clocks show that local time (seconds since 1970 as shown), or, where it
 * is left out, the first after the gap. */
int64_t zone_instant(const struct zone *zone, int64_t local);

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
