/* ticks.c: which times of a schedule are due, which are left out, and in what order they begin. */
#include "pattern/ticks.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

#define MILLISECOND INT64_C(1000000)

/* No start is later; what is added to a time may round. */
#define LATEST (INT64_MAX - NUM_SECOND)

/* ---- the schedule ---- */

static bool next_after(const struct ticks *ticks, int64_t after, int64_t *when)
{
    return schedule_next(&ticks->schedule, ticks->zone, after, when);
}

/* When a time begins: never after the next one, so that their order is that of the schedule. */
static int64_t start_of(const struct ticks *ticks, int64_t time)
{
    int64_t span = ticks->policy.jitter, next;
    if (!span)
        return time;
    if (!next_after(ticks, time, &next))
        next = LATEST;
    if (next - time < span)
        span = next - time;
    struct rng rng;
    rng_seed(&rng, ticks->policy.seed ^ (uint64_t)time);
    return time + (int64_t)(rng_unit(&rng) * (double)span);
}

static bool is_late(const struct ticks *ticks, int64_t time, int64_t limit, int64_t now)
{
    return limit && now - start_of(ticks, time) > limit;
}

/* How many times there are from first on, before end. */
static uint64_t count_times(const struct ticks *ticks, int64_t first, int64_t end)
{
    uint64_t count = 0;
    if (ticks->schedule.kind == SCHEDULE_INTERVAL && first < end) {
        int64_t interval = ticks->schedule.interval;
        return (uint64_t)((end - first - 1) / interval) + 1;
    }
    while (first < end && count < TICKS_COUNTED) {
        count++;
        if (!next_after(ticks, first, &first))
            break;
    }
    return count;
}

/* ---- times that are left out ---- */

static void leave_missed(struct ticks *ticks, uint64_t count)
{
    ticks->missed += count;
    ticks->left_out_missed += count;
}

static void leave_skipped(struct ticks *ticks, uint64_t count)
{
    ticks->skipped += count;
    ticks->left_out_skipped += count;
}

/* ---- open times ---- */

static void add(struct ticks *ticks, int64_t time, bool again)
{
    if (ticks->count == ticks->room) {
        ticks->room = ticks->room ? 2 * ticks->room : 8;
        ticks->open = mem_realloc(ticks->open, ticks->room * sizeof *ticks->open);
    }
    ticks->open[ticks->count++] = (struct tick_open){.tick.scheduled = time, .again = again};
    ticks->waiting++;
}

static void drop(struct ticks *ticks, size_t place)
{
    *(ticks->open[place].state == TICK_WAITING ? &ticks->waiting : &ticks->running) -= 1;
    ticks->count--;
    memmove(&ticks->open[place], &ticks->open[place + 1],
            (ticks->count - place) * sizeof *ticks->open);
}

/* The first in that state; count: there is none. */
static size_t first_in(const struct ticks *ticks, enum tick_state state)
{
    size_t place = 0;
    while (place < ticks->count && ticks->open[place].state != state)
        place++;
    return place;
}

/* All that wait but the last `kept`. Returns how many they were. */
static uint64_t drop_waiting(struct ticks *ticks, size_t kept)
{
    uint64_t dropped = 0;
    for (; ticks->waiting > kept; dropped++)
        drop(ticks, first_in(ticks, TICK_WAITING));
    return dropped;
}

/* ---- looking ---- */

static bool has_backlog(const struct ticks *ticks)
{
    return ticks->waiting || ticks->through < ticks->until;
}

static void decide_through(struct ticks *ticks, int64_t time)
{
    ticks->through = ticks->until = time;
}

/* Another anchor, an interval from now on; not in step with the old one, so that no time of before
 * comes again. */
static void move_anchor(struct ticks *ticks, int64_t now)
{
    struct schedule *schedule = &ticks->schedule;
    int64_t anchor = now - now % MILLISECOND + schedule->interval;
    if ((anchor - schedule->anchor) % schedule->interval == 0)
        anchor += MILLISECOND;
    schedule->anchor = anchor;
    decide_through(ticks, anchor - 1);
}

