/*
 * aimd.h: a rate that finds its own level: additive increase, multiplicative decrease.
 *
 * Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion avoidance"
 * (1989). A success raises the rate by AIMD_STEP of the span between min and max for each second
 * that has passed since the last change; a failure (an error, a timeout, "try later") halves it, at
 * most once in AIMD_PAUSE, as many calls fail of one cause; a "try after this long" holds it at the
 * minimum until then, and from then on successes raise it. It always stays within the bounds, which
 * may differ from those of the last call.
 *
 * Pure: times are arguments, rates are tokens a second. A clock that steps back neither raises nor
 * lowers: what was to last from then on lasts from now on, no longer than was asked.
 */
#ifndef FIT_PATTERN_AIMD_H
#define FIT_PATTERN_AIMD_H

#include <stdint.h>

#define AIMD_STEP  0.05                /* of max - min, each second of success */
#define AIMD_CUT   0.5                 /* what is left after a failure */
#define AIMD_PAUSE INT64_C(1000000000) /* nanoseconds between two cuts */

struct aimd {        /* zeroed: starts at max */
    double rate;     /* 0: not begun */
    int64_t changed; /* last raise, cut or fall to the minimum */
    int64_t pause;   /* no cut before */
    int64_t hold;    /* at the minimum until then */
};

struct aimd_bounds {
    double min, max; /* 0 < min <= max */
};

void aimd_success(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now);
void aimd_failure(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now);

/* Of several waits the one that ends last counts. It is a failure too. */
void aimd_retry_after(struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now,
                      int64_t wait);

double aimd_rate(const struct aimd *aimd, const struct aimd_bounds *bounds, int64_t now);

#endif
