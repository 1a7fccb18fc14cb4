/*
 * tzif_line.h: a time zone in a line: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX, 8.3, TZ; with the hours
 * from -167 to 167 of RFC 8536, 3.3.1).
 */
#ifndef FIT_BASE_TZIF_LINE_H
#define FIT_BASE_TZIF_LINE_H

#include "base/str.h"

#include <stdint.h>

/* A day of each year and a time of that day. */
struct tzif_day {
    enum tzif_day_kind {
        TZIF_MONTH,  /* that weekday of the month: 1 to 4; 5 is the last */
        TZIF_JULIAN, /* 1 .. 365, without 29 February */
        TZIF_DAY,    /* 0 .. 365 */
    } kind;
    int month, week, day;
    int32_t time; /* seconds, by the clock that is in force until then */
};

struct tzif_line {
    int32_t standard, summer; /* offsets, seconds; east is positive */
    bool has_summer;
    struct tzif_day start, end;
};

/* False: it is none. Summer time without rules has those of the United States, as elsewhere. */
bool tzif_line_read(struct tzif_line *line, struct str text);

int32_t tzif_line_offset(const struct tzif_line *line, int64_t at);

#endif
