/* test_breaker.c: what the circuit breaker promises. */
#include "pattern/breaker.h"

#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SLOW (2 * NUM_SECOND) /* of these tests; a slow call takes 1 ns more */

static struct breaker breaker;
static struct breaker_settings settings;
static int64_t now;

static void begin(const struct breaker_settings *with)
{
    settings = *with;
    now = 1000 * NUM_SECOND;
    breaker_init(&breaker, &settings, now);
}

static struct breaker_settings quick(void)
{
    struct breaker_settings with = breaker_defaults;
    with.slow = SLOW;
    with.window_calls = 4;
    with.min_calls = 2;
    with.probes = 3;
    return with;
}

static struct breaker_ticket admit(void)
{
    struct breaker_ticket ticket;
    assert_true(breaker_would_admit(&breaker, &settings, now));
    assert_true(breaker_admit(&breaker, &settings, now, 7, &ticket));
    return ticket;
}

static void deny(void)
{
    struct breaker_ticket ticket;
    assert_false(breaker_would_admit(&breaker, &settings, now));
    uint64_t denied = breaker.denied;
    assert_false(breaker_admit(&breaker, &settings, now, 7, &ticket));
    assert_int_equal(breaker.denied, denied + 1);
}

static bool record(const struct breaker_ticket *ticket, enum breaker_outcome outcome)
{
    return breaker_record(&breaker, &settings, ticket, outcome, SLOW, now);
}

/* One call: '.' succeeds, 'x' fails, 's' is slow, 'X' fails slowly, 'i' is ignored. */
static bool call(char kind)
{
    struct breaker_ticket ticket = admit();
    enum breaker_outcome outcome = kind == 'x' || kind == 'X' ? BREAKER_FAILURE
                                   : kind == 'i'              ? BREAKER_IGNORED
                                                              : BREAKER_SUCCESS;
    int64_t duration = kind == 's' || kind == 'X' ? SLOW + 1 : SLOW;
    return breaker_record(&breaker, &settings, &ticket, outcome, duration, now);
}

/* Calls one after the other, '>' is a second, '}' ten. The number of the call that changes the
 * state, 0 if none does. */
static unsigned run(const char *calls)
{
    unsigned number = 0;
    for (; *calls; calls++) {
        if (*calls == '>' || *calls == '}') {
            now += *calls == '>' ? NUM_SECOND : 10 * NUM_SECOND;
            continue;
        }
        number++;
        if (call(*calls))
            return number;
    }
    return 0;
}

struct sequence {
    uint32_t window, min_calls;
    double failure_rate, slow_rate;
    uint32_t consecutive;
    const char *calls;
    unsigned trips; /* this call; 0: none */
    enum breaker_cause cause;
};

#define F BREAKER_BY_FAILURES
#define S BREAKER_BY_SLOWNESS
#define C BREAKER_BY_CONSECUTIVE

static void check(const struct sequence *sequence, bool timed)
{
    struct breaker_settings with = quick();
    if (timed)
        with.window_time = sequence->window;
    else
        with.window_calls = sequence->window;
    with.min_calls = sequence->min_calls;
    with.failure_rate = sequence->failure_rate;
    with.slow_rate = sequence->slow_rate;
    with.consecutive = sequence->consecutive;
    begin(&with);
    unsigned tripped = run(sequence->calls);
    if (tripped != sequence->trips)
        print_message("%s: tripped by call %u\n", sequence->calls, tripped);
    assert_int_equal(tripped, sequence->trips);
    assert_int_equal(breaker.state, tripped ? BREAKER_OPEN : BREAKER_CLOSED);
    assert_int_equal(breaker.transitions, tripped ? 1 : 0);
    assert_int_equal(breaker.generation, tripped ? 2 : 1);
    if (tripped)
        assert_string_equal(breaker_cause_name((enum breaker_cause)breaker.log[0].cause),
                            breaker_cause_name(sequence->cause));
}

