/* test_ticks.c: claims about pattern/ticks.h, one by one; test_ticks_model.c has all
 * short histories. */
#include "pattern/ticks.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static struct ticks ticks;
static struct tick tick;
static int64_t when;

static struct schedule read_schedule(const char *text)
{
    struct schedule schedule;
    struct err err;
    assert_int_equal(schedule_parse(&schedule, text, &zone_utc, 0, &err), 0);
    return schedule;
}

static void make(const char *text, const struct ticks_policy *policy)
{
    struct schedule schedule = read_schedule(text);
    ticks_init(&ticks, &schedule, &zone_utc, policy);
}

static void begins(int64_t now, int64_t scheduled)
{
    assert_int_equal(ticks_next(&ticks, now, &tick, &when), TICKS_RUN);
    assert_int_equal(tick.scheduled, scheduled);
}

static void waits(int64_t now, int64_t until)
{
    assert_int_equal(ticks_next(&ticks, now, &tick, &when), TICKS_LATER);
    assert_int_equal(when, until);
}

static void ends(int64_t scheduled)
{
    ticks_end(&ticks, scheduled);
    ticks_settle(&ticks);
}

static int64_t at(const char *text)
{
    int64_t wall = 0;
    assert_null(clock_parse(text, &wall));
    return wall;
}

/* Central Europe in 2026. */
static int32_t offset_of(const struct zone *zone, int64_t second)
{
    (void)zone;
    bool summer = second * SECOND >= at("2026-03-29T01:00:00Z") &&
                  second * SECOND < at("2026-10-25T01:00:00Z");
    return summer ? 7200 : 3600;
}

static const struct zone europe = {offset_of};

static void begin_at(const char *text, const char *now)
{
    struct schedule schedule = read_schedule(text);
    ticks_init(&ticks, &schedule, &europe, &(struct ticks_policy){.missed = TICKS_ALL});
    ticks_begin(&ticks, at(now), 0);
}

/* ---- one by one ---- */

static void begins_an_interval_at_once_and_does_not_drift(void **state)
{
    (void)state;
    int64_t now = 1000 * SECOND + 123456789, anchor = 1000 * SECOND + 123000000;
    make("30s", &(struct ticks_policy){0});
    ticks_begin(&ticks, now, 0);
    for (int64_t i = 0; i < 10000; i++) {
        int64_t scheduled = anchor + i * 30 * SECOND;
        begins(now, scheduled);
        assert_int_equal(tick.missed + tick.skipped, 0);
        now += 7 * SECOND;
        ends(scheduled);
        waits(now, scheduled + 30 * SECOND);
        now = when + i % 5 * (SECOND / 2); /* always woken a little late */
    }
    ticks_free(&ticks);
}

static void waits_for_the_next_time_of_a_cron_line(void **state)
{
    (void)state;
    int64_t now = at("2026-11-26T05:00:00.5Z");
    make("0 5 * * *", &(struct ticks_policy){0});
    ticks_begin(&ticks, now, 0);
    waits(now, at("2026-11-27T05:00:00Z"));
    begins(when, when);
    ticks_free(&ticks);
    make("0 5 * * *", &(struct ticks_policy){0});
    ticks_begin(&ticks, now, TICKS_PROMPT); /* as a cron job does */
    begins(now, at("2026-11-26T05:00:00Z"));
    ticks_free(&ticks);
}

static void is_over_after_its_moment(void **state)
{
    (void)state;
    int64_t moment = at("2026-11-26T17:30:00Z");
    make("at 2026-11-26T17:30:00Z", &(struct ticks_policy){0});
    ticks_begin(&ticks, moment - HOUR, 0);
    waits(moment - HOUR, moment);
    begins(moment + 1, moment);
    assert_int_equal(ticks_next(&ticks, moment + 2, &tick, &when), TICKS_OVER);
    ends(moment);
    assert_int_equal(ticks_next(&ticks, moment + 24 * HOUR, &tick, &when), TICKS_OVER);
    ticks_free(&ticks);
}

static void runs_the_last_of_those_that_were_missed(void **state)
{
    (void)state;
    int64_t through = at("2026-11-20T05:00:00Z"), now = at("2026-11-26T12:00:00Z");
    make("0 5 * * *", &(struct ticks_policy){.missed = TICKS_ONE});
    ticks_resume(&ticks, through, NULL, 0);
    begins(now, at("2026-11-26T05:00:00Z"));
    assert_int_equal(tick.missed, 5);
    assert_int_equal(ticks.missed, 5);
    waits(now, at("2026-11-27T05:00:00Z"));
    ticks_free(&ticks);
}

