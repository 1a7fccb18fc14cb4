/* test_retry.c: what the delays between attempts promise. */
#include "pattern/retry.h"

#include "base/num.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS (NUM_SECOND / 1000)

static void doubles_its_longest_delay_up_to_the_cap(void **state)
{
    (void)state;
    static const struct {
        int64_t base, cap;
        unsigned attempt;
        int64_t longest;
    } cases[] = {
        {100 * MS, 10 * NUM_SECOND, 1, 100 * MS},
        {100 * MS, 10 * NUM_SECOND, 2, 200 * MS},
        {100 * MS, 10 * NUM_SECOND, 3, 400 * MS},
        {100 * MS, 10 * NUM_SECOND, 7, 6400 * MS},
        {100 * MS, 10 * NUM_SECOND, 8, 10 * NUM_SECOND},
        {100 * MS, 10 * NUM_SECOND, 1000, 10 * NUM_SECOND},
        {100 * MS, 10 * NUM_SECOND, UINT32_MAX, 10 * NUM_SECOND},
        {100 * MS, 10 * NUM_SECOND, 0, 100 * MS}, /* no attempt was made: as after the first */
        {NUM_SECOND, 1, 1, 1},
        {1, 8, 4, 8},
        {1, 9, 4, 8},
        {1, 9, 5, 9},
        {1, INT64_MAX, 63, INT64_C(1) << 62},
        {1, INT64_MAX, 64, INT64_MAX},
        {1, INT64_MAX, 65, INT64_MAX},
        {INT64_MAX, INT64_MAX, 1, INT64_MAX},
        {INT64_MAX, INT64_MAX, 2, INT64_MAX},
        {INT64_MAX / 2 + 1, INT64_MAX, 2, INT64_MAX},
        {0, NUM_SECOND, 5, 0},
        {-1, NUM_SECOND, 5, 0},
        {NUM_SECOND, 0, 5, 0},
        {NUM_SECOND, -1, 5, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct retry_policy policy = {cases[i].base, cases[i].cap};
        assert_int_equal(retry_longest(&policy, cases[i].attempt), cases[i].longest);
        assert_int_equal(retry_delay(&policy, cases[i].attempt, 1), cases[i].longest);
        assert_int_equal(retry_delay(&policy, cases[i].attempt, 0), 0);
    }
}

static void stays_in_range_for_every_random_number(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    for (int i = 0; i < 200000; i++) {
        struct retry_policy policy = {(int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 63))),
                                      (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 63)))};
        unsigned attempt = (unsigned)rng_below(&rng, 80);
        int64_t delay = retry_delay(&policy, attempt, rng_unit(&rng));
        assert_true(delay >= 0 && delay <= retry_longest(&policy, attempt));
        assert_true(retry_longest(&policy, attempt) <= policy.cap);
        assert_true(retry_longest(&policy, attempt) <= retry_longest(&policy, attempt + 1));
    }
}

static void spreads_over_the_whole_range(void **state)
{
    (void)state;
    enum { TENTHS = 10, DRAWS = 100000 };
    struct retry_policy policy = {NUM_SECOND, 60 * NUM_SECOND};
    struct rng rng;
    rng_seed(&rng, 2);
    unsigned counts[TENTHS] = {0};
    for (int i = 0; i < DRAWS; i++)
        counts[retry_delay(&policy, 3, rng_unit(&rng)) / (4 * NUM_SECOND / TENTHS)]++;
    for (int i = 0; i < TENTHS; i++)
        assert_in_range(counts[i], DRAWS / TENTHS * 95 / 100, DRAWS / TENTHS * 105 / 100);
}

static void survives_random_numbers_that_are_none(void **state)
{
    (void)state;
    struct retry_policy policy = {INT64_MAX, INT64_MAX};
    assert_int_equal(retry_delay(&policy, 1, -1), 0);
    assert_int_equal(retry_delay(&policy, 1, 2), INT64_MAX);
    assert_int_equal(retry_delay(&policy, 1, __builtin_nan("")), 0);
    assert_int_equal(retry_delay(&policy, 1, 0.9999999999999999), INT64_C(9223372036854774784));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_its_longest_delay_up_to_the_cap),
        cmocka_unit_test(stays_in_range_for_every_random_number),
        cmocka_unit_test(spreads_over_the_whole_range),
        cmocka_unit_test(survives_random_numbers_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