static void trips_a_window_of_calls_at_the_exact_call(void **state)
{
    (void)state;
    static const struct sequence sequences[] = {
        /* at the rate is enough, below it is not */
        {10, 10, 50, 100, 0, "xxxxx.....", 10, F},
        {10, 10, 50, 100, 0, "xxxx......", 0, F},
        {10, 10, 50, 100, 0, "xxxx......xxx", 0, F}, /* their elders leave as they come */
        {10, 10, 50, 100, 0, "xxxx......xxxxx", 15, F},
        {10, 10, 50, 100, 0, "......xxxxx", 11, F},
        {4, 4, 75, 100, 0, "xx.xx", 4, F},
        {4, 4, 76, 100, 0, "xx.xxx", 0, F},
        {4, 4, 76, 100, 0, "xx.xxxx", 7, F},
        {3, 3, 33.333333333333336, 100, 0, "..x", 3, F},
        {3, 3, 33.34, 100, 0, "..x..x..x", 0, F},
        {10, 10, 100, 100, 0, "xxxxxxxxx.xxxxxxxxxx", 20, F},
        {1000, 10, 0.1, 100, 0, "..........x", 11, F},
        /* not before min_calls, and then at each call, also at a success */
        {10, 5, 50, 100, 0, "xxxx", 0, F},
        {10, 5, 50, 100, 0, "xxxxx", 5, F},
        {10, 5, 50, 100, 0, "xxx..", 5, F},
        {10, 5, 50, 100, 0, "xx...x", 6, F},
        {10, 5, 50, 100, 0, "xx....", 0, F},
        {10, 1, 50, 100, 0, "x", 1, F},
        {10, 0, 50, 100, 0, ".x", 2, F},
        /* min_calls beyond the window is the window */
        {5, 100, 60, 100, 0, "xxx.", 0, F},
        {5, 100, 60, 100, 0, "xxx..", 5, F},
        {1, 10, 100, 100, 0, "...x", 4, F},
        /* slow calls */
        {4, 4, 50, 50, 0, "ss..", 4, S},
        {4, 4, 50, 50, 0, "s...s...", 0, S},
        {4, 4, 50, 50, 0, "s...ss", 6, S},
        {4, 4, 50, 100, 0, "ssss", 4, S},
        {4, 4, 50, 100, 0, "sss.ssss", 8, S},
        {4, 4, 50, 50, 0, "XX..", 4, F}, /* of both the failures */
        {4, 4, 50, 75, 0, "Xss.", 4, S},
        {4, 4, 50, 75, 0, "Xs.xs", 4, F},
        {4, 4, 60, 75, 0, "Xs.xs", 0, F},
        {4, 4, 60, 75, 0, "X..sXs", 6, S},
        /* ignored ones count nowhere */
        {4, 4, 50, 100, 0, "iiiiiiiix.ii.ix", 15, F},
        {4, 4, 50, 100, 0, "ixixixi", 0, F},
        /* in a row, also before min_calls; ignored ones do not break the row */
        {100, 10, 100, 100, 3, "xx.xx.xxx", 9, C},
        {100, 10, 100, 100, 3, "xxixx", 4, C},
        {100, 10, 100, 100, 3, "xxsxx.XX", 0, C},
        {100, 10, 100, 100, 1, "..x", 3, C},
        {100, 10, 100, 100, 0, "xxxxxxxxx", 0, C},
        {100, 3, 100, 100, 3, "xxx", 3, F},
    };
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        check(&sequences[i], false);
}

static void trips_a_window_of_time_at_the_exact_call(void **state)
{
    (void)state;
    static const struct sequence sequences[] = {
        {10, 4, 50, 100, 0, "xx..", 4, F},
        {10, 4, 50, 100, 0, "xxx", 0, F},
        {10, 4, 50, 100, 0, "x>x>x>.", 4, F},
        {10, 4, 50, 100, 0, "...>...>.xxxxxxx", 14, F},
        /* min_calls may be more than the seconds */
        {2, 10, 50, 100, 0, "xxxxxxxxx", 0, F},
        {2, 10, 50, 100, 0, "xxxxxxxxxx", 10, F},
        {2, 10, 50, 100, 0, "xxxxx>xxxxx", 10, F},
        {2, 10, 50, 100, 0, "xxxxx>>xxxxx", 0, F},
        /* ten seconds later they are out, nine seconds later in */
        {10, 4, 50, 100, 0, "xxx}.", 0, F},
        {10, 4, 50, 100, 0, "xxx>>>>>>>>>.", 4, F},
        {10, 4, 50, 100, 0, "......>xxx>>>>>>>>xx.", 0, F},
        {10, 4, 50, 100, 0, "......>xxx>>>>>>>>>xx.", 10, F},
        {10, 4, 50, 100, 0, "......>xxx}.xxx", 13, F},
        {10, 2, 50, 100, 0, "x}x}x}x}x}", 0, F},
        {10, 2, 50, 100, 0, "x}}}}}}x>x", 3, F},
        {1, 2, 50, 100, 0, "x>x>x>x", 0, F},
        {1, 2, 50, 100, 0, "x>x>xx", 4, F},
        {3600, 2, 50, 100, 0, "x}}}}}}}}}}}}x", 2, F},
        /* slow, ignored, in a row */
        {10, 4, 50, 50, 0, "s>.>s>.", 4, S},
        {10, 4, 50, 50, 0, "s}.>s>.>.", 0, S},
        {10, 4, 50, 100, 0, "xi>ix>ii>i.i>i", 0, F},
        {10, 4, 50, 100, 0, "xi>ix>ii>i.i>i.", 11, F},
        {10, 4, 50, 100, 3, "x}x}}x", 3, C},
    };
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        check(&sequences[i], true);
}