static void follow_clock(struct ticks *ticks, int64_t now)
{
    int64_t ahead = ticks->through - now;
    if (ticks->through < ticks->until) /* these come first */
        return;
    if (ticks->schedule.kind == SCHEDULE_INTERVAL && ahead - MILLISECOND > ticks->schedule.interval)
        move_anchor(ticks, now);
    else if (ticks->schedule.kind == SCHEDULE_CRON && ahead >= TICKS_CORRECTION)
        decide_through(ticks, now);
}

/* The first and the last of those that are due and not yet seen. False: there is none. */
static bool find_due(const struct ticks *ticks, int64_t now, int64_t *first, int64_t *last)
{
    if (!next_after(ticks, ticks->until, first) || start_of(ticks, *first) > now)
        return false;
    bool found = schedule_prev(&ticks->schedule, ticks->zone, now, last);
    if (found && *last > *first && start_of(ticks, *last) > now)
        found = schedule_prev(&ticks->schedule, ticks->zone, *last - 1, last);
    if (!found || *last < *first)
        *last = *first;
    return true;
}

/* It is its time, and nothing stands before it. */
static void meet(struct ticks *ticks, int64_t time)
{
    bool begins = false;
    switch (ticks->policy.overlap) {
    case TICKS_FORBID:
        begins = !ticks->running && !ticks->waiting;
        break;
    case TICKS_ALLOW:
        begins = ticks->running + ticks->waiting < ticks->policy.at_once;
        break;
    case TICKS_REPLACE:
        leave_skipped(ticks, drop_waiting(ticks, 0));
        begins = true;
        break;
    case TICKS_QUEUE:
        begins = ticks->waiting < TICKS_QUEUED;
        break;
    }
    if (begins)
        add(ticks, time, false);
    else
        leave_skipped(ticks, 1);
}

/* Those that are too late already need not be gone through one by one. */
static void pass_late(struct ticks *ticks, int64_t now)
{
    int64_t limit = ticks->policy.deadline, jitter = ticks->policy.jitter, first, last;
    if (!limit || jitter >= now - limit || !next_after(ticks, ticks->through, &first) ||
        !schedule_prev(&ticks->schedule, ticks->zone, now - limit - jitter - 1, &last) ||
        last < first || last > ticks->until)
        return;
    leave_missed(ticks, count_times(ticks, first, last) + 1);
    ticks->through = last;
}

static void look_for_all(struct ticks *ticks, int64_t now, bool fresh)
{
    int64_t first, last;
    if (!find_due(ticks, now, &first, &last))
        return;
    if (first != last || fresh || has_backlog(ticks)) {
        ticks->until = last;
        pass_late(ticks, now);
    } else {
        decide_through(ticks, last);
        meet(ticks, last);
    }
}

static void look_for_last(struct ticks *ticks, int64_t now, bool fresh)
{
    int64_t limit = ticks->policy.deadline;
    int64_t first, last;
    if (!limit && ticks->policy.missed == TICKS_NONE)
        limit = TICKS_PROMPT;
    bool any = find_due(ticks, now, &first, &last);
    if (fresh)
        leave_missed(ticks, drop_waiting(ticks, !any));
    if (fresh && ticks->waiting && is_late(ticks, ticks->open[0].tick.scheduled, limit, now))
        leave_missed(ticks, drop_waiting(ticks, 0));
    if (!any)
        return;
    leave_missed(ticks, count_times(ticks, first, last));
    decide_through(ticks, last);
    if (is_late(ticks, last, limit, now))
        leave_missed(ticks, 1);
    else
        meet(ticks, last);
}

static void look(struct ticks *ticks, int64_t now)
{
    bool fresh = !ticks->looked;
    ticks->looked = true;
    follow_clock(ticks, now);
    if (ticks->policy.missed == TICKS_ALL)
        look_for_all(ticks, now, fresh);
    else
        look_for_last(ticks, now, fresh);
}

/* ---- beginning ---- */

static bool may_begin(const struct ticks *ticks, bool made_up)
{
    if (!ticks->running)
        return true;
    if (ticks->policy.overlap == TICKS_ALLOW)
        return ticks->running < ticks->policy.at_once;
    return ticks->policy.overlap == TICKS_REPLACE && !made_up;
}

