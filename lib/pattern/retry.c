/* retry.c: how long to wait before the next attempt. */
#include "pattern/retry.h"

int64_t retry_longest(const struct retry_policy *policy, unsigned attempt)
{
    if (policy->base <= 0 || policy->cap <= 0)
        return 0;
    unsigned doublings = attempt > 1 ? attempt - 1 : 0;
    /* Shifting the cap down instead of the base up cannot overflow. */
    if (doublings >= 63 || policy->base > policy->cap >> doublings)
        return policy->cap;
    return policy->base << doublings;
}

int64_t retry_delay(const struct retry_policy *policy, unsigned attempt, double unit_random)
{
    int64_t longest = retry_longest(policy, attempt);
    /* A double has 53 bits: the product of a long delay may be rounded up to 2^63, which no int64_t
     * holds. */
    double delay = (double)longest * unit_random;
    if (!(delay > 0))
        return 0;
    return delay < (double)longest ? (int64_t)delay : longest;
}