/* Opened by failures, and now half-open: the first probe. */
static struct breaker_ticket first_probe(const struct breaker_settings *with)
{
    begin(with);
    assert_int_equal(run("xx"), 2);
    deny();
    now += settings.open_for;
    struct breaker_ticket ticket = admit();
    assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
    assert_int_equal(ticket.probe, 1);
    return ticket;
}

static void judges_exactly_as_many_probes_as_are_wanted(void **state)
{
    (void)state;
    static const struct {
        uint32_t probes, min_calls;
        double failure_rate, slow_rate;
        const char *calls;
        unsigned moves;
        enum breaker_state to;
        enum breaker_cause cause;
    } cases[] = {
        {3, 2, 50, 100, "...", 3, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {3, 2, 50, 100, "x..", 3, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {3, 2, 50, 100, "xx.", 3, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {3, 2, 50, 100, "xxx", 3, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {3, 100, 50, 100, ".xx", 3, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {3, 1, 50, 100, ".xx", 3, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {4, 2, 50, 100, "x..x", 4, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {4, 2, 51, 100, "x..x", 4, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {4, 2, 50, 50, "s.s.", 4, BREAKER_OPEN, BREAKER_BY_SLOWNESS},
        {4, 2, 50, 51, "s.s.", 4, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {4, 2, 50, 50, "XX..", 4, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {1, 2, 50, 100, ".", 1, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {1, 2, 50, 100, "x", 1, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {0, 2, 50, 100, "x", 1, BREAKER_OPEN, BREAKER_BY_FAILURES}, /* none: one */
        {2, 2, 50, 100, "iii.iii.", 8, BREAKER_CLOSED, BREAKER_BY_PROBES},
        {2, 2, 50, 100, "i.ix", 4, BREAKER_OPEN, BREAKER_BY_FAILURES},
        {5, 2, 100, 100, "xxxx.", 5, BREAKER_CLOSED, BREAKER_BY_PROBES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct breaker_settings with = quick();
        begin(&with);
        assert_int_equal(run("xx"), 2);
        settings.probes = cases[i].probes;
        settings.min_calls = cases[i].min_calls;
        settings.failure_rate = cases[i].failure_rate;
        settings.slow_rate = cases[i].slow_rate;
        settings.consecutive = 1; /* in a row they trip only when closed */
        now += settings.open_for;
        assert_int_equal(run(cases[i].calls), cases[i].moves);
        assert_int_equal(breaker.state, cases[i].to);
        assert_int_equal(breaker.transitions, 3);
        assert_int_equal(breaker.log[2].from, BREAKER_HALF_OPEN);
        assert_int_equal(breaker.log[2].cause, cases[i].cause);
    }
}

static void admits_no_more_probes_than_are_wanted(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    struct breaker_ticket probes[3] = {first_probe(&with)};
    probes[1] = admit();
    assert_false(record(&probes[0], BREAKER_SUCCESS)); /* a result does not admit another */
    probes[2] = admit();
    deny();
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), INT64_MAX);
    assert_false(record(&probes[1], BREAKER_IGNORED)); /* given back it does */
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), now);
    probes[1] = admit();
    deny();
    breaker_release(&breaker, &probes[1]);
    probes[1] = admit();
    deny();
    assert_false(record(&probes[1], BREAKER_SUCCESS));
    assert_true(record(&probes[2], BREAKER_SUCCESS));
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    assert_int_equal(admit().probe, 0);
}

static void does_not_count_late_results_of_older_generations(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.probes = 2;
    begin(&with);
    struct breaker_ticket of_closed[4] = {admit(), admit(), admit(), admit()};
    assert_int_equal(run("xx"), 2);
    assert_false(record(&of_closed[0], BREAKER_SUCCESS)); /* when it is open */
    assert_int_equal(breaker_counts(&breaker, now).calls, 2);
    now += settings.open_for;
    struct breaker_ticket of_half_open[3] = {admit(), admit()};
    assert_false(record(&of_closed[1], BREAKER_FAILURE)); /* when it is half-open */
    assert_false(record(&of_closed[2], BREAKER_IGNORED));
    breaker_release(&breaker, &of_closed[2]);
    assert_int_equal(breaker.probed.calls, 0);
    assert_int_equal(breaker.probes, 2);
    deny();
    assert_false(record(&of_half_open[0], BREAKER_FAILURE));
    of_half_open[2] = of_half_open[1];
    assert_true(record(&of_half_open[1], BREAKER_FAILURE));
    now += settings.open_for;
    struct breaker_ticket again = admit();
    assert_false(record(&of_half_open[0], BREAKER_SUCCESS));
    breaker_release(&breaker, &of_half_open[0]);
    assert_int_equal(breaker.probed.calls, 0);
    assert_int_equal(breaker.probes, 1);
    assert_false(record(&again, BREAKER_SUCCESS));
    again = admit();
    assert_true(record(&again, BREAKER_SUCCESS)); /* closed again */
    assert_false(record(&of_closed[3], BREAKER_FAILURE));
    assert_false(record(&of_half_open[2], BREAKER_FAILURE));
    assert_int_equal(breaker_counts(&breaker, now).calls, 0);
    assert_int_equal(breaker.consecutive, 0);
}

static void counts_the_result_of_a_probe_once(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    struct breaker_ticket probe = first_probe(&with);
    assert_false(record(&probe, BREAKER_FAILURE));
    assert_false(record(&probe, BREAKER_FAILURE));
    breaker_release(&breaker, &probe);
    assert_int_equal(breaker.probed.calls, 1);
    assert_int_equal(breaker.probes, 1);
    struct breaker_ticket none = {.generation = breaker.generation};
    assert_false(record(&none, BREAKER_FAILURE));
    none.probe = probe.probe + 1; /* not yet */
    assert_false(record(&none, BREAKER_FAILURE));
    assert_int_equal(breaker.probed.calls, 1);
}

static void is_open_until_its_time_has_passed(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    begin(&with);
    int64_t tripped = now;
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), now);
    assert_int_equal(run("xx"), 2);
    assert_int_equal(breaker.until, tripped + settings.open_for);
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), breaker.until);
    deny();
    now = tripped + settings.open_for - 1;
    deny();
    now++;
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), now);
    assert_int_equal(breaker.state, BREAKER_OPEN); /* nobody has asked */
    admit();
    assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
    assert_int_equal(breaker.since, now);
    assert_int_equal(breaker.log[1].cause, BREAKER_BY_TIME);
    assert_int_equal(breaker.log[1].at, now);
}

static void opens_for_no_time_at_all_if_told_so(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.open_for = 0;
    begin(&with);
    assert_int_equal(run("xx"), 2);
    assert_int_equal(admit().probe, 1);
    struct breaker_ticket probe = admit();
    assert_false(record(&probe, BREAKER_FAILURE));
    settings.probes = 1; /* which has been, and opens it: for no time */
    deny();
    assert_int_equal(breaker.state, BREAKER_OPEN);
    assert_int_not_equal(admit().probe, 0);
    assert_int_equal(breaker.probes, 1);
}

static void opens_longer_each_time_without_a_closing(void **state)
{
    (void)state;
    static const struct {
        double growth;
        int64_t open_for, open_max; /* seconds */
        int64_t lasts[5];           /* milliseconds */
    } cases[] = {
        {1, 60, 0, {60000, 60000, 60000, 60000, 60000}},
        {1.5, 60, 0, {60000, 90000, 135000, 202500, 303750}},
        {2, 10, 60, {10000, 20000, 40000, 60000, 60000}},
        {2, 10, 5, {5000, 5000, 5000, 5000, 5000}},
        {1, 10, 60, {10000, 10000, 10000, 10000, 10000}},
        {0.5, 8, 0, {8000, 4000, 2000, 1000, 500}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct breaker_settings with = quick();
        with.probes = 1;
        with.open_for = cases[i].open_for * NUM_SECOND;
        with.open_growth = cases[i].growth;
        with.open_max = cases[i].open_max * NUM_SECOND;
        begin(&with);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(run("xx"), 2);
            for (int opening = 0; opening < 5; opening++) {
                assert_int_equal(breaker.openings, opening + 1);
                assert_int_equal(breaker.until - now, cases[i].lasts[opening] * 1000000);
                now = breaker.until - 1;
                deny();
                now++;
                assert_int_equal(run(opening < 4 ? "x" : "."), 1);
            }
            assert_int_equal(breaker.state, BREAKER_CLOSED); /* and all begins anew */
            assert_int_equal(breaker.openings, 0);
        }
    }
}

static void opens_no_longer_than_times_go(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.open_for = INT64_MAX;
    begin(&with);
    assert_int_equal(run("xx"), 2);
    assert_int_equal(breaker.until, INT64_MAX);
    with.open_for = NUM_SECOND;
    with.open_growth = 1e300;
    with.open_max = 0;
    begin(&with);
    breaker_set(&breaker, &settings, BREAKER_OPEN, now);
    breaker_set(&breaker, &settings, BREAKER_OPEN, now);
    assert_int_equal(breaker.until, INT64_MAX);
    breaker.openings = UINT32_MAX;
    breaker_set(&breaker, &settings, BREAKER_OPEN, now);
    assert_int_equal(breaker.openings, UINT32_MAX);
    deny();
}

static void goes_by_hand_to_any_state_from_any(void **state)
{
    (void)state;
    for (int from = BREAKER_CLOSED; from <= BREAKER_DISABLED; from++) {
        for (int to = BREAKER_CLOSED; to <= BREAKER_DISABLED; to++) {
            struct breaker_settings with = quick();
            begin(&with);
            struct breaker_ticket late = admit();
            assert_int_equal(run("x"), 0);
            breaker_set(&breaker, &settings, (enum breaker_state)from, now);
            breaker_set(&breaker, &settings, (enum breaker_state)to, now);
            assert_int_equal(breaker.state, to);
            assert_int_equal(breaker.generation, 3);
            assert_int_equal(breaker.log[1].from, from);
            assert_int_equal(breaker.log[1].to, to);
            assert_int_equal(breaker.log[1].cause, BREAKER_BY_HAND);
            assert_false(record(&late, BREAKER_FAILURE));
            now += 365 * 86400 * NUM_SECOND;
            if (to == BREAKER_FORCED_OPEN) {
                deny();
                assert_int_equal(breaker_next_chance(&breaker, &settings, now), INT64_MAX);
                continue;
            }
            bool probes = to == BREAKER_OPEN || to == BREAKER_HALF_OPEN;
            assert_int_equal(admit().probe, probes ? 1 : 0);
            if (to == BREAKER_CLOSED)
                assert_int_equal(run("xx"), 2); /* the window was empty */
        }
    }
}

static void admits_all_and_counts_nothing_when_disabled(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.consecutive = 1;
    begin(&with);
    breaker_set(&breaker, &settings, BREAKER_DISABLED, now);
    assert_int_equal(run("xxxxxxxxxxxxXXXXXXXXX"), 0);
    assert_int_equal(breaker_counts(&breaker, now).calls, 0);
    assert_int_equal(breaker.denied, 0);
}

static bool is_holder(void *context, uint64_t holder)
{
    return *(uint64_t *)context == holder;
}

static void gives_back_the_probes_of_those_who_are_gone(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    struct breaker_ticket probes[3] = {first_probe(&with)}, other;
    probes[1] = admit();
    assert_true(breaker_admit(&breaker, &settings, now, 8, &other));
    deny();
    uint64_t gone = 9;
    assert_int_equal(breaker_reap(&breaker, is_holder, &gone), 0);
    deny();
    assert_false(record(&probes[0], BREAKER_SUCCESS)); /* has a result: holds nothing */
    gone = 7;
    assert_int_equal(breaker_reap(&breaker, is_holder, &gone), 1);
    assert_int_equal(breaker_reap(&breaker, is_holder, &gone), 0);
    assert_int_equal(breaker.probed.calls, 1);
    probes[2] = admit();
    assert_false(record(&probes[1], BREAKER_FAILURE)); /* it is not gone after all: too late */
    assert_int_equal(breaker.probed.calls, 1);
    deny();
    assert_false(record(&other, BREAKER_SUCCESS));
    assert_true(record(&probes[2], BREAKER_SUCCESS));
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    assert_int_equal(breaker_reap(&breaker, is_holder, &gone), 0);
}

static void holds_the_most_probes(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.probes = UINT32_MAX;
    first_probe(&with);
    for (int i = 1; i < BREAKER_PROBES_MAX; i++)
        assert_int_equal(admit().probe, i + 1);
    deny();
    struct breaker_ticket ticket = {.generation = breaker.generation};
    for (uint32_t i = 1; i <= BREAKER_PROBES_MAX; i++) {
        ticket.probe = i;
        assert_int_equal(record(&ticket, BREAKER_SUCCESS), i == BREAKER_PROBES_MAX);
    }
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void waits_no_longer_than_its_time_when_the_clock_steps_back(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.probes = 1;
    with.open_growth = 2;
    begin(&with);
    assert_int_equal(run("xx"), 2);
    now = 5;
    assert_int_equal(breaker_next_chance(&breaker, &settings, now), now + settings.open_for);
    deny(); /* from now on */
    now += settings.open_for - 1;
    deny();
    now++;
    assert_int_equal(run("x"), 1); /* now for twice the time */
    now = 0;
    deny();
    now = 2 * settings.open_for - 1;
    deny();
    now++;
    admit();

    begin(&with); /* a shorter time that is set while it is open counts too */
    assert_int_equal(run("xx"), 2);
    settings.open_for = NUM_SECOND;
    deny();
    now += NUM_SECOND;
    admit();
}

static void keeps_the_age_of_results_when_the_clock_steps_back(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.window_time = 10;
    with.min_calls = 5;
    begin(&with);
    assert_int_equal(run(".>.>.>."), 0);
    now -= 3 * NUM_SECOND; /* a little: as in the newest second */
    assert_int_equal(breaker_counts(&breaker, now).calls, 4);
    settings.min_calls = 100;
    assert_int_equal(run("x"), 0);
    now += 12 * NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, 2);
    now += NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, 0);

    begin(&with);
    settings.min_calls = 100;
    assert_int_equal(run("x>x>x"), 0);
    now = 50 * NUM_SECOND; /* by more than the window */
    assert_int_equal(breaker_counts(&breaker, now).calls, 3);
    assert_int_equal(run("x"), 0);
    now += 8 * NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, 3);
    now += NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, 2);
    now += NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, 0);
}

