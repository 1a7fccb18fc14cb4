/* test_schedule.c: what pattern/schedule.h promises about times. */
#include "pattern/schedule.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/rng.h"
#include "sys/zone_named.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "cron_model.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct schedule parsed(const char *text, const struct zone *zone, int64_t now)
{
    struct schedule schedule;
    struct err err;
    if (schedule_parse(&schedule, text, zone, now, &err))
        fail_msg("%s: %s", text, err.text);
    return schedule;
}

static struct zone *opened(const char *name)
{
    struct err err;
    struct zone *zone = zone_named(name, &err);
    if (!zone)
        fail_msg("%s (is tzdata there?)", err.text);
    return zone;
}

static int64_t wall_of(const char *text)
{
    int64_t wall;
    assert_null(clock_parse(text, &wall));
    return wall;
}

/* ---- against the model of cron ---- */

enum { TIMES = 1000 };

/* Fixed times and starred ones, in the hours that change and outside of them. */
static const char *const lines[] = {
    "* * * * *",
    "*/5 * * * *",
    "*/7 * * * *",
    "7-59/13 * * * *",
    "0 * * * *",
    "30 * * * *",
    "59 * * * *",
    "0,30 * * * *",
    "*/10 2 * * *",
    "*/15 1-3 * * *",
    "* 0 * * *",
    "* 23 * * *",
    "*/20 */3 * * *",
    "0 */2 * * *",
    "15 */4 * * *",
    "45 */1 * * *",
    "0 0 * * *",
    "1 0 * * *",
    "30 0 * * *",
    "59 0 * * *",
    "0 1 * * *",
    "30 1 * * *",
    "59 1 * * *",
    "0 2 * * *",
    "1 2 * * *",
    "15 2 * * *",
    "30 2 * * *",
    "59 2 * * *",
    "0 3 * * *",
    "1 3 * * *",
    "30 3 * * *",
    "0 4 * * *",
    "59 23 * * *",
    "0,30 2 * * *",
    "0-59 2 * * *",
    "0-59/10 1,2,3 * * *",
    "15,45 0-23 * * *",
    "0 0-23 * * *",
    "30 0-23/2 * * *",
    "30 1-3 * * *",
    "30 2 * * sun",
    "30 2 * * 7",
    "30 1 * * 0",
    "0 0 * * mon-fri",
    "0 12 * * tue,thu,sat",
    "30 2 25-31 * sun",
    "30 2 */2 * sun",
    "* 2 */2 * *",
    "15 2 8-14 mar,nov *",
    "30 2 1,15 * 5",
    "0 0 1 * *",
    "0 2 31 * *",
    "30 2 * 3,4,9-11 *",
    "*/30 1-2 * mar,oct sun",
    "0 9 * jan-jun/2 1-5/2",
    "0 0 13 * fri",
    "5 4 * * sat",
    "0 0 1 1 *",
    "30 2 29 2 *",
    "0 3 29 2 */2",
};

static const struct {
    const char *zone, *from;
} places[] = {
    {"Europe/Berlin", "2026-03-01T00:00:00Z"},
    {"America/New_York", "2025-10-15T00:00:00Z"},
    {"Australia/Lord_Howe", "2026-09-20T00:00:00Z"},
    {"America/St_Johns", "2010-10-20T00:00:00Z"}, /* changed at one minute past midnight */
    {"Pacific/Apia", "2011-12-28T00:00:00Z"},     /* 30 December was left out */
};

static void claim_same(const char *what, const char *zone, int64_t got, int64_t expected)
{
    char a[CLOCK_TEXT], b[CLOCK_TEXT];
    if (got != expected)
        fail_msg("%s in %s: got %s, expected %s", what, zone, clock_format(got, a),
                 clock_format(expected, b));
}

/* From anywhere between two times that follow each other the one is next, the other was last. */
static void claim_between(const char *line, const struct schedule *schedule,
                          const struct zone *zone, struct rng *rng, int64_t last, int64_t due)
{
    const int64_t hours = 8 * 3600 * NUM_SECOND; /* more than any change takes to be over */
    int64_t when, between = last + (int64_t)rng_below(rng, (uint64_t)(due - last));
    if (due - last > hours && rng_below(rng, 4)) /* near to one of them */
        between = rng_below(rng, 2) ? last + (int64_t)rng_below(rng, hours)
                                    : due - 1 - (int64_t)rng_below(rng, hours);
    assert_true(schedule_next(schedule, zone, between, &when));
    claim_same("next between", line, when, due);
    assert_true(schedule_prev(schedule, zone, between, &when));
    claim_same("prev between", line, when, last);
}

