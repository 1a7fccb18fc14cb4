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

/* The time of the next token, which is taken then. */
static int64_t take_next(struct gcra *bucket, const struct gcra_limit *limit, int64_t now)
{
    struct gcra_answer asked = gcra_take(bucket, limit, now, 1);
    if (!asked.limited)
        return now;
    now += asked.retry_after;
    assert_false(gcra_take(bucket, limit, now, 1).limited);
    return now;
}

static void holds_a_rate_to_the_nanosecond_over_ten_million_events(void **state)
{
    (void)state;
    enum { EVENTS = 10000000 };
    static const struct gcra_limit limits[] = {
        {3, NUM_SECOND, 1}, {7, NUM_SECOND, 1}, {1000000, NUM_SECOND, 1}, {999983, NUM_SECOND, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct gcra bucket = {0};
        int64_t count = (int64_t)limits[i].count, at = 0;
        int exact = 0;
        for (int64_t event = 0; event < EVENTS; event++) {
            assert_true(gcra_reserve(&bucket, &limits[i], at, 1, INT64_MAX, &at));
            /* the first nanosecond that is not before event * T */
            exact += at == (event * NUM_SECOND + count - 1) / count;
        }
        assert_int_equal(exact, EVENTS);
    }
}

static void gives_all_tokens_of_a_period_to_those_who_wait(void **state)
{
    (void)state;
    static const struct gcra_limit limits[] = {
        {3, NUM_SECOND, 3}, {7, NUM_SECOND, 2}, {30, 7 * NUM_SECOND, 5}, {1000003, NUM_SECOND, 9}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct gcra bucket = {0};
        int64_t now = 0, tokens = (int64_t)(limits[i].count * 10 + limits[i].burst);
        for (int64_t token = 0; token < tokens; token++)
            now = take_next(&bucket, &limits[i], now);
        assert_true(now <= 10 * limits[i].period);
        assert_true(take_next(&bucket, &limits[i], now) > 10 * limits[i].period);
    }
}

static void loses_nothing_when_the_limit_changes_at_each_event(void **state)
{
    (void)state;
    enum { EVENTS = 3000000 };
    struct gcra_limit limits[] = {{3000000, NUM_SECOND, 1}, {7000000, NUM_SECOND, 1}};
    struct gcra bucket = {0};
    int64_t at = 0;
    for (int64_t event = 0; event <= EVENTS; event++)
        assert_true(gcra_reserve(&bucket, &limits[event % 2], at, 1, INT64_MAX, &at));
    /* half of them cost 1/3 us, half 1/7 us */
    assert_in_range(at, EVENTS / 2 * INT64_C(10000) / 21, EVENTS / 2 * INT64_C(10000) / 21 + 1);
}

static void forgets_the_debt_of_a_lower_rate(void **state)
{
    (void)state;
    struct gcra_limit hourly = {1, 3600 * NUM_SECOND, 10}, quick = {100, NUM_SECOND, 10};
    struct gcra bucket = {0};
    int64_t now = 50 * NUM_SECOND;
    assert_false(gcra_take(&bucket, &hourly, now, 10).limited);
    struct gcra_answer looked = gcra_look(&bucket, &quick, now, 1);
    assert_true(looked.limited);
    assert_int_equal(looked.retry_after, 10 * MS);
    assert_int_equal(gcra_take(&bucket, &quick, now, 10).retry_after, 100 * MS);
    assert_false(gcra_take(&bucket, &quick, now + 100 * MS, 10).limited);

    /* what is little enough to come of times out of order is kept */
    struct gcra_limit slow = {10, NUM_SECOND, 1}, burst = {1000, NUM_SECOND, 1};
    bucket = (struct gcra){0};
    assert_false(gcra_take(&bucket, &slow, now, 1).limited);
    assert_int_equal(gcra_take(&bucket, &burst, now, 1).retry_after, 100 * MS);
}

static void keeps_the_debt_of_a_higher_rate(void **state)
{
    (void)state;
    struct gcra_limit quick = {100, NUM_SECOND, 10}, slow = {1, NUM_SECOND, 10};
    struct gcra bucket = {0};
    assert_false(gcra_take(&bucket, &quick, 0, 10).limited); /* owes 100 ms */
    struct gcra_answer looked = gcra_look(&bucket, &slow, 0, 10);
    assert_int_equal(looked.remaining, 9);
    assert_int_equal(looked.retry_after, 100 * MS);
    assert_false(gcra_take(&bucket, &slow, 0, 9).limited);
    assert_int_equal(gcra_take(&bucket, &slow, 0, 1).retry_after, 100 * MS);
}

static void is_not_held_up_by_a_clock_that_steps_back(void **state)
{
    (void)state;
    struct gcra_limit limit = {10, NUM_SECOND, 5};
    struct gcra bucket = {0};
    assert_false(gcra_take(&bucket, &limit, 1000000 * NUM_SECOND, 5).limited);
    int64_t now = 3 * NUM_SECOND;
    for (int i = 0; i < 3; i++)
        assert_int_equal(gcra_look(&bucket, &limit, now, 1).retry_after, 100 * MS);
    assert_int_equal(gcra_take(&bucket, &limit, now, 1).retry_after, 100 * MS);
    assert_int_equal(gcra_take(&bucket, &limit, now + 50 * MS, 1).retry_after, 50 * MS);
    assert_false(gcra_take(&bucket, &limit, now + 100 * MS, 1).limited);
    assert_int_equal(gcra_take(&bucket, &limit, now + 100 * MS, 5).retry_after, 500 * MS);

    int64_t at;
    bucket = (struct gcra){0};
    now = 1000000 * NUM_SECOND;
    for (int i = 0; i < 15; i++)
        assert_true(gcra_reserve(&bucket, &limit, now, 1, NUM_SECOND, &at));
    assert_int_equal(at, now + NUM_SECOND);
    now = 0; /* it owes a burst, and what was reserved */
    assert_int_equal(gcra_take(&bucket, &limit, now, 1).retry_after, NUM_SECOND + 100 * MS);
    assert_false(gcra_reserve(&bucket, &limit, now, 1, NUM_SECOND, &at));
    assert_true(gcra_reserve(&bucket, &limit, now + 100 * MS, 1, NUM_SECOND, &at));
}

static void gives_nothing_for_times_that_are_out_of_order(void **state)
{
    (void)state;
    struct gcra_limit limit = {1000, NUM_SECOND, 1};
    struct gcra bucket = {0};
    struct rng rng;
    rng_seed(&rng, 5);
    uint64_t granted = 0;
    int64_t end = 30 * NUM_SECOND;
    for (int64_t now = NUM_SECOND; now < end; now += 100000) {
        int64_t early = (int64_t)rng_below(&rng, (uint64_t)(GCRA_DISORDER - MS));
        granted += !gcra_take(&bucket, &limit, now, 1).limited;
        granted += !gcra_take(&bucket, &limit, now - early, 1).limited;
    }
    assert_in_range(granted, 29000 - 1, 29000 + 1);
}

static void reserves_the_earliest_time_that_conforms(void **state)
{
    (void)state;
    struct gcra_limit limit = {10, NUM_SECOND, 2}; /* 100 ms each */
    static const struct {
        int64_t now;
        uint64_t tokens;
        int64_t ahead;
        bool granted;
        int64_t at;
    } steps[] = {
        {0, 1, 0, true, 0},
        {0, 1, 0, true, 0},
        {0, 1, 0, false, 100},
        {0, 1, 99, false, 100},
        {0, 1, 100, true, 100},
        {0, 1, 1000, true, 200},
        {50, 1, 249, false, 300},
        {50, 1, 250, true, 300},
        {50, 0, 1000, true, 300}, /* none: when those before it are through */
        {350, 1, 1000, true, 400},
        {1000, 2, 0, true, 1000},
        {1000, 2, 199, false, 1200},
        {1000, 2, 200, true, 1200},
        /* over the burst: as a full bucket's, and the next one waits for all of it */
        {5000, 5, 0, true, 5000},
        {5000, 1, 1000, true, 5400},
        {5000, 7, 599, false, 5600},
        {5000, 7, 600, true, 5600},
        {5000, 1, 5000, true, 6200},
    };
    struct gcra bucket = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct gcra before = bucket;
        int64_t at;
        bool granted = gcra_reserve(&bucket, &limit, steps[i].now * MS, steps[i].tokens,
                                    steps[i].ahead * MS, &at);
        if (granted != steps[i].granted || at != steps[i].at * MS)
            print_message("step %zu: %d at %jd\n", i, granted, (intmax_t)at);
        assert_int_equal(granted, steps[i].granted);
        assert_int_equal(at, steps[i].at * MS);
        if (!granted)
            assert_memory_equal(&bucket, &before, sizeof bucket);
    }
}

