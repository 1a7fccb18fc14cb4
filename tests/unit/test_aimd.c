/* test_aimd.c: what the adaptive rate promises. */
#include "pattern/aimd.h"

#include "base/num.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS (NUM_SECOND / 1000)

static const struct aimd_bounds bounds = {10, 110}; /* a step is 5 a second */

static void rate_is(const struct aimd *aimd, int64_t now, double rate)
{
    double is = aimd_rate(aimd, &bounds, now);
    if (fabs(is - rate) > 1e-9)
        print_message("at %jd the rate is %.12g, not %.12g\n", (intmax_t)now, is, rate);
    assert_true(fabs(is - rate) <= 1e-9);
}

static void follows_successes_failures_and_waits(void **state)
{
    (void)state;
    static const struct {
        int64_t at; /* milliseconds */
        char what;  /* success, failure, wait of a second, long wait of 10 s */
        double rate;
    } steps[] = {
        {0, 's', 110}, /* starts at max, and stays there */
        {5000, 's', 110},    {5000, 'f', 55},
        {5001, 'f', 55}, /* of the same cause */
        {5999, 'f', 55},     {6000, 'f', 27.5},
        {6500, 's', 30}, /* 5 a second since the last change */
        {6500, 's', 30},     {7500, 's', 35},
        {7500, 'f', 17.5},   {8500, 'f', 10}, /* not below min */
        {9500, 'f', 10},     {19500, 's', 60},
        {29400, 's', 109.5}, {29600, 's', 110}, /* not above max */
        {30000, 'w', 10},    {30500, 's', 10},  /* held */
        {30999, 's', 10},    {31000, 's', 10},
        {32000, 's', 15},                      /* from the end of the wait on */
        {33000, 'l', 10},    {34000, 'w', 10}, /* does not end the longer wait */
        {36000, 's', 10},    {43000, 's', 10},
        {45000, 's', 20},    {46000, 'w', 10},
        {46100, 'f', 10},    {47500, 's', 12.5}, /* failures while held do not lengthen it */
    };
    struct aimd aimd = {0};
    rate_is(&aimd, 0, 110);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int64_t now = steps[i].at * MS;
        if (steps[i].what == 's')
            aimd_success(&aimd, &bounds, now);
        else if (steps[i].what == 'f')
            aimd_failure(&aimd, &bounds, now);
        else
            aimd_retry_after(&aimd, &bounds, now, (steps[i].what == 'w' ? 1 : 10) * NUM_SECOND);
        rate_is(&aimd, now, steps[i].rate);
    }
}

static void cuts_at_the_first_failure_of_all(void **state)
{
    (void)state;
    struct aimd aimd = {0};
    aimd_failure(&aimd, &bounds, 1);
    rate_is(&aimd, 1, 55);
    aimd = (struct aimd){0};
    aimd_retry_after(&aimd, &bounds, 1, NUM_SECOND);
    rate_is(&aimd, 1, 10);
}

static void raises_the_same_by_many_successes_as_by_few(void **state)
{
    (void)state;
    struct aimd often = {0}, seldom = {0};
    aimd_failure(&often, &bounds, 0);
    aimd_failure(&seldom, &bounds, 0);
    for (int64_t now = 0; now <= 10 * NUM_SECOND; now += MS)
        aimd_success(&often, &bounds, now);
    aimd_success(&seldom, &bounds, 10 * NUM_SECOND);
    assert_true(fabs(aimd_rate(&often, &bounds, 10 * NUM_SECOND) - 105) < 1e-6);
    rate_is(&seldom, 10 * NUM_SECOND, 105);
}

static void heeds_bounds_that_change(void **state)
{
    (void)state;
    struct aimd aimd = {0};
    aimd_success(&aimd, &bounds, 0);
    struct aimd_bounds lower = {1, 40}, higher = {200, 400};
    assert_true(aimd_rate(&aimd, &lower, 0) == 40);
    assert_true(aimd_rate(&aimd, &higher, 0) == 200);
    aimd_success(&aimd, &lower, 0);
    assert_true(aimd_rate(&aimd, &lower, 0) == 40);
    aimd_success(&aimd, &bounds, 2 * NUM_SECOND);
    aimd_failure(&aimd, &lower, 2 * NUM_SECOND); /* half of what it is within them */
    assert_true(aimd_rate(&aimd, &lower, 2 * NUM_SECOND) == 20);
    aimd_success(&aimd, &higher, 0);
    assert_true(aimd_rate(&aimd, &higher, 0) == 200);
    aimd_retry_after(&aimd, &higher, 0, NUM_SECOND);
    assert_true(aimd_rate(&aimd, &lower, 1) == 1); /* held at what is the minimum now */
    struct aimd_bounds fixed = {7, 7};
    aimd_success(&aimd, &fixed, 10 * NUM_SECOND);
    aimd_failure(&aimd, &fixed, 10 * NUM_SECOND);
    assert_true(aimd_rate(&aimd, &fixed, 10 * NUM_SECOND) == 7);
}

static void is_not_held_up_by_a_clock_that_steps_back(void **state)
{
    (void)state;
    struct aimd aimd = {0};
    int64_t before = 1000000 * NUM_SECOND;
    aimd_retry_after(&aimd, &bounds, before, 20 * NUM_SECOND);
    rate_is(&aimd, 0, 10);
    aimd_success(&aimd, &bounds, 0); /* the wait begins anew */
    aimd_success(&aimd, &bounds, 20 * NUM_SECOND);
    rate_is(&aimd, 20 * NUM_SECOND, 10);
    aimd_success(&aimd, &bounds, 22 * NUM_SECOND);
    rate_is(&aimd, 22 * NUM_SECOND, 20);

    aimd = (struct aimd){0};
    aimd_failure(&aimd, &bounds, before);
    aimd_failure(&aimd, &bounds, 5); /* as that pause does */
    rate_is(&aimd, 5, 55);
    aimd_failure(&aimd, &bounds, 5 + NUM_SECOND);
    rate_is(&aimd, 5 + NUM_SECOND, 27.5);
}

static void stays_within_its_bounds_at_any_time(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3);
    struct aimd aimd = {0};
    for (int i = 0; i < 300000; i++) {
        struct aimd_bounds any = {1 + rng_unit(&rng) * 10, 11 + rng_unit(&rng) * 1e6};
        int64_t now = (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 62)));
        int64_t wait = (int64_t)rng_next(&rng) >> rng_below(&rng, 62);
        double before = aimd_rate(&aimd, &any, now);
        switch (rng_below(&rng, 3)) {
        case 0:
            aimd_success(&aimd, &any, now);
            assert_true(aimd_rate(&aimd, &any, now) >= before);
            break;
        case 1:
            aimd_failure(&aimd, &any, now);
            assert_true(aimd_rate(&aimd, &any, now) <= before);
            break;
        default:
            aimd_retry_after(&aimd, &any, now, wait);
            assert_true(aimd_rate(&aimd, &any, now) == any.min);
        }
        double rate = aimd_rate(&aimd, &any, now);
        assert_true(rate >= any.min && rate <= any.max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_successes_failures_and_waits),
        cmocka_unit_test(cuts_at_the_first_failure_of_all),
        cmocka_unit_test(raises_the_same_by_many_successes_as_by_few),
        cmocka_unit_test(heeds_bounds_that_change),
        cmocka_unit_test(is_not_held_up_by_a_clock_that_steps_back),
        cmocka_unit_test(stays_within_its_bounds_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
