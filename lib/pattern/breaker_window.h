/*
 * breaker_window.h: the results that a circuit breaker judges: of the last calls, or seconds.
 *
 * As the sliding windows of resilience4j. Of calls: a ring of the last `calls` results. Of time: a
 * ring of `seconds` counts, for this second of the clock and for those before it; a second that has
 * passed out of the window takes its results along. The sums are kept, so that a result costs the
 * same in any window.
 *
 * A time that is behind the newest second counts in that second, as several processes take theirs
 * a little before they come here; one that is behind by the whole window or more is of a clock that
 * was set back: the window goes back with it, and what is in it keeps its age.
 */
#ifndef FIT_PATTERN_BREAKER_WINDOW_H
#define FIT_PATTERN_BREAKER_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum {
    BREAKER_CALLS_MAX = 10000,  /* the largest window of calls; a larger one is this one */
    BREAKER_SECONDS_MAX = 3600, /* the largest window of time; a longer one is this one */
};

/* At UINT32_MAX calls a window of time counts no more, until some have passed out of it. */
struct breaker_counts {
    uint32_t calls, failed, slow, slow_failed;
};

void breaker_counts_add(struct breaker_counts *counts, bool failed, bool slow);

struct breaker_window {
    uint32_t calls, seconds; /* its shape: one of them is 0 */
    struct breaker_counts counts;
    int64_t second; /* of the clock: the newest */
    uint32_t next;  /* place in the ring: of the next result, or of the newest second */
    union {
        uint8_t calls[BREAKER_CALLS_MAX]; /* bit 0 failed, bit 1 slow; the last counts.calls */
        struct breaker_counts seconds[BREAKER_SECONDS_MAX];
    } ring;
};

/* Empty it. seconds not 0: a window of time, and calls means nothing. */
void breaker_window_init(struct breaker_window *window, uint32_t calls, uint32_t seconds,
                         int64_t now);

/* Was it made with these? */
bool breaker_window_fits(const struct breaker_window *window, uint32_t calls, uint32_t seconds);

void breaker_window_add(struct breaker_window *window, bool failed, bool slow, int64_t now);

/* As they stand now, without what has passed out of a window of time. */
struct breaker_counts breaker_window_counts(const struct breaker_window *window, int64_t now);

/* The clock is another one: what is in the window is as old now as it was at the last result. */
void breaker_window_rebase(struct breaker_window *window, int64_t now);

#endif