static void forgives_no_reservation_to_one_who_takes(void **state)
{
    (void)state;
    struct gcra_limit limit = {10, NUM_SECOND, 2};
    struct gcra bucket = {0};
    int64_t at;
    for (int i = 0; i < 42; i++)
        assert_true(gcra_reserve(&bucket, &limit, 0, 1, 60 * NUM_SECOND, &at));
    assert_int_equal(at, 4 * NUM_SECOND);
    for (int64_t now = 0; now < 4 * NUM_SECOND + 100 * MS; now += 10 * MS) {
        struct gcra_answer answer = gcra_take(&bucket, &limit, now, 1);
        assert_true(answer.limited);
        assert_int_equal(answer.remaining, 0);
        assert_int_equal(answer.retry_after, 4 * NUM_SECOND + 100 * MS - now);
        assert_int_equal(gcra_look(&bucket, &limit, now, 0).limited, now < 4 * NUM_SECOND);
    }
    assert_false(gcra_take(&bucket, &limit, 4 * NUM_SECOND + 100 * MS, 1).limited);
    assert_int_equal(bucket.reserved, 0);
}

static void check_answer(const struct gcra *bucket, const struct gcra_limit *limit, int64_t now,
                         uint64_t tokens)
{
    struct gcra_answer answer = gcra_look(bucket, limit, now, tokens);
    assert_true(answer.limit == limit->burst && answer.remaining <= limit->burst);
    assert_true(answer.limited == (answer.retry_after != 0));
    assert_true(answer.reset_after >= 0);
    assert_true((answer.retry_after == -1) == (tokens > limit->burst));
    struct gcra fresh = {0};
    assert_true(gcra_look(&fresh, limit, now, tokens).limited == (tokens > limit->burst));
    uint64_t remaining = gcra_look(bucket, limit, now, 0).remaining;
    if (bucket->tat == INT64_MAX || !remaining)
        return;
    assert_false(gcra_look(bucket, limit, now, remaining).limited);
    if (remaining < limit->burst)
        assert_true(gcra_look(bucket, limit, now, remaining + 1).limited);
    if (answer.retry_after > 0 && answer.retry_after < INT64_MAX - now) {
        assert_false(gcra_look(bucket, limit, now + answer.retry_after, tokens).limited);
        assert_true(gcra_look(bucket, limit, now + answer.retry_after - 1, tokens).limited);
    }
}