static void measures_anew_by_another_clock(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.window_time = 10;
    begin(&with);
    assert_int_equal(run("x>>"), 0);
    now = 3 * NUM_SECOND;
    breaker_rebase(&breaker, &settings, now);
    assert_int_equal(breaker.since, now);
    assert_int_equal(breaker_counts(&breaker, now + 9 * NUM_SECOND).calls, 1);
    assert_int_equal(breaker_counts(&breaker, now + 10 * NUM_SECOND).calls, 0);
    assert_int_equal(run("x"), 1);
    for (int i = 0; i < 2; i++) { /* also by one that is ahead */
        now = i ? 1000000 * NUM_SECOND : 0;
        breaker_rebase(&breaker, &settings, now);
        deny();
        assert_int_equal(breaker_next_chance(&breaker, &settings, now), now + settings.open_for);
    }
    now += settings.open_for;
    admit();
    breaker_rebase(&breaker, &settings, 0);
    assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
    assert_int_equal(breaker.probes, 1);
}

static void empties_the_window_when_its_shape_changes(void **state)
{
    (void)state;
    static const struct {
        uint32_t calls, time; /* from 4 calls */
        bool emptied;
    } shapes[] = {{4, 0, false}, {5, 0, true}, {3, 0, true},
                  {4, 9, true},  {0, 0, true}, {UINT32_MAX, UINT32_MAX, true}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct breaker_settings with = quick();
        with.failure_rate = 100;
        begin(&with);
        assert_int_equal(run(".x"), 0);
        uint64_t generation = breaker.generation;
        settings.window_calls = shapes[i].calls;
        settings.window_time = shapes[i].time;
        struct breaker_ticket ticket = admit();
        assert_int_equal(breaker_counts(&breaker, now).calls, shapes[i].emptied ? 0 : 2);
        assert_int_equal(breaker.generation, generation);
        breaker_release(&breaker, &ticket);
        settings.window_calls = 77; /* between admission and result too */
        settings.window_time = 0;
        assert_false(record(&ticket, BREAKER_SUCCESS));
        assert_int_equal(breaker_counts(&breaker, now).calls, 1);
    }
    struct breaker_settings with = quick();
    with.failure_rate = 100;
    begin(&with);
    assert_int_equal(run("x."), 0);
    settings.window_calls = 1; /* nothing of the old ring is left in a smaller one */
    assert_int_equal(run("..."), 0);
    assert_int_equal(breaker_counts(&breaker, now).failed, 0);

    with.window_time = 10;
    begin(&with);
    assert_int_equal(run("x"), 0);
    settings.window_time = 11;
    assert_int_equal(run("x"), 0);
    settings.window_calls++; /* means nothing to a window of time */
    assert_int_equal(run("x"), 1);
}

