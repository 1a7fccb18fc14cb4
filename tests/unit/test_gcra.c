/* test_gcra.c: what the rate limiter's arithmetic promises. */
#include "pattern/gcra.h"

#include "base/num.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS (NUM_SECOND / 1000)

/* Answers as redis-cell gives them (CL.THROTTLE key max_burst count period quantity), by hand from
 * its published meaning; in milliseconds. */
static void answers_as_redis_cell_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        int64_t period;
        uint64_t burst;
        int64_t at; /* all of one limit, one after the other */
        uint64_t tokens;
        bool limited;
        uint64_t remaining;
        int64_t retry_after, reset_after;
    } steps[] = {
        /* 30 a minute, bursts of 16: README of redis-cell */
        {30, 60000, 16, 0, 1, false, 15, 0, 2000},
        {30, 60000, 16, 0, 1, false, 14, 0, 4000},
        {30, 60000, 16, 0, 14, false, 0, 0, 32000},
        {30, 60000, 16, 0, 1, true, 0, 2000, 32000},
        {30, 60000, 16, 0, 16, true, 0, 32000, 32000},
        {30, 60000, 16, 0, 17, true, 0, -1, 32000},
        {30, 60000, 16, 1999, 1, true, 0, 1, 30001},
        {30, 60000, 16, 2000, 1, false, 0, 0, 32000},
        {30, 60000, 16, 5000, 0, false, 1, 0, 29000},
        {30, 60000, 16, 5000, 3, true, 1, 3000, 29000},
        {30, 60000, 16, 8000, 3, false, 0, 0, 32000},
        {30, 60000, 16, 40000, 0, false, 16, 0, 0},
        {30, 60000, 16, 99000, 16, false, 0, 0, 32000},
        /* 10 a second, one at once */
        {10, 1000, 1, 0, 1, false, 0, 0, 100},
        {10, 1000, 1, 0, 1, true, 0, 100, 100},
        {10, 1000, 1, 99, 1, true, 0, 1, 1},
        {10, 1000, 1, 100, 1, false, 0, 0, 100},
        {10, 1000, 1, 100, 0, false, 0, 0, 100},
        {10, 1000, 1, 200, 2, true, 1, -1, 0},
        {10, 1000, 1, 250, 1, false, 0, 0, 100},
        {10, 1000, 1, 300, 1, true, 0, 50, 50},
        /* 5 each 100 ms, bursts of 2: the tokens that have not wholly come back do not count */
        {5, 100, 2, 0, 2, false, 0, 0, 40},
        {5, 100, 2, 19, 1, true, 0, 1, 21},
        {5, 100, 2, 39, 2, true, 1, 1, 1},
        {5, 100, 2, 39, 1, false, 0, 0, 21},
        {5, 100, 2, 40, 1, false, 0, 0, 40},
        /* one an hour */
        {1, 3600000, 1, 0, 1, false, 0, 0, 3600000},
        {1, 3600000, 1, 1, 1, true, 0, 3599999, 3599999},
    };
    struct gcra bucket = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct gcra_limit limit = {steps[i].count, steps[i].period * MS, steps[i].burst};
        if (steps[i].at == 0 && (i == 0 || steps[i].count != steps[i - 1].count))
            bucket = (struct gcra){0};
        int64_t now = steps[i].at * MS;
        struct gcra_answer looked = gcra_look(&bucket, &limit, now, steps[i].tokens);
        struct gcra_answer taken = gcra_take(&bucket, &limit, now, steps[i].tokens);
        int64_t retry_after = steps[i].retry_after < 0 ? -1 : steps[i].retry_after * MS;
        if (taken.limited != steps[i].limited || taken.remaining != steps[i].remaining ||
            taken.retry_after != retry_after || taken.reset_after != steps[i].reset_after * MS)
            print_message("step %zu: limited %d, remaining %ju, retry %jd, reset %jd\n", i,
                          taken.limited, (uintmax_t)taken.remaining, (intmax_t)taken.retry_after,
                          (intmax_t)taken.reset_after);
        assert_int_equal(taken.limited, steps[i].limited);
        assert_int_equal(taken.limit, steps[i].burst);
        assert_int_equal(taken.remaining, steps[i].remaining);
        assert_int_equal(taken.retry_after, retry_after);
        assert_int_equal(taken.reset_after, steps[i].reset_after * MS);
        assert_int_equal(looked.limited, taken.limited);
        assert_int_equal(looked.remaining, taken.remaining);
        assert_int_equal(looked.retry_after, taken.retry_after);
        assert_int_equal(looked.reset_after, taken.reset_after);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_redis_cell_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
