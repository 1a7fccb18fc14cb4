/* ticks_setup.c: a schedule as `every` was given it, and where it begins. */
#include "engine/ticks_setup.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

static bool is_same(const struct ticks_setup *setup, const struct ticks_record *record)
{
    return str_eq(buf_str(&record->schedule), str_of(setup->text)) &&
           str_eq(buf_str(&record->zone), str_of(setup->zone_name));
}

/* Has its moment ended, so that another one is meant? */
static bool is_spent(const struct ticks_setup *setup, const struct ticks_record *record)
{
    return setup->schedule.kind == SCHEDULE_AT && !setup->once && !record->count &&
           record->through >= record->at;
}

/* Who starts --once for an interval counts from its own last start, and was here for the first time
 * later than it will be for the next ones: so much earlier than now the interval begins. */
static int64_t head_start(const struct ticks_setup *setup)
{
    int64_t length = setup->schedule.interval / 10, deadline = setup->policy.deadline;
    if (length > SECOND)
        length = SECOND;
    return deadline && length > deadline / 2 ? deadline / 2 : length;
}

static int64_t first_anchor(const struct ticks_setup *setup, int64_t now)
{
    if (!setup->once || setup->schedule.kind != SCHEDULE_INTERVAL)
        return now;
    bool whole = setup->schedule.interval % MINUTE == 0;
    return now - (whole ? now % MINUTE : head_start(setup));
}

/* How long ago a time may be that counts when it is begun anew. A moment does not come again: it is
 * not over as long as nobody has run it. */
static int64_t first_look_back(const struct ticks_setup *setup, int64_t now)
{
    if (!setup->once)
        return 0;
    bool passed = setup->schedule.kind == SCHEDULE_AT && setup->schedule.at < now - TICKS_PROMPT;
    return passed ? now - setup->schedule.at : TICKS_PROMPT;
}

bool ticks_setup_begin(const struct ticks_setup *setup, const struct ticks_record *record,
                       int64_t now, struct ticks *ticks)
{
    struct schedule schedule = setup->schedule;
    bool resumes = record->schedule.len && is_same(setup, record) && !is_spent(setup, record);
    if (resumes) {
        schedule.anchor = record->anchor;
        if (schedule.kind == SCHEDULE_AT)
            schedule.at = record->at;
    }
    ticks_init(ticks, &schedule, setup->zone, &setup->policy);
    if (resumes)
        ticks_resume(ticks, record->through, record->open, record->count);
    else
        ticks_begin(ticks, first_anchor(setup, now), first_look_back(setup, now));
    return resumes;
}

bool ticks_setup_is_due(const struct ticks_setup *setup, const struct ticks_record *record,
                        int64_t now)
{
    struct ticks ticks;
    struct tick tick;
    int64_t when;
    bool resumes = ticks_setup_begin(setup, record, now, &ticks);
    bool due = !resumes || ticks_next(&ticks, now, &tick, &when) == TICKS_RUN || ticks.missed ||
               ticks_are_delayed(&ticks, now);
    ticks_free(&ticks);
    return due;
}
