/*
 * source_ticks.h: the times of a schedule as events.
 *
 * Which time is due, and what becomes of those that are not begun, is decided by pattern/ticks.h;
 * here they become events, and outcomes move the cursor:
 *
 *     done               ended, and the last success
 *     dead, dropped      ended: the letter is written before, or it was replaced
 *     interrupted        open: the next run begins it again
 *
 * A time counts as under way until that is committed: so what an event says of the last success is
 * what a killed process would find. It sleeps until the clock on the wall shows the next time, and
 * looks again when the clock was set. Without a cursor nothing outlives the process.
 */
#ifndef FIT_ENGINE_SOURCE_TICKS_H
#define FIT_ENGINE_SOURCE_TICKS_H

#include "base/rng.h"
#include "engine/cursor_hold.h"
#include "engine/source.h"
#include "engine/ticks_setup.h"

struct source_ticks_settings {
    const struct ticks_setup *setup;
    const char *source; /* tick_event_source */
    bool data;          /* events are the bare data */
    uint64_t count;     /* end after so many; 0: never */
    /* Had, and taken over as its callbacks are; with what was kept, zeroed if nothing was. Both
     * outlive the source. NULL: nothing is kept. */
    struct cursor_hold *hold;
    const struct ticks_record *record;
    struct rng *rng;
};

/* The settings are copied, and what they point to outlives it. NULL with err. */
struct source *source_ticks(struct loop *loop, const struct source_ticks_settings *settings,
                            struct err *err);

/* Its times: for counts (missed, skipped). */
const struct ticks *source_ticks_of(const struct source *source);

#endif
