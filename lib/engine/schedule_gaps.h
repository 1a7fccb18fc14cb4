/*
 * schedule_gaps.h: at which times of day the fixed times are due that clocks skip.
 *
 * Other schedulers leave such times out. Who is started at the end of what clocks have skipped,
 * looks what is due then, and finds them.
 */
#ifndef FIT_ENGINE_SCHEDULE_GAPS_H
#define FIT_ENGINE_SCHEDULE_GAPS_H

#include "pattern/schedule.h"

#include <stddef.h>

enum { SCHEDULE_GAPS = 4 /* different ones that are looked for; zones have one */ };

struct schedule_gap {
    unsigned month, hour, minute; /* of the end, as clocks show it */
};

/* Those of the changes in the two years from now on by which some day's time is left out. Their
 * number. */
size_t schedule_gaps_find(const struct schedule *schedule, const struct zone *zone, int64_t now,
                          struct schedule_gap gaps[SCHEDULE_GAPS]);

/* Do clocks show something for the second time in these two years? */
bool schedule_gaps_repeat(const struct zone *zone, int64_t now);

#endif