static void leaves_all_of_them_out(void **state)
{
    (void)state;
    int64_t through = at("2026-11-20T05:00:00Z"), now = at("2026-11-26T05:01:01Z");
    const struct ticks_policy none = {.missed = TICKS_NONE};
    make("0 5 * * *", &none);
    ticks_resume(&ticks, through, NULL, 0);
    waits(now, at("2026-11-27T05:00:00Z"));
    assert_int_equal(ticks.missed, 6);
    ticks_free(&ticks);
    make("0 5 * * *", &none);
    ticks_resume(&ticks, through, NULL, 0);
    begins(now - SECOND, at("2026-11-26T05:00:00Z")); /* that is not late */
    assert_int_equal(tick.missed, 5);
    ticks_free(&ticks);
}

static void makes_up_for_all_of_them_in_their_order(void **state)
{
    (void)state;
    make("10s", &(struct ticks_policy){.missed = TICKS_ALL});
    ticks_begin(&ticks, 0, 0);
    int64_t now = 55 * SECOND;
    for (int64_t i = 0; i <= 5; i++) {
        begins(now, i * 10 * SECOND);
        waits(now, 60 * SECOND);
        ends(i * 10 * SECOND);
    }
    begins(60 * SECOND, 60 * SECOND);
    assert_int_equal(ticks.missed + ticks.skipped, 0);
    ticks_free(&ticks);
}

static void lets_further_times_wait_behind_those_that_are_made_up_for(void **state)
{
    (void)state;
    make("10s", &(struct ticks_policy){.missed = TICKS_ALL, .overlap = TICKS_REPLACE});
    ticks_begin(&ticks, 0, 0);
    begins(15 * SECOND, 0);
    waits(20 * SECOND, 30 * SECOND);
    ends(0);
    begins(20 * SECOND, 10 * SECOND);
    waits(30 * SECOND, 40 * SECOND);
    ends(10 * SECOND);
    begins(31 * SECOND, 20 * SECOND);
    ends(20 * SECOND);
    begins(31 * SECOND, 30 * SECOND);
    begins(40 * SECOND, 40 * SECOND); /* nothing waits: it takes the other's place */
    ticks_free(&ticks);
}