/* next gives what the model gives, prev is its inverse, and both agree in between. */
static void follows_model(const char *line, const char *name, const struct zone *zone, int64_t from,
                          int64_t end, int count)
{
    struct schedule schedule = parsed(line, zone, 0);
    struct cron_model model;
    struct rng rng;
    rng_seed(&rng, (uint64_t)from);
    cron_model_init(&model, line, zone, from);
    int64_t last = from * NUM_SECOND - 1, due, when, before;
    bool had = schedule_prev(&schedule, zone, last, &before);
    for (int i = 0; i < count; i++) {
        bool is_due = cron_model_next(&model, end, &due);
        bool found = schedule_next(&schedule, zone, last, &when);
        if (!is_due) {
            assert_true(!found || when >= end * NUM_SECOND);
            return;
        }
        if (!found)
            fail_msg("%s in %s: nothing after %d times", line, name, i);
        claim_same(line, name, when, due * NUM_SECOND);
        int64_t back;
        assert_true(schedule_prev(&schedule, zone, when, &back));
        claim_same("prev at", line, back, when);
        assert_int_equal(schedule_prev(&schedule, zone, when - 1, &back), had);
        if (had) {
            claim_same("prev before", line, back, before);
            claim_between(line, &schedule, zone, &rng, before, when);
        }
        last = before = when;
        had = true;
    }
}

static void next_thousand_times_are_those_of_cron(void **state)
{
    (void)state;
    assert_int_equal(COUNT(lines), 60);
    for (size_t place = 0; place < COUNT(places); place++) {
        struct zone *zone = opened(places[place].zone);
        int64_t from = wall_of(places[place].from) / NUM_SECOND;
        for (size_t line = 0; line < COUNT(lines); line++)
            follows_model(lines[line], places[place].zone, zone, from, SCHEDULE_END, TIMES);
        zone_named_free(zone);
    }
}

/* ---- each moment of a night ---- */

/* Every seven minutes of five days around a change, both ways. */
static void sweep(const char *line, const struct zone *zone, int64_t from)
{
    enum { MINUTES = 5 * 1440 };
    static int64_t dues[MINUTES];
    struct schedule schedule = parsed(line, zone, 0);
    struct cron_model model;
    size_t count = 0, past = 0;
    cron_model_init(&model, line, zone, from);
    while (count < MINUTES && cron_model_next(&model, from + MINUTES * 60, &dues[count]))
        count++;
    for (int64_t at = from; count && at < dues[count - 1]; at += 7 * 60) {
        int64_t when;
        while (dues[past] <= at)
            past++;
        assert_true(schedule_next(&schedule, zone, at * NUM_SECOND, &when));
        claim_same("swept next", line, when, dues[past] * NUM_SECOND);
        if (past == 0)
            continue;
        assert_true(schedule_prev(&schedule, zone, at * NUM_SECOND, &when));
        claim_same("swept prev", line, when, dues[past - 1] * NUM_SECOND);
    }
}

static void each_moment_of_a_night_knows_the_last_and_the_next_time(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *from;
    } changes[] = {
        {"Europe/Berlin", "2026-03-27T00:00:00Z"},
        {"Europe/Berlin", "2026-10-23T00:00:00Z"},
        {"Australia/Lord_Howe", "2026-04-03T00:00:00Z"},
        {"America/Sao_Paulo", "2018-02-16T00:00:00Z"},
        {"America/St_Johns", "2010-11-05T00:00:00Z"},
        {"Pacific/Apia", "2011-12-28T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct zone *zone = opened(changes[i].zone);
        for (size_t line = 0; line < COUNT(lines); line++)
            sweep(lines[line], zone, wall_of(changes[i].from) / NUM_SECOND);
        zone_named_free(zone);
    }
}

/* ---- invented zones ---- */

enum { CHANGES = 40, DAY = 86400 };

