/* test_reporting.c: claims about the line of progress and the text of metrics. */
#include "engine/metrics.h"
#include "engine/progress.h"

#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(const struct progress_facts *facts, unsigned columns, const char *expected)
{
    struct buf line = {0};
    progress_format(&line, facts, columns);
    assert_string_equal(buf_cstr(&line), expected);
    buf_free(&line);
}

static void tells_how_far_how_fast_and_how_long(void **state)
{
    (void)state;
    struct progress_facts facts = {.done = 1234,
                                   .dead = 5,
                                   .in_flight = 8,
                                   .rate = 312.7,
                                   .fraction = 0.25,
                                   .elapsed = 30 * NUM_SECOND};
    assert_line(
        &facts, 200,
        "[#####...............] 25% 1234 done, 5 dead, 8 in flight, 313 calls/s, 1:30 left");
    facts.elapsed = 2 * 3600 * NUM_SECOND;
    facts.dead = 0;
    facts.rate = 3.14;
    assert_line(&facts, 200,
                "[#####...............] 25% 1234 done, 8 in flight, 3.1 calls/s, 6:00:00 left");
}

static void leaves_out_what_is_not_known(void **state)
{
    (void)state;
    struct progress_facts facts = {.done = 7, .in_flight = 1, .rate = 2, .fraction = -1};
    assert_line(&facts, 200, "7 done, 1 in flight, 2.0 calls/s");
    facts.fraction = 0;
    assert_line(&facts, 200, "[....................] 0% 7 done, 1 in flight, 2.0 calls/s");
}

static void never_is_wider_than_the_terminal(void **state)
{
    (void)state;
    struct progress_facts facts = {.done = UINT64_MAX,
                                   .dead = UINT64_MAX,
                                   .in_flight = UINT64_MAX,
                                   .rate = 1e300,
                                   .fraction = 2,
                                   .elapsed = INT64_MAX};
    for (unsigned columns = 0; columns < 100; columns++) {
        struct buf line = {0};
        progress_format(&line, &facts, columns);
        assert_true(line.len <= columns);
        buf_free(&line);
    }
}

static void what_is_left_follows_from_what_is_through(void **state)
{
    (void)state;
    assert_int_equal(progress_left(0.5, 10), 10);
    assert_int_equal(progress_left(0.75, 30 * NUM_SECOND), 10 * NUM_SECOND);
    assert_int_equal(progress_left(0, 10), 0);
    assert_int_equal(progress_left(1, 10), 0);
    assert_int_equal(progress_left(-1, 10), 0);
}

static void the_rate_moves_towards_the_present(void **state)
{
    (void)state;
    double rate = progress_rate(0, 100, NUM_SECOND);
    assert_true(rate == 100);
    for (int i = 0; i < 100; i++)
        rate = progress_rate(rate, 2, NUM_SECOND / 5);
    assert_true(rate > 9.9 && rate < 10.1);
    assert_true(progress_rate(5, 100, 0) == 5);
    for (int i = 0; i < 200; i++)
        rate = progress_rate(rate, 0, NUM_SECOND / 5);
    assert_true(rate < 0.1);
}

static void note(struct metrics *metrics, double seconds, const struct failure *failure)
{
    struct fn_attempt attempt = {.duration = (int64_t)(seconds * 1e9), .failure = failure};
    metrics_note(metrics, &attempt);
}

static void buckets_count_what_is_at_most_their_limit(void **state)
{
    (void)state;
    struct metrics metrics = {.started = 7 * NUM_SECOND};
    struct report report = {.read = 10, .done = 6, .dead = 2, .dropped = 1, .attempts = 4};
    struct failure failure = {.reason = FAILURE_TIMEOUT};
    struct buf text = {0};
    note(&metrics, 0.001, NULL);
    note(&metrics, 0.0011, NULL);
    note(&metrics, 0.5, &failure);
    note(&metrics, 100, &failure);
    metrics_format(&metrics, &report, "route", &text);
    static const char *const lines[] = {
        "fit_events_read_total{command=\"route\"} 10\n",
        "fit_events_in_flight{command=\"route\"} 1\n",
        "fit_attempts_failed_total{command=\"route\",reason=\"timeout\"} 2\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"0.0005\"} 0\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"0.001\"} 1\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"0.0025\"} 2\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"0.5\"} 3\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"60\"} 3\n",
        "fit_attempt_duration_seconds_bucket{command=\"route\",le=\"+Inf\"} 4\n",
        "fit_attempt_duration_seconds_sum{command=\"route\"} 100.502100\n",
        "fit_attempt_duration_seconds_count{command=\"route\"} 4\n",
        "fit_start_time_seconds{command=\"route\"} 7\n",
        "# TYPE fit_attempt_duration_seconds histogram\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(buf_cstr(&text), lines[i]));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_far_how_fast_and_how_long),
        cmocka_unit_test(leaves_out_what_is_not_known),
        cmocka_unit_test(never_is_wider_than_the_terminal),
        cmocka_unit_test(what_is_left_follows_from_what_is_through),
        cmocka_unit_test(the_rate_moves_towards_the_present),
        cmocka_unit_test(buckets_count_what_is_at_most_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
