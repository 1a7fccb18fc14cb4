/* test_wall_timer.c: claims about sys/wall_timer.h. */
#include "sys/wall_timer.h"

#include "base/clock.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/timex.h>
#include <time.h>

#include <cmocka.h>

static struct loop *the_loop;
static struct loop_timer deadline;
static struct wall_timer timer;
static int fired, told, stop_after;

static void too_late(struct loop_timer *late)
{
    (void)late;
    loop_stop(the_loop);
}

static void on_fire(struct wall_timer *the_timer, bool clock_set)
{
    assert_ptr_equal(the_timer, &timer);
    fired += !clock_set;
    told += clock_set;
    if (fired + told >= stop_after)
        loop_stop(the_loop);
}

static int setup(void **state)
{
    (void)state;
    struct err err;
    the_loop = loop_new(&err);
    timer = (struct wall_timer){.fire = on_fire};
    fired = told = 0;
    stop_after = 1;
    deadline = (struct loop_timer){.fire = too_late};
    return wall_timer_open(&timer, the_loop, &err);
}

static int teardown(void **state)
{
    (void)state;
    wall_timer_close(&timer);
    wall_timer_close(&timer);
    loop_free(the_loop);
    return 0;
}

/* Until stop_after calls, or for that long. */
static void run(int64_t longest)
{
    struct err err;
    loop_timer_set(the_loop, &deadline, clock_now() + longest);
    assert_int_equal(loop_run(the_loop, &err), 0);
    loop_timer_clear(the_loop, &deadline);
}

static void fires_when_the_clock_shows_its_time(void **state)
{
    (void)state;
    int64_t at = clock_wall() + NUM_SECOND / 20;
    wall_timer_set(&timer, at);
    run(20 * NUM_SECOND);
    assert_int_equal(fired, 1);
    assert_true(clock_wall() >= at);
}

static void fires_at_once_for_a_time_that_has_passed(void **state)
{
    (void)state;
    static const int64_t passed[] = {INT64_MIN, -1, 0, 1, NUM_SECOND};
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        fired = 0;
        wall_timer_set(&timer, passed[i]);
        assert_int_equal(fired, 0); /* in the loop, not before */
        run(20 * NUM_SECOND);
        assert_int_equal(fired, 1);
    }
}

static void fires_once(void **state)
{
    (void)state;
    wall_timer_set(&timer, 1);
    stop_after = 2;
    run(NUM_SECOND / 10);
    assert_int_equal(fired, 1);
}

static void moves_and_clears(void **state)
{
    (void)state;
    wall_timer_set(&timer, 1);
    wall_timer_set(&timer, INT64_MAX);
    run(NUM_SECOND / 20);
    assert_int_equal(fired, 0);
    wall_timer_set(&timer, 1);
    wall_timer_clear(&timer);
    run(NUM_SECOND / 20);
    assert_int_equal(fired, 0);
    wall_timer_set(&timer, 1);
    run(20 * NUM_SECOND);
    assert_int_equal(fired, 1);
}

static void close_in_fire(struct wall_timer *the_timer, bool clock_set)
{
    on_fire(the_timer, clock_set);
    wall_timer_close(the_timer);
}

static void may_be_closed_by_who_is_called(void **state)
{
    (void)state;
    timer.fire = close_in_fire;
    wall_timer_set(&timer, 1);
    run(20 * NUM_SECOND);
    assert_int_equal(fired, 1);
}

/* By a nanosecond forward and back in turn: a setting like any other. Needs to be allowed to. */
static bool set_the_clock(void)
{
    static bool back;
    struct timex step = {.modes = ADJ_SETOFFSET | ADJ_NANO};
    step.time.tv_sec = back ? -1 : 0;
    step.time.tv_usec = back ? NUM_SECOND - 1 : 1;
    back = !back;
    return clock_adjtime(CLOCK_REALTIME, &step) >= 0;
}

static void hears_of_a_clock_that_was_set(void **state)
{
    (void)state;
    wall_timer_set(&timer, clock_wall() + 3600 * NUM_SECOND);
    if (!set_the_clock())
        skip();
    run(20 * NUM_SECOND);
    assert_int_equal(told, 1);
    assert_int_equal(fired, 0);
    /* also if it is moved before it could hear of it, and if it waits for nothing */
    set_the_clock();
    wall_timer_set(&timer, clock_wall() + 3600 * NUM_SECOND);
    run(20 * NUM_SECOND);
    assert_int_equal(told, 2);
    wall_timer_clear(&timer);
    set_the_clock();
    run(20 * NUM_SECOND);
    assert_int_equal(told, 3);
    assert_int_equal(fired, 0);
    /* and is set as before */
    wall_timer_set(&timer, clock_wall() + NUM_SECOND / 5);
    set_the_clock();
    stop_after = 5;
    run(20 * NUM_SECOND);
    assert_int_equal(told, 4);
    assert_int_equal(fired, 1);
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(fires_when_the_clock_shows_its_time),
        CLAIM(fires_at_once_for_a_time_that_has_passed),
        CLAIM(fires_once),
        CLAIM(moves_and_clears),
        CLAIM(may_be_closed_by_who_is_called),
        CLAIM(hears_of_a_clock_that_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
