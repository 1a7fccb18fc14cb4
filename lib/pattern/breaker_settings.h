/*
 * breaker_settings.h: what a circuit breaker is judged by.
 *
 * Settings are whole; a choice is some of them, to be laid over others. Plain structs without
 * pointers: they can lie in shared memory.
 */
#ifndef FIT_PATTERN_BREAKER_SETTINGS_H
#define FIT_PATTERN_BREAKER_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_PROBES_MAX = 256 }; /* the most probes; more are so many */

/* Rates are percent of calls, 0 < rate <= 100. Times are nanoseconds. */
struct breaker_settings {
    double failure_rate;   /* [50] reached or passed: trips */
    double slow_rate;      /* [100] the same of slow calls */
    int64_t slow;          /* [60 s] a call that took strictly longer is slow */
    uint32_t window_calls; /* [100] the last so many calls are judged ... */
    uint32_t window_time;  /* [0] ... or, if not 0, those of so many seconds: this one of the clock
                              and those before it */
    uint32_t min_calls; /* [10] no rate is judged before; in a window of calls at most its size */
    uint32_t
        consecutive;    /* [0] so many failures in a row trip too, also before min_calls; 0: not */
    uint32_t probes;    /* [10] */
    int64_t open_for;   /* [60 s] */
    double open_growth; /* [1] each opening without a closing between lasts so many times longer
                           than the one before */
    int64_t open_max;   /* [0: no bound] the longest */
};

extern const struct breaker_settings breaker_defaults;

enum breaker_setting {
    BREAKER_FAILURE_RATE = 1,
    BREAKER_SLOW,
    BREAKER_SLOW_RATE,
    BREAKER_WINDOW, /* both of its members */
    BREAKER_MIN_CALLS,
    BREAKER_CONSECUTIVE,
    BREAKER_OPEN_FOR,
    BREAKER_OPEN_GROWTH,
    BREAKER_OPEN_MAX,
    BREAKER_PROBES,
};

/* Zeroed: nothing is chosen. */
struct breaker_choice {
    struct breaker_settings settings; /* of which only the chosen mean something */
    unsigned chosen;                  /* bits 1 << enum breaker_setting */
};

static inline bool breaker_chose(const struct breaker_choice *choice, enum breaker_setting setting)
{
    return choice->chosen & 1U << setting;
}

/* Take what is chosen. */
void breaker_settings_lay(struct breaker_settings *settings, const struct breaker_choice *choice);

/* Could they have been given? False for bytes that are something else. */
bool breaker_settings_are_good(const struct breaker_settings *settings);

#endif
