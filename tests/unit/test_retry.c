/* test_retry.c: what the delays between attempts, and the budget for them, promise. */
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

static unsigned take_all(struct retry_budget *budget, const struct retry_allowance *allowance,
                         int64_t now)
{
    unsigned taken = 0;
    while (retry_budget_take(budget, allowance, now))
        taken++;
    return taken;
}

/* How many it would give. */
static unsigned left(const struct retry_budget *budget, const struct retry_allowance *allowance,
                     int64_t now)
{
    struct retry_budget then = *budget;
    return take_all(&then, allowance, now);
}

static void deposit(struct retry_budget *budget, const struct retry_allowance *allowance,
                    int64_t now, unsigned calls)
{
    while (calls--)
        retry_budget_deposit(budget, allowance, now);
}

static void gives_the_fraction_of_the_calls(void **state)
{
    (void)state;
    static const struct {
        double fraction, per_second;
        unsigned calls, retries;
    } cases[] = {
        {0.1, 0, 0, 0},    {0.1, 0, 9, 0},     {0.1, 0, 10, 1},       {0.1, 0, 19, 1},
        {0.1, 0, 100, 10}, {0.2, 0, 100, 20},  {0.1, 0, 10000, 1000}, {1, 0, 5, 5},
        {2.5, 0, 3, 7},    {1000, 0, 1, 1000}, {0, 0, 100, 0},        {0, 1, 0, 10},
        {0.1, 1, 100, 20}, {0, 0.1, 100, 1},   {0, 0.05, 100, 0},     {0.1, 0.05, 5, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct retry_budget budget = {0};
        struct retry_allowance allowance = {cases[i].fraction, cases[i].per_second};
        deposit(&budget, &allowance, 5 * NUM_SECOND, cases[i].calls);
        assert_int_equal(take_all(&budget, &allowance, 5 * NUM_SECOND), cases[i].retries);
    }
}

static void forgets_deposits_after_their_time(void **state)
{
    (void)state;
    struct retry_budget budget = {0};
    struct retry_allowance allowance = {1, 0};
    int64_t begin = 1000 * NUM_SECOND;
    deposit(&budget, &allowance, begin, 3);
    deposit(&budget, &allowance, begin + 4 * NUM_SECOND, 2);
    assert_int_equal(left(&budget, &allowance, begin + 10 * NUM_SECOND - 1), 5);
    assert_int_equal(left(&budget, &allowance, begin + 10 * NUM_SECOND), 2);
    assert_int_equal(left(&budget, &allowance, begin + 14 * NUM_SECOND), 0);
    assert_int_equal(left(&budget, &allowance, begin), 5);
    assert_int_equal(left(&budget, &allowance, begin + 1000000 * NUM_SECOND), 0);
    assert_int_equal(take_all(&budget, &allowance, begin + 10 * NUM_SECOND), 2);
}

static void takes_the_oldest_deposits_first(void **state)
{
    (void)state;
    struct retry_budget budget = {0};
    struct retry_allowance allowance = {1, 0};
    deposit(&budget, &allowance, 0, 3);
    deposit(&budget, &allowance, 9 * NUM_SECOND, 3);
    for (int i = 0; i < 3; i++)
        assert_true(retry_budget_take(&budget, &allowance, 9 * NUM_SECOND));
    assert_int_equal(take_all(&budget, &allowance, 18 * NUM_SECOND), 3);
}

static void spends_the_reserve_last_and_gets_it_back(void **state)
{
    (void)state;
    struct retry_budget budget = {0};
    struct retry_allowance allowance = {1, 0.3};
    deposit(&budget, &allowance, 0, 2);
    assert_int_equal(take_all(&budget, &allowance, 5 * NUM_SECOND), 5);
    deposit(&budget, &allowance, 6 * NUM_SECOND, 4);
    assert_int_equal(take_all(&budget, &allowance, 7 * NUM_SECOND), 4);
    assert_int_equal(take_all(&budget, &allowance, 15 * NUM_SECOND - 1), 0);
    assert_int_equal(take_all(&budget, &allowance, 15 * NUM_SECOND), 3);
    allowance.per_second = 0.1; /* less than was taken: nothing until that is forgotten */
    assert_int_equal(take_all(&budget, &allowance, 16 * NUM_SECOND), 0);
    assert_int_equal(take_all(&budget, &allowance, 25 * NUM_SECOND), 1);
}

static void survives_a_clock_that_steps_back(void **state)
{
    (void)state;
    struct retry_budget budget = {0};
    struct retry_allowance allowance = {1, 0};
    deposit(&budget, &allowance, 100 * NUM_SECOND, 3);
    deposit(&budget, &allowance, 97 * NUM_SECOND, 1); /* as at 100 */
    assert_int_equal(left(&budget, &allowance, 109 * NUM_SECOND), 4);
    assert_int_equal(take_all(&budget, &allowance, 2 * NUM_SECOND), 0);
    deposit(&budget, &allowance, 2 * NUM_SECOND, 2);
    assert_int_equal(take_all(&budget, &allowance, 11 * NUM_SECOND), 2);
    deposit(&budget, &allowance, INT64_MAX, 2);
    assert_int_equal(take_all(&budget, &allowance, INT64_MAX), 2);
}

static void adds_at_most_its_fraction_to_the_load(void **state)
{
    (void)state;
    enum { SECONDS = 600, CALLS = 50 };
    struct retry_budget budget = {0};
    struct retry_allowance allowance = {0.2, 1};
    struct rng rng;
    rng_seed(&rng, 4);
    static unsigned calls[SECONDS], retries[SECONDS];
    for (int second = 0; second < SECONDS; second++) {
        calls[second] = (unsigned)rng_below(&rng, CALLS);
        for (unsigned i = 0; i < calls[second]; i++) {
            int64_t now = second * NUM_SECOND + i * MS;
            retry_budget_deposit(&budget, &allowance, now);
            for (uint64_t wanted = rng_below(&rng, 4); wanted; wanted--)
                retries[second] += retry_budget_take(&budget, &allowance, now);
        }
    }
    /* In every span of time: of its calls, of those within the time before, and the reserve, whose
     * time may have begun before too. */
    for (int from = 0; from < SECONDS; from++) {
        double allowed = RETRY_BUDGET_SLICES * allowance.per_second, used = 0;
        for (int i = from > 9 ? from - 9 : 0; i < from; i++)
            allowed += allowance.fraction * calls[i];
        for (int to = from; to < SECONDS; to++) {
            if ((to - from) % RETRY_BUDGET_SLICES == 0)
                allowed += RETRY_BUDGET_SLICES * allowance.per_second;
            allowed += allowance.fraction * calls[to];
            used += retries[to];
            assert_true(used <= allowed + 1e-3);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_its_longest_delay_up_to_the_cap),
        cmocka_unit_test(stays_in_range_for_every_random_number),
        cmocka_unit_test(spreads_over_the_whole_range),
        cmocka_unit_test(survives_random_numbers_that_are_none),
        cmocka_unit_test(gives_the_fraction_of_the_calls),
        cmocka_unit_test(forgets_deposits_after_their_time),
        cmocka_unit_test(takes_the_oldest_deposits_first),
        cmocka_unit_test(spends_the_reserve_last_and_gets_it_back),
        cmocka_unit_test(survives_a_clock_that_steps_back),
        cmocka_unit_test(adds_at_most_its_fraction_to_the_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
