/* schedule.c: when something is due: a cron line, an interval, one moment. */
#include "pattern/schedule.h"

#include "base/num.h"
#include "pattern/schedule_fields.h"

/* Changes of local time of this and more are corrections (cron(8)); seconds. */
enum { CORRECTION = 3 * 3600 };

/* How much of time is looked at before the next match of the fields is asked for: a local time,
 * wherever it falls, is within. */
enum { WINDOW = 2 * ZONE_FURTHEST + ZONE_STEP };

static int64_t floor_seconds(int64_t wall)
{
    return wall / NUM_SECOND - (wall % NUM_SECOND < 0);
}

/* A time of one offset: from .. to - 1. */
struct stretch {
    int64_t from, to;
    int32_t offset;
    int32_t jump; /* of local time at from: forward is positive */
};

/* What begins at from, at most ZONE_STEP of it, and not beyond limit. */
static struct stretch stretch_at(const struct zone *zone, int64_t from, int64_t limit)
{
    int64_t to = limit - from > ZONE_STEP ? from + ZONE_STEP : limit;
    int32_t offset = zone->offset(zone, from);
    return (struct stretch){from, zone_change(zone, from, to - 1), offset,
                            offset - zone->offset(zone, from - 1)};
}

/* A fixed time falls into what is left out at the stretch's beginning. */
static bool is_made_up(const struct schedule *schedule, const struct stretch *stretch)
{
    int64_t match, local = stretch->from + stretch->offset;
    return !schedule->starred && stretch->jump > 0 && stretch->jump < CORRECTION &&
           schedule_fields_next(schedule, local - stretch->jump, &match) && match < local;
}

/* From when on in the stretch the line is due when it matches: a fixed time not in what the clock
 * shows for the second time. */
static int64_t begins(const struct schedule *schedule, const struct stretch *stretch)
{
    bool repeated = !schedule->starred && stretch->jump < 0 && stretch->jump > -CORRECTION;
    return repeated ? stretch->from - stretch->jump : stretch->from;
}

static bool first_in(const struct schedule *schedule, const struct stretch *stretch, int64_t from,
                     int64_t *due)
{
    if (stretch->from >= from && is_made_up(schedule, stretch)) {
        *due = stretch->from;
        return true;
    }
    int64_t start = begins(schedule, stretch), local;
    if (start < from)
        start = from;
    if (!schedule_fields_next(schedule, start + stretch->offset, &local))
        return false;
    *due = local - stretch->offset;
    return *due < stretch->to;
}

static bool last_in(const struct schedule *schedule, const struct stretch *stretch, int64_t until,
                    int64_t *due)
{
    if (stretch->from > until)
        return false;
    int64_t end = stretch->to - 1 < until ? stretch->to - 1 : until, local;
    if (schedule_fields_prev(schedule, end + stretch->offset, &local) &&
        local - stretch->offset >= begins(schedule, stretch)) {
        *due = local - stretch->offset;
        return true;
    }
    *due = stretch->from;
    return is_made_up(schedule, stretch);
}

/* The first due second from that one on. What is repeated or made up at `from` is told by what was
 * within CORRECTION before it. */
static bool cron_next(const struct schedule *schedule, const struct zone *zone, int64_t from,
                      int64_t *due)
{
    while (from < SCHEDULE_END) {
        int64_t limit = from + WINDOW;
        struct stretch stretch;
        for (int64_t at = from - CORRECTION; at < limit; at = stretch.to) {
            stretch = stretch_at(zone, at, limit);
            if (stretch.to > from && first_in(schedule, &stretch, from, due))
                return *due < SCHEDULE_END;
        }
        int64_t local;
        if (!schedule_fields_next(schedule, limit - ZONE_FURTHEST, &local))
            return false;
        from = local - ZONE_FURTHEST > limit ? local - ZONE_FURTHEST : limit;
    }
    return false;
}

/* The last due second up to that one. Often it is not long ago: that is looked at first. */
static bool cron_prev(const struct schedule *schedule, const struct zone *zone, int64_t until,
                      int64_t *due)
{
    for (int64_t span = ZONE_STEP; until >= 0; span = WINDOW) {
        int64_t first = until - span + 1, found = -1;
        struct stretch stretch;
        for (int64_t at = first - CORRECTION; at <= until; at = stretch.to) {
            stretch = stretch_at(zone, at, until + 1);
            if (last_in(schedule, &stretch, until, due) && *due >= first)
                found = *due;
        }
        *due = found;
        if (found >= 0)
            return true;
        int64_t local;
        if (!schedule_fields_prev(schedule, first + ZONE_FURTHEST, &local))
            return false;
        until = local + ZONE_FURTHEST < first ? local + ZONE_FURTHEST : first - 1;
    }
    return false;
}

static bool interval_next(const struct schedule *schedule, int64_t after, int64_t *when)
{
    *when = schedule->anchor;
    if (after < schedule->anchor)
        return true;
    uint64_t passed = (uint64_t)after - (uint64_t)schedule->anchor;
    uint64_t rest = passed % (uint64_t)schedule->interval;
    return !__builtin_add_overflow(after, schedule->interval - (int64_t)rest, when) &&
           floor_seconds(*when) < SCHEDULE_END;
}

static bool interval_prev(const struct schedule *schedule, int64_t until, int64_t *when)
{
    if (until < schedule->anchor)
        return false;
    uint64_t passed = (uint64_t)until - (uint64_t)schedule->anchor;
    *when = until - (int64_t)(passed % (uint64_t)schedule->interval);
    return true;
}

bool schedule_next(const struct schedule *schedule, const struct zone *zone, int64_t after,
                   int64_t *when)
{
    switch (schedule->kind) {
    case SCHEDULE_INTERVAL:
        return interval_next(schedule, after, when);
    case SCHEDULE_AT:
        *when = schedule->at;
        return schedule->at > after;
    case SCHEDULE_CRON:
        break;
    }
    int64_t due, from = after < 0 ? 0 : floor_seconds(after) + 1;
    if (!cron_next(schedule, zone, from, &due))
        return false;
    *when = due * NUM_SECOND;
    return true;
}

bool schedule_prev(const struct schedule *schedule, const struct zone *zone, int64_t until,
                   int64_t *when)
{
    switch (schedule->kind) {
    case SCHEDULE_INTERVAL:
        return interval_prev(schedule, until, when);
    case SCHEDULE_AT:
        *when = schedule->at;
        return schedule->at <= until;
    case SCHEDULE_CRON:
        break;
    }
    int64_t due, last = floor_seconds(until);
    if (!cron_prev(schedule, zone, last < SCHEDULE_END ? last : SCHEDULE_END - 1, &due))
        return false;
    *when = due * NUM_SECOND;
    return true;
}