static void counts_what_is_missed_without_going_through_it(void **state)
{
    (void)state;
    make("1ms", &(struct ticks_policy){.missed = TICKS_ONE});
    ticks_begin(&ticks, 0, 0);
    begins(0, 0);
    ends(0);
    begins(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    assert_int_equal(tick.missed, at("2026-01-01T00:00:00Z") / 1000000 - 1);
    ticks_free(&ticks);
    make("* * * * *", &(struct ticks_policy){.missed = TICKS_ONE});
    ticks_resume(&ticks, MINUTE, NULL, 0);
    begins(at("2026-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"));
    assert_int_equal(tick.missed, TICKS_COUNTED);
    ticks_free(&ticks);
}

static void begins_nothing_that_is_too_late(void **state)
{
    (void)state;
    struct ticks_policy policy = {.missed = TICKS_ALL, .deadline = 25 * SECOND};
    make("10s", &policy);
    ticks_begin(&ticks, 0, 0);
    begins(100 * SECOND, 80 * SECOND); /* 75 s is its limit */
    assert_int_equal(tick.missed, 8);
    ends(80 * SECOND);
    begins(116 * SECOND, 100 * SECOND);
    assert_int_equal(tick.missed, 1);
    ticks_free(&ticks);
    policy.missed = TICKS_ONE;
    make("0 5 * * *", &policy);
    ticks_resume(&ticks, at("2026-11-20T05:00:00Z"), NULL, 0);
    waits(at("2026-11-26T05:00:26Z"), at("2026-11-27T05:00:00Z"));
    assert_int_equal(ticks.missed, 6);
    begins(at("2026-11-27T05:00:25Z"), at("2026-11-27T05:00:00Z"));
    ticks_free(&ticks);
}

static void skips_what_comes_while_a_run_is_under_way(void **state)
{
    (void)state;
    make("10s", &(struct ticks_policy){.overlap = TICKS_FORBID});
    ticks_begin(&ticks, 0, 0);
    begins(0, 0);
    waits(10 * SECOND, 20 * SECOND);
    ticks_end(&ticks, 0);
    waits(20 * SECOND, 30 * SECOND); /* it has ended, but that is not kept yet */
    ticks_settle(&ticks);
    waits(20 * SECOND, 30 * SECOND); /* no making up */
    begins(30 * SECOND, 30 * SECOND);
    assert_int_equal(tick.skipped, 2);
    assert_int_equal(tick.missed, 0);
    ticks_free(&ticks);
}

static void allows_so_many_at_once(void **state)
{
    (void)state;
    make("10s", &(struct ticks_policy){.overlap = TICKS_ALLOW, .at_once = 2});
    ticks_begin(&ticks, 0, 0);
    begins(0, 0);
    begins(10 * SECOND, 10 * SECOND);
    waits(20 * SECOND, 30 * SECOND);
    ends(10 * SECOND);
    begins(30 * SECOND, 30 * SECOND);
    assert_int_equal(ticks.skipped, 1);
    assert_int_equal(ticks.open[0].tick.scheduled, 0);
    assert_int_equal(ticks.count, 2);
    ticks_free(&ticks);
}

static void queues_a_bounded_number(void **state)
{
    (void)state;
    make("1s", &(struct ticks_policy){.overlap = TICKS_QUEUE});
    ticks_begin(&ticks, 0, 0);
    begins(0, 0);
    for (int64_t i = 1; i <= TICKS_QUEUED + 7; i++)
        waits(i * SECOND, (i + 1) * SECOND);
    assert_int_equal(ticks.skipped, 7);
    int64_t now = (TICKS_QUEUED + 8) * SECOND - 1;
    for (int64_t i = 0; i < TICKS_QUEUED; i++) {
        ends(i * SECOND);
        begins(now, (i + 1) * SECOND);
    }
    ticks_free(&ticks);
}

static void begins_again_what_was_open(void **state)
{
    (void)state;
    const int64_t open[] = {100 * SECOND, 120 * SECOND};
    make("10s", &(struct ticks_policy){.missed = TICKS_ALL});
    ticks_resume(&ticks, 120 * SECOND, open, 2);
    begins(125 * SECOND, 100 * SECOND);
    ends(100 * SECOND);
    begins(125 * SECOND, 120 * SECOND);
    ends(120 * SECOND);
    waits(125 * SECOND, 130 * SECOND);
    ticks_free(&ticks);
    make("10s", &(struct ticks_policy){.missed = TICKS_ONE});
    ticks_resume(&ticks, 120 * SECOND, open, 2);
    begins(125 * SECOND, 120 * SECOND); /* the last one, of them too */
    assert_int_equal(tick.missed, 1);
    ticks_free(&ticks);
    make("10s", &(struct ticks_policy){.missed = TICKS_NONE});
    ticks_resume(&ticks, 120 * SECOND, open, 2);
    begins(HOUR, HOUR);
    assert_int_equal(tick.missed, 2 + (HOUR / SECOND - 120) / 10 - 1);
    ticks_free(&ticks);
}

static void gives_back_what_was_interrupted(void **state)
{
    (void)state;
    make("10s", &(struct ticks_policy){0});
    ticks_begin(&ticks, 0, 0);
    begins(0, 0);
    ticks_return(&ticks, 0);
    assert_int_equal(ticks.count, 1);
    assert_int_equal(ticks.open[0].state, TICK_WAITING);
    ticks_free(&ticks);
}

static void brings_nothing_again_when_the_clock_is_set_back(void **state)
{
    (void)state;
    int64_t now = at("2026-11-26T05:00:00Z");
    make("*/10 * * * *", &(struct ticks_policy){0});
    ticks_begin(&ticks, now - 1, 0);
    begins(now, now);
    ends(now);
    waits(now - 2 * HOUR, now + 10 * MINUTE);
    begins(now + 10 * MINUTE, now + 10 * MINUTE);
    ends(now + 10 * MINUTE);
    waits(now - 24 * HOUR, now - 24 * HOUR + 10 * MINUTE); /* a correction */
    ticks_free(&ticks);
}

static void keeps_an_interval_going_when_the_clock_is_set_back(void **state)
{
    (void)state;
    make("30s", &(struct ticks_policy){0});
    ticks_begin(&ticks, HOUR, 0);
    begins(HOUR, HOUR);
    ends(HOUR);
    waits(HOUR - 20 * SECOND, HOUR + 30 * SECOND); /* in step */
    int64_t now = HOUR / 2;
    assert_int_equal(ticks_next(&ticks, now, &tick, &when), TICKS_LATER);
    assert_true(when > now && when <= now + 31 * SECOND);
    assert_true((when - HOUR) % (30 * SECOND)); /* no time of before */
    int64_t first = when;
    waits(now + SECOND, first);
    begins(first, first);
    ends(first);
    waits(first, first + 30 * SECOND);
    ticks_free(&ticks);
}

static void follows_local_time_through_its_changes(void **state)
{
    static const char *const fixed[] = {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z",
                                        "2026-03-30T00:30:00Z"};
    (void)state;
    begin_at("30 2 * * *", "2026-03-28T00:00:00Z"); /* which is left out on the 29th */
    for (size_t i = 0; i < 3; i++) {
        begins(at("2026-03-30T12:00:00Z"), at(fixed[i]));
        ends(at(fixed[i]));
    }
    waits(at("2026-03-30T12:00:00Z"), at("2026-03-31T00:30:00Z"));
    ticks_free(&ticks);
    begin_at("30 2 * * *", "2026-10-25T00:00:00Z"); /* which comes twice on the 25th */
    begins(at("2026-10-25T00:30:00Z"), at("2026-10-25T00:30:00Z"));
    ends(at("2026-10-25T00:30:00Z"));
    waits(at("2026-10-25T02:00:00Z"), at("2026-10-26T01:30:00Z"));
    ticks_free(&ticks);
    begin_at("30 * * * *", "2026-10-25T00:00:00Z");
    for (int64_t i = 0; i < 3; i++) { /* 2:30, 2:30, 3:30 */
        begins(at("2026-10-25T03:00:00Z"), at("2026-10-25T00:30:00Z") + i * HOUR);
        ends(at("2026-10-25T00:30:00Z") + i * HOUR);
    }
    ticks_free(&ticks);
}

static void begins_with_jitter_and_stays_in_order(void **state)
{
    (void)state;
    const struct ticks_policy policy = {.missed = TICKS_ALL, .jitter = 25 * SECOND, .seed = 7};
    int64_t delays = 0, now = 0;
    make("10s", &policy);
    ticks_begin(&ticks, 0, 0);
    for (int64_t i = 0; i < 1000; i++) {
        int64_t scheduled = i * 10 * SECOND;
        if (ticks_next(&ticks, now, &tick, &when) != TICKS_RUN) {
            assert_true(when >= scheduled && when < scheduled + 10 * SECOND);
            assert_int_equal(ticks_next(&ticks, when - 1, &tick, &now), TICKS_LATER);
            assert_int_equal(now, when); /* the same for the same time */
            begins(now = when, scheduled);
        }
        assert_int_equal(tick.scheduled, scheduled);
        delays += now - scheduled;
        ends(scheduled);
    }
    assert_in_range(delays / 1000, 4 * SECOND, 6 * SECOND);
    ticks_free(&ticks);
}

static void bears_the_longest_durations(void **state)
{
    (void)state;
    int64_t now = at("2026-11-26T12:00:00Z");
    struct ticks_policy policy = {.missed = TICKS_ALL, .deadline = INT64_MAX};
    make("1d", &policy);
    ticks.schedule.interval = INT64_MAX;
    ticks_begin(&ticks, now, 0);
    begins(now, now);
    ends(now);
    assert_int_equal(ticks_next(&ticks, now + 1, &tick, &when), TICKS_OVER);
    ticks_free(&ticks);
    policy.jitter = INT64_MAX;
    for (policy.seed = 0; policy.seed < 100; policy.seed++) {
        make("at 2026-11-26T12:00:00Z", &policy);
        ticks_begin(&ticks, now - HOUR, 0);
        assert_int_equal(ticks_next(&ticks, now - 1, &tick, &when), TICKS_LATER);
        assert_true(when >= now);
        ticks_free(&ticks);
    }
    make("* * * * *", &policy);
    ticks_begin(&ticks, now, HOUR);
    begins(now + MINUTE, now - HOUR);
    ticks_free(&ticks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_an_interval_at_once_and_does_not_drift),
        cmocka_unit_test(waits_for_the_next_time_of_a_cron_line),
        cmocka_unit_test(is_over_after_its_moment),
        cmocka_unit_test(runs_the_last_of_those_that_were_missed),
        cmocka_unit_test(leaves_all_of_them_out),
        cmocka_unit_test(makes_up_for_all_of_them_in_their_order),
        cmocka_unit_test(lets_further_times_wait_behind_those_that_are_made_up_for),
        cmocka_unit_test(counts_what_is_missed_without_going_through_it),
        cmocka_unit_test(begins_nothing_that_is_too_late),
        cmocka_unit_test(skips_what_comes_while_a_run_is_under_way),
        cmocka_unit_test(allows_so_many_at_once),
        cmocka_unit_test(queues_a_bounded_number),
        cmocka_unit_test(begins_again_what_was_open),
        cmocka_unit_test(gives_back_what_was_interrupted),
        cmocka_unit_test(brings_nothing_again_when_the_clock_is_set_back),
        cmocka_unit_test(keeps_an_interval_going_when_the_clock_is_set_back),
        cmocka_unit_test(follows_local_time_through_its_changes),
        cmocka_unit_test(begins_with_jitter_and_stays_in_order),
        cmocka_unit_test(bears_the_longest_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