static void keeps_to_the_largest_windows(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.window_calls = UINT32_MAX;
    with.failure_rate = 100;
    begin(&with);
    assert_int_equal(run("x"), 0);
    for (int i = 1; i < BREAKER_CALLS_MAX; i++)
        assert_int_equal(run("."), 0);
    assert_int_equal(breaker_counts(&breaker, now).failed, 1);
    assert_int_equal(run("."), 0);
    assert_int_equal(breaker_counts(&breaker, now).calls, BREAKER_CALLS_MAX);
    assert_int_equal(breaker_counts(&breaker, now).failed, 0);

    with.window_time = UINT32_MAX;
    begin(&with);
    for (int i = 0; i < BREAKER_SECONDS_MAX + 5; i++)
        assert_int_equal(run(".>"), 0);
    now -= NUM_SECOND;
    assert_int_equal(breaker_counts(&breaker, now).calls, BREAKER_SECONDS_MAX);
    breaker.window.counts.calls = UINT32_MAX; /* as if so many had come */
    assert_int_equal(run("x"), 0);
    assert_int_equal(breaker_counts(&breaker, now).calls, UINT32_MAX);
    assert_int_equal(breaker_counts(&breaker, now).failed, 0);
}

static void judges_at_once_by_fewer_probes_than_before(void **state)
{
    (void)state;
    for (int good = 0; good < 2; good++) {
        struct breaker_settings with = quick();
        struct breaker_ticket probes[3] = {first_probe(&with)};
        probes[1] = admit();
        record(&probes[0], good ? BREAKER_SUCCESS : BREAKER_FAILURE);
        record(&probes[1], good ? BREAKER_SUCCESS : BREAKER_FAILURE);
        settings.probes = 2; /* which have been: no result would come */
        if (good)
            assert_int_equal(admit().probe, 0);
        else
            deny();
        assert_int_equal(breaker.state, good ? BREAKER_CLOSED : BREAKER_OPEN);
    }
}

