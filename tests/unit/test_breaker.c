/* test_breaker.c: what the circuit breaker promises. */
#include "pattern/breaker.h"

#include "base/num.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trips_a_window_of_calls_at_the_exact_call),
        cmocka_unit_test(trips_a_window_of_time_at_the_exact_call),
        cmocka_unit_test(judges_exactly_as_many_probes_as_are_wanted),
        cmocka_unit_test(admits_no_more_probes_than_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
