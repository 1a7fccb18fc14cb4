/*
 * retry.h: how long to wait before the next attempt.
 *
 * Exponential backoff with full jitter: uniform in [0, min(cap, base * 2^(attempt - 1))]. Spreading
 * over the whole range is what keeps callers that failed together from coming back together (Marc
 * Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Pure: the random number
 * is an argument.
 */
#ifndef FIT_PATTERN_RETRY_H
#define FIT_PATTERN_RETRY_H

#include <stdint.h>

/* Nanoseconds. A base or cap of 0 or less means no delay. */
struct retry_policy {
    int64_t base; /* longest delay after the first attempt */
    int64_t cap;  /* longest delay ever; may be below base */
};

/*
 * The delay after attempt (1: the first) has failed. unit_random is from [0, 1) (rng_unit); 1 gives
 * the longest delay. Never negative, never above the cap, whatever the attempt.
 */
int64_t retry_delay(const struct retry_policy *policy, unsigned attempt, double unit_random);

/* The longest delay that retry_delay can give after attempt. */
int64_t retry_longest(const struct retry_policy *policy, unsigned attempt);

#endif