static void tells_its_counts_and_rates(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    with.window_calls = 10;
    with.min_calls = 5;
    with.failure_rate = 100;
    begin(&with);
    assert_int_equal(run("xXs."), 0);
    assert_true(breaker_failure_rate(&breaker, &settings, now) == -1);
    assert_true(breaker_slow_rate(&breaker, &settings, now) == -1);
    assert_int_equal(run("Xi"), 0);
    struct breaker_counts counts = breaker_counts(&breaker, now);
    assert_int_equal(counts.calls, 5);
    assert_int_equal(counts.failed, 3);
    assert_int_equal(counts.slow, 3);
    assert_int_equal(counts.slow_failed, 2);
    assert_true(breaker_failure_rate(&breaker, &settings, now) == 60);
    assert_true(breaker_slow_rate(&breaker, &settings, now) == 60);

    settings.failure_rate = 50;
    assert_int_equal(run("x"), 1);
    assert_int_equal(breaker_counts(&breaker, now).calls, 6); /* what opened it */
    assert_true(breaker_slow_rate(&breaker, &settings, now) == 50);
    now += settings.open_for;
    assert_int_equal(run("s"), 0);
    assert_int_equal(breaker_counts(&breaker, now).calls, 1); /* of the probes */
    assert_true(breaker_slow_rate(&breaker, &settings, now) == -1);
    assert_int_equal(run(".."), 2);
    assert_int_equal(breaker_counts(&breaker, now).calls, 0);
    assert_true(breaker_failure_rate(&breaker, &settings, now) == -1);

    settings.window_time = 10;
    settings.min_calls = 2;
    assert_int_equal(run("s.>.>.x"), 0);
    assert_true(breaker_failure_rate(&breaker, &settings, now) == 20);
    assert_true(breaker_slow_rate(&breaker, &settings, now) == 20);
    now += 8 * NUM_SECOND;
    assert_true(breaker_slow_rate(&breaker, &settings, now) == 0);
    now += NUM_SECOND;
    assert_true(breaker_failure_rate(&breaker, &settings, now) == 50);
    now += NUM_SECOND;
    assert_true(breaker_failure_rate(&breaker, &settings, now) == -1);
}

