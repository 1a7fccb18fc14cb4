/* test_recent.c: what rates of the last minute promise. */
#include "state/recent.h"

#include "base/num.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void decays_as_an_exponential_of_a_minute(void **state)
{
    (void)state;
    for (int seconds = 0; seconds <= 1200; seconds++) {
        double rate = recent_rate(5000000, 0, seconds * NUM_SECOND);
        assert_true(fabs(rate / (5000 * exp(-seconds / 60.0)) - 1) < 1e-4);
    }
    assert_true(recent_rate(UINT64_MAX, 0, INT64_MAX) < 1e-9);
}

static void does_not_decay_while_the_clock_is_set_back(void **state)
{
    (void)state;
    assert_true(recent_rate(7000, 2, 1) == 7);
}

/* However short the times between two of them are. */
static void comes_to_the_rate_of_what_is_added(void **state)
{
    (void)state;
    static const int64_t pauses[] = {100000, 999999, 1000001, NUM_SECOND / 4};
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        uint64_t rate = 0;
        int64_t now = 0;
        for (; now < 600 * NUM_SECOND; now += pauses[i])
            rate = recent_add(rate, (uint64_t)(now ? now - pauses[i] : 0), now, 10);
        double added = 10 * (double)NUM_SECOND / (double)pauses[i];
        assert_true(fabs((double)rate / 1e3 / added - 1) < 0.02);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decays_as_an_exponential_of_a_minute),
        cmocka_unit_test(does_not_decay_while_the_clock_is_set_back),
        cmocka_unit_test(comes_to_the_rate_of_what_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
