/*
 * retry.h: how long to wait before the next attempt, and how many may be made.
 *
 * Exponential backoff with full jitter: uniform in [0, min(cap, base * 2^(attempt - 1))]. Spreading
 * over the whole range is what keeps callers that failed together from coming back together (Marc
 * Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Pure: the random number
 * is an argument.
 */
#ifndef FIT_PATTERN_RETRY_H
#define FIT_PATTERN_RETRY_H

#include <stdbool.h>
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

/*
 * A retry budget: so that retries add at most a fraction to the load, also when everything fails
 * (Finagle's RetryBudget; "Handling Overload" in Beyer et al., "Site Reliability Engineering",
 * 2016). Each call deposits `fraction` of a retry, each retry takes a whole one, of the oldest
 * deposits first. What is not taken is forgotten after RETRY_BUDGET_TTL, which is counted in
 * RETRY_BUDGET_SLICES slices: the present one and those before it. When the deposits are spent, a
 * reserve is there without calls: of per_second retries a second, all those of one
 * RETRY_BUDGET_TTL, as its takings are forgotten after that time too. Zeroed: fresh. Times are not
 * negative; one that is earlier than the last counts as that, and a clock that was set back by
 * RETRY_BUDGET_TTL makes it fresh.
 */
#define RETRY_BUDGET_TTL INT64_C(10000000000)
enum { RETRY_BUDGET_SLICES = 10 };

struct retry_budget {
    int64_t slice;                     /* number of the slice that is filled now, from the time */
    double saved[RETRY_BUDGET_SLICES]; /* by its number: deposits that are left, or, negative, what
                                          was taken of the reserve */
};

struct retry_allowance {
    double fraction;   /* retries for each call, 0 .. 1000 */
    double per_second; /* and in any case */
};

void retry_budget_deposit(struct retry_budget *budget, const struct retry_allowance *allowance,
                          int64_t now);
/* Take one retry. False: the budget is spent, and the call should fail as it has. */
bool retry_budget_take(struct retry_budget *budget, const struct retry_allowance *allowance,
                       int64_t now);

#endif
