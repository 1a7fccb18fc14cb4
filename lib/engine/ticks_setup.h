/*
 * ticks_setup.h: a schedule as `every` was given it, and where it begins: anew, or behind what an
 * earlier run has kept.
 *
 * Another schedule under the same name goes on from now, as a first run would. A moment ("at
 * 17:30") is the one that the first run meant, until it has ended; who runs it again then means the
 * next one, but for --once, which cron repeats.
 */
#ifndef FIT_ENGINE_TICKS_SETUP_H
#define FIT_ENGINE_TICKS_SETUP_H

#include "engine/ticks_record.h"
#include "pattern/ticks.h"

struct ticks_setup {
    const char *text;      /* of the schedule */
    const char *zone_name; /* NULL: the machine's */
    struct schedule schedule;
    const struct zone *zone;
    struct ticks_policy policy;
    bool once; /* only what is due now: when it is begun anew, a cron line's time of the last minute
                  counts as such, and a moment however long ago; an interval begins with the minute,
                  or up to a second ago, and a tenth of itself, if it is not of whole ones */
};

/* Begin. False: anew. ticks is to be freed. record: zeroed when nothing was kept. */
bool ticks_setup_begin(const struct ticks_setup *setup, const struct ticks_record *record,
                       int64_t now, struct ticks *ticks);

/* Would a run begin a time now, or have something to keep? For who wants no lock for nothing. */
bool ticks_setup_is_due(const struct ticks_setup *setup, const struct ticks_record *record,
                        int64_t now);

#endif