struct invented {
    struct zone zone;
    int64_t at[CHANGES];
    int32_t offset[CHANGES + 1];
};

static int32_t invented_offset(const struct zone *zone, int64_t at)
{
    const struct invented *invented = (const struct invented *)zone;
    int i = 0;
    while (i < CHANGES && invented->at[i] <= at)
        i++;
    return invented->offset[i];
}

static void invent(struct invented *invented, struct rng *rng, int64_t from)
{
    static const int32_t jumps[] = {30, 60, 60, 60, 120, 179, 180, 181, 24 * 60};
    *invented = (struct invented){.zone = {invented_offset}};
    int64_t at = from;
    for (int i = 0; i < CHANGES; i++) {
        at += DAY + (int64_t)rng_below(rng, 9 * 1440) * 60;
        int32_t jump = jumps[rng_below(rng, COUNT(jumps))] * 60;
        int32_t was = invented->offset[i];
        bool forward = was < 0 || (was == 0 && rng_below(rng, 2));
        invented->at[i] = at;
        invented->offset[i + 1] = was + (forward ? jump : -jump);
    }
}

static void random_field(struct rng *rng, char *text, size_t size, unsigned low, unsigned high)
{
    unsigned a = low + (unsigned)rng_below(rng, high - low + 1);
    unsigned b = a + (unsigned)rng_below(rng, high - a + 1);
    switch (rng_below(rng, 6)) {
    case 0:
    case 1:
        snprintf(text, size, "*");
        break;
    case 2:
        snprintf(text, size, "*/%u", 1 + (unsigned)rng_below(rng, 9));
        break;
    case 3:
        snprintf(text, size, "%u-%u", a, b);
        break;
    case 4:
        snprintf(text, size, "%u,%u", a, b);
        break;
    default:
        snprintf(text, size, "%u", a);
    }
}

static void random_lines_in_invented_zones_are_those_of_cron(void **state)
{
    (void)state;
    int64_t from = wall_of("2027-01-01T00:00:00Z") / NUM_SECOND;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng;
        rng_seed(&rng, seed);
        struct invented zone;
        invent(&zone, &rng, from);
        char field[5][16], line[96], name[32];
        random_field(&rng, field[0], 16, 0, 59);
        random_field(&rng, field[1], 16, 0, rng_below(&rng, 2) ? 3 : 23);
        random_field(&rng, field[2], 16, 1, 28);
        random_field(&rng, field[3], 16, 1, 12);
        random_field(&rng, field[4], 16, 0, 7);
        snprintf(line, sizeof line, "%s %s %s %s %s", field[0], field[1], field[2], field[3],
                 field[4]);
        snprintf(name, sizeof name, "zone %d", (int)seed);
        follows_model(line, name, &zone.zone, from, from + 220 * DAY, 3000);
    }
}

/* ---- nights that change, by hand ---- */

struct night {
    const char *zone, *line, *after, *due[5];
};