static void remembers_its_last_transitions(void **state)
{
    (void)state;
    struct breaker_settings with = quick();
    begin(&with);
    for (int i = 0; i < 3 * BREAKER_LOG; i++) {
        now++;
        breaker_set(&breaker, &settings, i % 2 ? BREAKER_CLOSED : BREAKER_OPEN, now);
    }
    assert_int_equal(breaker.transitions, 3 * BREAKER_LOG);
    for (uint64_t i = 2 * BREAKER_LOG; i < 3 * BREAKER_LOG; i++) {
        const struct breaker_transition *transition = &breaker.log[i % BREAKER_LOG];
        assert_int_equal(transition->generation, i + 2);
        assert_int_equal(transition->at, 1000 * NUM_SECOND + (int64_t)i + 1);
        assert_int_equal(transition->from, i % 2 ? BREAKER_OPEN : BREAKER_CLOSED);
        assert_int_equal(transition->to, i % 2 ? BREAKER_CLOSED : BREAKER_OPEN);
    }
}

static void goes_on_from_a_copy_of_its_bytes(void **state)
{
    (void)state;
    static unsigned char stored[sizeof breaker];
    struct breaker_settings with = quick();
    struct breaker_ticket probe = first_probe(&with);
    memcpy(stored, &breaker, sizeof breaker);
    memset(&breaker, 0xff, sizeof breaker);
    memcpy(&breaker, stored, sizeof breaker);
    admit();
    admit();
    deny();
    assert_false(record(&probe, BREAKER_SUCCESS));
}

