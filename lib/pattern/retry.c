/* retry.c: how long to wait before the next attempt, and how many may be made. */
#include "pattern/retry.h"

#include "base/num.h"

#include <math.h>
#include <string.h>

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

/* Ten deposits of 0.1 come to a little less than 1, and are a retry. */
static const double ROUNDING = 1e-6;

static double whole(double retries)
{
    double floored = floor(retries + ROUNDING);
    return floored > 0 ? floored : 0;
}

static double *slice_of(struct retry_budget *budget, int64_t slice)
{
    return &budget->saved[slice % RETRY_BUDGET_SLICES];
}

/* Forget the slices that have passed until now. */
static void budget_advance(struct retry_budget *budget, int64_t now)
{
    int64_t slice = now / (RETRY_BUDGET_TTL / RETRY_BUDGET_SLICES);
    int64_t passed = slice - budget->slice;
    if (passed <= -RETRY_BUDGET_SLICES || passed >= RETRY_BUDGET_SLICES) {
        memset(budget->saved, 0, sizeof budget->saved);
        budget->slice = slice;
    }
    while (budget->slice < slice)
        *slice_of(budget, ++budget->slice) = 0;
}

static double budget_left(const struct retry_budget *budget,
                          const struct retry_allowance *allowance)
{
    double left = allowance->per_second * ((double)RETRY_BUDGET_TTL / (double)NUM_SECOND);
    for (int i = 0; i < RETRY_BUDGET_SLICES; i++)
        left += budget->saved[i];
    return left;
}

void retry_budget_deposit(struct retry_budget *budget, const struct retry_allowance *allowance,
                          int64_t now)
{
    budget_advance(budget, now);
    *slice_of(budget, budget->slice) += allowance->fraction;
}

bool retry_budget_take(struct retry_budget *budget, const struct retry_allowance *allowance,
                       int64_t now)
{
    budget_advance(budget, now);
    if (whole(budget_left(budget, allowance)) < 1)
        return false;
    double wanted = 1;
    for (int64_t age = RETRY_BUDGET_SLICES - 1; age >= 0 && wanted > 0; age--) {
        double *saved = slice_of(budget, budget->slice + RETRY_BUDGET_SLICES - age);
        double taken = *saved < wanted ? *saved : wanted;
        if (taken <= 0)
            continue;
        *saved -= taken;
        wanted -= taken;
    }
    *slice_of(budget, budget->slice) -= wanted; /* of the reserve */
    return true;
}