static const struct night nights[] = {
    /* Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC. */
    {"Europe/Berlin",
     "30 2 * * *",
     "2026-03-28T00:00:00Z",
     {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
    {"Europe/Berlin",
     "0,30 2 * * *",
     "2026-03-28T12:00:00Z",
     {"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"}},
    {"Europe/Berlin",
     "0 3 * * *",
     "2026-03-28T12:00:00Z",
     {"2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"}},
    {"Europe/Berlin",
     "30 1 * * *",
     "2026-03-28T12:00:00Z",
     {"2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z"}},
    {"Europe/Berlin",
     "*/30 2 * * *",
     "2026-03-28T12:00:00Z",
     {"2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"}},
    {"Europe/Berlin",
     "0 * * * *",
     "2026-03-29T00:00:00Z",
     {"2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"}},
    {"Europe/Berlin", "30 2 */2 * *", "2026-03-28T12:00:00Z", {"2026-03-29T01:00:00Z"}},
    /* 25 October 2026: 03:00 becomes 02:00, which is 01:00 UTC. */
    {"Europe/Berlin",
     "30 2 * * *",
     "2026-10-24T12:00:00Z",
     {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
    {"Europe/Berlin",
     "0 3 * * *",
     "2026-10-24T12:00:00Z",
     {"2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"}},
    {"Europe/Berlin",
     "*/30 2 * * *",
     "2026-10-24T12:00:00Z",
     {"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z",
      "2026-10-25T01:30:00Z", "2026-10-26T01:00:00Z"}},
    {"Europe/Berlin",
     "30 * * * *",
     "2026-10-25T00:00:00Z",
     {"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"}},
    /* New York, 8 March 2026: 02:00 becomes 03:00, 07:00 UTC; 1 November: 02:00 becomes 01:00,
     * 06:00 UTC. */
    {"America/New_York",
     "15 2 * * *",
     "2026-03-08T05:00:00Z",
     {"2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"}},
    {"America/New_York",
     "0 1 * * *",
     "2026-11-01T04:00:00Z",
     {"2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z"}},
    {"America/New_York",
     "0 */1 * * *",
     "2026-11-01T04:00:00Z",
     {"2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z"}},
    /* Lord Howe, 4 October 2026: 02:00 becomes 02:30, 15:30 UTC of the 3rd; 5 April: 02:00 becomes
     * 01:30, 15:00 UTC of the 4th. */
    {"Australia/Lord_Howe",
     "15 2 * * *",
     "2026-10-03T12:00:00Z",
     {"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
    {"Australia/Lord_Howe",
     "45 1 * * *",
     "2026-04-04T12:00:00Z",
     {"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
    {"Australia/Lord_Howe",
     "*/15 1 * * *",
     "2026-04-04T14:20:00Z",
     {"2026-04-04T14:30:00Z", "2026-04-04T14:45:00Z", "2026-04-04T15:00:00Z",
      "2026-04-04T15:15:00Z", "2026-04-05T14:30:00Z"}},
    /* Sao Paulo, 4 November 2018: midnight became 01:00, 03:00 UTC; 18 February 2018: midnight
     * became 23:00 of the 17th, 02:00 UTC. */
    {"America/Sao_Paulo",
     "0 0 * * *",
     "2018-11-03T12:00:00Z",
     {"2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"}},
    {"America/Sao_Paulo",
     "30 23 * * *",
     "2018-02-17T12:00:00Z",
     {"2018-02-18T01:30:00Z", "2018-02-19T02:30:00Z"}},
    {"America/Sao_Paulo",
     "*/30 23 * * *",
     "2018-02-17T12:00:00Z",
     {"2018-02-18T01:00:00Z", "2018-02-18T01:30:00Z", "2018-02-18T02:00:00Z",
      "2018-02-18T02:30:00Z", "2018-02-19T02:00:00Z"}},
    /* Apia: after 29 December 2011 (UTC-10) came the 31st (UTC+14): a correction. */
    {"Pacific/Apia",
     "0 12 * * *",
     "2011-12-29T12:00:00Z",
     {"2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"}},
    {"Pacific/Apia", "0 12 30 12 *", "2011-12-29T00:00:00Z", {"2012-12-29T22:00:00Z"}},
    {"Pacific/Apia", "0 0 * * *", "2011-12-29T12:00:00Z", {"2011-12-30T10:00:00Z"}},
    /* Casey, 18 October 2009: 02:00 became 05:00; 5 March 2010: 02:00 became 23:00 of the 4th: just
     * three hours, which are a correction too. */
    {"Antarctica/Casey", "30 3 * * *", "2009-10-17T12:00:00Z", {"2009-10-18T16:30:00Z"}},
    {"Antarctica/Casey",
     "30 1 * * *",
     "2010-03-04T12:00:00Z",
     {"2010-03-04T14:30:00Z", "2010-03-04T17:30:00Z"}},
};

static void nights_that_change_are_as_derived_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nights); i++) {
        struct zone *zone = opened(nights[i].zone);
        struct schedule schedule = parsed(nights[i].line, zone, 0);
        int64_t when = wall_of(nights[i].after);
        for (int j = 0; j < 5 && nights[i].due[j]; j++) {
            assert_true(schedule_next(&schedule, zone, when, &when));
            claim_same(nights[i].line, nights[i].zone, when, wall_of(nights[i].due[j]));
        }
        zone_named_free(zone);
    }
}

/* ---- far away ---- */

static void finds_the_rarest_days(void **state)
{
    (void)state;
    static const struct {
        const char *line, *after, *due;
    } rare[] = {
        {"0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
        {"0 0 29 2 *", "2026-11-26T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 29 2 */7", "2004-03-01T00:00:00Z", "2032-02-29T00:00:00Z"},
        {"0 0 29 2 */7", "2088-03-01T00:00:00Z", "2128-02-29T00:00:00Z"},
        {"59 23 31 12 *", "2260-12-31T23:59:00Z", "2261-12-31T23:59:00Z"},
    };
    for (size_t i = 0; i < COUNT(rare); i++) {
        struct schedule schedule = parsed(rare[i].line, &zone_utc, 0);
        int64_t when, after = wall_of(rare[i].after);
        assert_true(schedule_next(&schedule, &zone_utc, after, &when));
        claim_same(rare[i].line, "UTC", when, wall_of(rare[i].due));
        assert_true(schedule_prev(&schedule, &zone_utc, when - 1, &when));
        assert_true(when <= after);
    }
}

static void ends_with_the_year_2261_and_begins_with_1970(void **state)
{
    (void)state;
    struct schedule schedule = parsed("* * * * *", &zone_utc, 0);
    int64_t when;
    assert_int_equal(wall_of("2261-12-31T23:59:59Z") / NUM_SECOND + 1, SCHEDULE_END);
    assert_true(schedule_next(&schedule, &zone_utc, wall_of("2261-12-31T23:58:59Z"), &when));
    assert_false(schedule_next(&schedule, &zone_utc, when, &when));
    assert_false(schedule_next(&schedule, &zone_utc, INT64_MAX, &when));
    assert_true(schedule_prev(&schedule, &zone_utc, INT64_MAX, &when));
    claim_same("last", "UTC", when, wall_of("2261-12-31T23:59:00Z"));
    assert_true(schedule_next(&schedule, &zone_utc, INT64_MIN, &when));
    assert_int_equal(when, 0);
    assert_true(schedule_prev(&schedule, &zone_utc, 0, &when));
    assert_int_equal(when, 0);
    assert_false(schedule_prev(&schedule, &zone_utc, -1, &when));
}

/* ---- intervals ---- */

static void an_interval_does_not_drift_over_ten_thousand_ticks(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 5);
    struct schedule schedule = parsed("7s", &zone_utc, 0);
    schedule.anchor = wall_of("2026-11-26T06:00:00.123456789Z");
    int64_t now = schedule.anchor - 1, when;
    for (int64_t k = 0; k < 10000; k++) {
        assert_true(schedule_next(&schedule, &zone_utc, now, &when));
        assert_int_equal(when, schedule.anchor + k * 7 * NUM_SECOND);
        int64_t prev;
        now = when + (int64_t)rng_below(&rng, 7 * NUM_SECOND); /* woken late, by less than one */
        assert_true(schedule_prev(&schedule, &zone_utc, now, &prev));
        assert_int_equal(prev, when);
    }
    assert_false(schedule_prev(&schedule, &zone_utc, schedule.anchor - 1, &when));
}

static void a_long_interval_ends_without_overflow(void **state)
{
    (void)state;
    struct schedule schedule = parsed("1d", &zone_utc, 0);
    int64_t when;
    schedule.interval *= 100000;
    schedule.anchor = wall_of("2026-11-26T06:00:00Z");
    assert_true(schedule_next(&schedule, &zone_utc, 0, &when));
    assert_int_equal(when, schedule.anchor);
    assert_false(schedule_next(&schedule, &zone_utc, when, &when));
    assert_true(schedule_prev(&schedule, &zone_utc, INT64_MAX, &when));
    schedule.interval = INT64_MAX;
    assert_false(schedule_next(&schedule, &zone_utc, schedule.anchor, &when));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_thousand_times_are_those_of_cron),
        cmocka_unit_test(each_moment_of_a_night_knows_the_last_and_the_next_time),
        cmocka_unit_test(random_lines_in_invented_zones_are_those_of_cron),
        cmocka_unit_test(nights_that_change_are_as_derived_by_hand),
        cmocka_unit_test(finds_the_rarest_days),
        cmocka_unit_test(ends_with_the_year_2261_and_begins_with_1970),
        cmocka_unit_test(an_interval_does_not_drift_over_ten_thousand_ticks),
        cmocka_unit_test(a_long_interval_ends_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