/* The next one in turn, if it may begin, as the one at *place of those that wait. */
static bool find_turn(struct ticks *ticks, size_t *place)
{
    int64_t time;
    if (ticks->waiting) {
        *place = first_in(ticks, TICK_WAITING);
        return may_begin(ticks, ticks->open[*place].again);
    }
    if (ticks->through >= ticks->until || !may_begin(ticks, true))
        return false;
    if (!next_after(ticks, ticks->through, &time) || time > ticks->until) {
        ticks->through = ticks->until;
        return false;
    }
    ticks->through = time;
    *place = ticks->count;
    add(ticks, time, true);
    return true;
}

static void begin(struct ticks *ticks, size_t place, struct tick *tick)
{
    struct tick_open *open = &ticks->open[place];
    open->tick.missed = ticks->left_out_missed;
    open->tick.skipped = ticks->left_out_skipped;
    ticks->left_out_missed = ticks->left_out_skipped = 0;
    open->state = TICK_RUNNING;
    ticks->waiting--;
    ticks->running++;
    *tick = open->tick;
}

enum ticks_answer ticks_next(struct ticks *ticks, int64_t now, struct tick *tick, int64_t *when)
{
    size_t place;
    look(ticks, now);
    while (find_turn(ticks, &place)) {
        if (!is_late(ticks, ticks->open[place].tick.scheduled, ticks->policy.deadline, now)) {
            begin(ticks, place, tick);
            return TICKS_RUN;
        }
        drop(ticks, place);
        leave_missed(ticks, 1);
    }
    bool comes = next_after(ticks, ticks->until, when);
    *when = comes ? start_of(ticks, *when) : INT64_MAX;
    return comes || has_backlog(ticks) ? TICKS_LATER : TICKS_OVER;
}

bool ticks_wait(const struct ticks *ticks)
{
    return has_backlog(ticks);
}

bool ticks_are_delayed(const struct ticks *ticks, int64_t now)
{
    int64_t time;
    return ticks->policy.jitter && next_after(ticks, ticks->until, &time) && time <= now;
}

/* ---- ending ---- */

static struct tick_open *running_at(struct ticks *ticks, int64_t scheduled)
{
    struct tick_open *open = ticks->open;
    while (open->tick.scheduled != scheduled || open->state != TICK_RUNNING)
        open++;
    return open;
}

void ticks_end(struct ticks *ticks, int64_t scheduled)
{
    running_at(ticks, scheduled)->state = TICK_ENDED;
}

void ticks_settle(struct ticks *ticks)
{
    size_t place;
    while ((place = first_in(ticks, TICK_ENDED)) < ticks->count)
        drop(ticks, place);
}

void ticks_return(struct ticks *ticks, int64_t scheduled)
{
    running_at(ticks, scheduled)->state = TICK_WAITING;
    ticks->running--;
    ticks->waiting++;
}

/* ---- from the start ---- */

void ticks_init(struct ticks *ticks, const struct schedule *schedule, const struct zone *zone,
                const struct ticks_policy *policy)
{
    *ticks = (struct ticks){.schedule = *schedule, .zone = zone, .policy = *policy};
}

void ticks_free(struct ticks *ticks)
{
    free(ticks->open);
    ticks->open = NULL;
    ticks->count = ticks->room = ticks->running = ticks->waiting = 0;
}

void ticks_begin(struct ticks *ticks, int64_t now, int64_t back)
{
    if (ticks->schedule.kind == SCHEDULE_INTERVAL)
        ticks->schedule.anchor = now - now % MILLISECOND;
    decide_through(ticks, ticks->schedule.kind == SCHEDULE_INTERVAL ? ticks->schedule.anchor - 1
                                                                    : now - back - 1);
}

void ticks_resume(struct ticks *ticks, int64_t through, const int64_t *open, size_t count)
{
    decide_through(ticks, through);
    for (size_t i = 0; i < count; i++)
        add(ticks, open[i], true);
}
