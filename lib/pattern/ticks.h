/*
 * ticks.h: which times of a schedule are due, which are left out, and in what order they begin.
 *
 * A schedule says when; here is what becomes of each time. It is decided once, when somebody looks:
 * it begins, waits, is skipped because an earlier one is still under way (overlap), or is missed
 * because nobody was there to look (missed), or because it would begin too late (deadline).
 * `through` is how far times are decided; `open` are those that were decided to begin and have not
 * ended. Both together are all that has to be kept, so that a process that was killed can be
 * followed by another: what is open is due again, what lies behind `through` has never begun.
 *
 * Missed are the times that came before the last one that is due. With TICKS_ONE that last one
 * begins, however late it is, with TICKS_NONE only when it is a minute late at most. With TICKS_ALL
 * each begins in its turn, one after the other, and further times wait behind them.
 *
 * A clock that steps forward is a process that was not there. One that steps back brings nothing
 * again: what is decided stays so, until the clock has come there once more. Only where it steps
 * back by three hours and more, as cron does (a correction), the schedule goes on from the new
 * time; an interval, which counts what passes, does so when it would stand still for longer than
 * itself.
 *
 * Pure: time is clock_wall. A look costs a few steps of the schedule, but for cron lines one for
 * each time that is counted as missed.
 */
#ifndef FIT_PATTERN_TICKS_H
#define FIT_PATTERN_TICKS_H

#include "pattern/schedule.h"

#include <stddef.h>

enum ticks_missed { TICKS_ONE, TICKS_NONE, TICKS_ALL };
enum ticks_overlap { TICKS_FORBID, TICKS_ALLOW, TICKS_REPLACE, TICKS_QUEUE };

enum {
    TICKS_QUEUED = 1000,    /* times that wait with TICKS_QUEUE; further ones are skipped */
    TICKS_COUNTED = 100000, /* times of a cron line that are counted as missed by one look; of more
                               the number says only this */
};
#define TICKS_PROMPT     (INT64_C(60) * 1000000000)       /* so late is not missed */
#define TICKS_CORRECTION (INT64_C(3 * 3600) * 1000000000) /* such a step back is a correction */

struct ticks_policy {
    enum ticks_missed missed;
    enum ticks_overlap overlap;
    int64_t deadline; /* one that is later than this is missed; 0: none is too late */
    int64_t jitter;   /* each begins up to so much after its time, and before the next; 0: at it */
    uint64_t seed;    /* of the jitter: it is the same for the same time */
    unsigned at_once; /* with TICKS_ALLOW no more than so many are under way */
};

struct tick {
    int64_t scheduled;
    uint64_t missed, skipped; /* times that were left out since the one that began before it */
};

enum tick_state { TICK_WAITING, TICK_RUNNING, TICK_ENDED };

struct ticks {
    struct schedule schedule; /* its anchor may move */
    struct ticks_policy policy;
    uint64_t missed, skipped; /* ever */
    int64_t through;          /* times up to it are decided */
    struct tick_open {
        struct tick tick;
        enum tick_state state;
        bool again; /* an earlier process has begun it */
    } * open;       /* in the order in which they were decided */
    size_t count;
    /* Private. */
    const struct zone *zone;
    size_t room, running, waiting; /* of the memory; of count */
    int64_t until;                 /* of those behind `through`, up to here: wait for their turn */
    uint64_t left_out_missed, left_out_skipped;
    bool looked;
};

/* The schedule is copied, the zone outlives it. Then ticks_begin or ticks_resume; ticks_free. */
void ticks_init(struct ticks *ticks, const struct schedule *schedule, const struct zone *zone,
                const struct ticks_policy *policy);
void ticks_free(struct ticks *ticks);

/*
 * For the first time. An interval is due at once: its anchor is set. Of others times from now -
 * back on count.
 */
void ticks_begin(struct ticks *ticks, int64_t now, int64_t back);
/* After another process, which has decided times up to `through` and has left these open. The
 * schedule's anchor is the old one. */
void ticks_resume(struct ticks *ticks, int64_t through, const int64_t *open, size_t count);

enum ticks_answer {
    TICKS_RUN,   /* *tick begins now */
    TICKS_LATER, /* look again at *when, or when one has ended; *when may be INT64_MAX */
    TICKS_OVER,  /* no more will begin */
};

/* What is to be done now: to be asked until it is not TICKS_RUN. */
enum ticks_answer ticks_next(struct ticks *ticks, int64_t now, struct tick *tick, int64_t *when);

/* Times wait for their turn, whatever the clock says. */
bool ticks_wait(const struct ticks *ticks);
/* A time has come, and is held up by its jitter. */
bool ticks_are_delayed(const struct ticks *ticks, int64_t now);

/*
 * The handler of one that runs has ended. It is not to be kept as open any more, but counts as
 * under way until ticks_settle, which is for all that have ended: that is kept now.
 */
void ticks_end(struct ticks *ticks, int64_t scheduled);
void ticks_settle(struct ticks *ticks);
/* It was given up without having ended: it waits, and remains open. */
void ticks_return(struct ticks *ticks, int64_t scheduled);

#endif