static void has_names_for_states_and_causes(void **state)
{
    (void)state;
    static const char *const states[] = {"closed", "open", "half_open", "forced_open", "disabled"};
    static const char *const causes[] = {"failure_rate", "slow_rate", "consecutive",
                                         "time",         "probes",    "hand"};
    for (int i = BREAKER_CLOSED; i <= BREAKER_DISABLED; i++)
        assert_string_equal(breaker_state_name((enum breaker_state)i), states[i]);
    for (int i = BREAKER_BY_FAILURES; i <= BREAKER_BY_HAND; i++)
        assert_string_equal(breaker_cause_name((enum breaker_cause)i), causes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trips_a_window_of_calls_at_the_exact_call),
        cmocka_unit_test(trips_a_window_of_time_at_the_exact_call),
        cmocka_unit_test(judges_exactly_as_many_probes_as_are_wanted),
        cmocka_unit_test(admits_no_more_probes_than_are_wanted),
        cmocka_unit_test(does_not_count_late_results_of_older_generations),
        cmocka_unit_test(counts_the_result_of_a_probe_once),
        cmocka_unit_test(is_open_until_its_time_has_passed),
        cmocka_unit_test(opens_for_no_time_at_all_if_told_so),
        cmocka_unit_test(opens_longer_each_time_without_a_closing),
        cmocka_unit_test(opens_no_longer_than_times_go),
        cmocka_unit_test(goes_by_hand_to_any_state_from_any),
        cmocka_unit_test(admits_all_and_counts_nothing_when_disabled),
        cmocka_unit_test(gives_back_the_probes_of_those_who_are_gone),
        cmocka_unit_test(holds_the_most_probes),
        cmocka_unit_test(waits_no_longer_than_its_time_when_the_clock_steps_back),
        cmocka_unit_test(keeps_the_age_of_results_when_the_clock_steps_back),
        cmocka_unit_test(measures_anew_by_another_clock),
        cmocka_unit_test(empties_the_window_when_its_shape_changes),
        cmocka_unit_test(keeps_to_the_largest_windows),
        cmocka_unit_test(judges_at_once_by_fewer_probes_than_before),
        cmocka_unit_test(tells_its_counts_and_rates),
        cmocka_unit_test(remembers_its_last_transitions),
        cmocka_unit_test(goes_on_from_a_copy_of_its_bytes),
        cmocka_unit_test(has_names_for_states_and_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