static void survives_the_largest_limits(void **state)
{
    (void)state;
    static const uint64_t counts[] = {1, 3, 1000000007, INT64_MAX, UINT64_MAX};
    static const int64_t periods[] = {1, 3, NUM_SECOND, INT64_MAX - 1, INT64_MAX};
    static const uint64_t numbers[] = {1, 2, 1000, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
    static const int64_t times[] = {0, 1, NUM_SECOND, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    struct rng rng;
    rng_seed(&rng, 6);
    for (int i = 0; i < 300000; i++) {
        struct gcra_limit limit = {counts[rng_below(&rng, 5)], periods[rng_below(&rng, 5)],
                                   numbers[rng_below(&rng, 6)]};
        struct gcra bucket = {0};
        int64_t now = times[rng_below(&rng, 6)], at;
        for (int step = 0; step < 4; step++) {
            uint64_t tokens = rng_below(&rng, 2) ? numbers[rng_below(&rng, 6)] : rng_below(&rng, 3);
            check_answer(&bucket, &limit, now, tokens);
            if (rng_below(&rng, 2))
                gcra_take(&bucket, &limit, now, tokens);
            else if (gcra_reserve(&bucket, &limit, now, tokens, times[rng_below(&rng, 6)], &at))
                assert_true(at >= now);
            check_answer(&bucket, &limit, now, tokens);
            if (rng_below(&rng, 2))
                now = times[rng_below(&rng, 6)];
        }
    }
}

static void fills_for_good_beyond_the_end_of_time(void **state)
{
    (void)state;
    struct gcra_limit limit = {1, INT64_MAX, 4};
    struct gcra bucket = {0};
    assert_false(gcra_take(&bucket, &limit, 5, 1).limited);
    struct gcra_answer answer = gcra_take(&bucket, &limit, 5, 1);
    assert_true(answer.limited);
    assert_int_equal(answer.retry_after, INT64_MAX);
    assert_int_equal(answer.remaining, 0);
    assert_true(gcra_take(&bucket, &limit, INT64_MAX, 1).limited);

    struct gcra_limit quick = {UINT64_C(1) << 62, INT64_MAX, UINT64_MAX}; /* 2 ns each */
    bucket = (struct gcra){0};
    assert_false(gcra_take(&bucket, &quick, 5, 5).limited);
    assert_false(gcra_take(&bucket, &quick, 5, UINT64_C(1) << 63).limited);
    assert_int_equal(bucket.tat, INT64_MAX);
    assert_true(gcra_take(&bucket, &quick, 5, 1).limited);
}

/* The same as a meter of what has leaked: exact, in parts of 1 / count of a nanosecond. */
struct meter {
    __int128 level;
    int64_t last;
};

static bool meter_take(struct meter *meter, const struct gcra_limit *limit, int64_t now,
                       uint64_t tokens)
{
    meter->level -= (__int128)(now - meter->last) * limit->count;
    meter->last = now;
    if (meter->level < 0)
        meter->level = 0;
    __int128 filled = meter->level + (__int128)tokens * limit->period;
    if (filled > (__int128)limit->burst * limit->period)
        return false;
    meter->level = filled;
    return true;
}

/* In each window, ends included, no more than the burst and what its length gives. */
static void check_windows(const struct gcra_limit *limit, const int64_t *times,
                          const uint64_t *tokens, int grants)
{
    for (int from = 0; from < grants; from++) {
        __int128 sum = 0;
        for (int to = from; to < grants; to++) {
            sum += tokens[to];
            __int128 beyond = (sum - limit->burst) * limit->period;
            if (beyond > (__int128)(times[to] - times[from]) * limit->count)
                fail_msg("more than the limit from grant %d to %d", from, to);
        }
    }
}

static void grants_what_a_leaky_bucket_grants(void **state)
{
    (void)state;
    enum { ROUNDS = 300, STEPS = 1500 };
    static int64_t times[STEPS];
    static uint64_t tokens[STEPS];
    struct rng rng;
    rng_seed(&rng, 7);
    for (int round = 0; round < ROUNDS; round++) {
        struct gcra_limit limit = {1 + rng_below(&rng, UINT64_C(1) << rng_below(&rng, 31)),
                                   1 + (int64_t)rng_below(&rng, 10000000000),
                                   1 + rng_below(&rng, 1 + rng_below(&rng, 40))};
        struct gcra bucket = {0};
        struct meter meter = {0};
        int64_t now = 0;
        int grants = 0;
        uint64_t step = (uint64_t)limit.period / limit.count * 3 + 3;
        for (int i = 0; i < STEPS; i++) {
            uint64_t wanted = rng_below(&rng, rng_below(&rng, 2) ? 3 : limit.burst + 2);
            struct gcra_answer answer = gcra_take(&bucket, &limit, now, wanted);
            assert_int_equal(!answer.limited, meter_take(&meter, &limit, now, wanted));
            if (!answer.limited) {
                times[grants] = now;
                tokens[grants++] = wanted;
            }
            check_answer(&bucket, &limit, now, wanted);
            /* often at the very nanosecond that was told */
            if (answer.retry_after > 0 && rng_below(&rng, 2))
                now += answer.retry_after;
            else
                now += (int64_t)rng_below(&rng, step);
        }
        check_windows(&limit, times, tokens, grants);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_redis_cell_does),
        cmocka_unit_test(holds_a_rate_to_the_nanosecond_over_ten_million_events),
        cmocka_unit_test(gives_all_tokens_of_a_period_to_those_who_wait),
        cmocka_unit_test(loses_nothing_when_the_limit_changes_at_each_event),
        cmocka_unit_test(forgets_the_debt_of_a_lower_rate),
        cmocka_unit_test(keeps_the_debt_of_a_higher_rate),
        cmocka_unit_test(is_not_held_up_by_a_clock_that_steps_back),
        cmocka_unit_test(gives_nothing_for_times_that_are_out_of_order),
        cmocka_unit_test(reserves_the_earliest_time_that_conforms),
        cmocka_unit_test(forgives_no_reservation_to_one_who_takes),
        cmocka_unit_test(survives_the_largest_limits),
        cmocka_unit_test(fills_for_good_beyond_the_end_of_time),
        cmocka_unit_test(grants_what_a_leaky_bucket_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
