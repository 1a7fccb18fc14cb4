/* test_rounds.c: rounds come at their times, one at a time; and what a ping looks like. */
#include "engine/plan_ping.h"
#include "engine/source_rounds.h"

#include "base/clock.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct loop *loop;
static struct source *source;
static int64_t now;
static unsigned said_ready;
static struct err err;

static void ready(void *owner)
{
    (void)owner;
    said_ready++;
    loop_stop(loop);
}

static int setup(void **state)
{
    (void)state;
    now = 1000 * NUM_SECOND;
    clock_invent(&now, NULL);
    loop = loop_new(&err);
    said_ready = 0;
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    source->free(source);
    loop_free(loop);
    clock_invent(NULL, NULL);
    return 0;
}

static void open_rounds(int64_t every)
{
    source = source_rounds(loop, every);
    source->ready = ready;
}

static enum source_status next(void)
{
    struct source_event event = {0};
    enum source_status status = source->next(source, &event, &err);
    if (status == SOURCE_EVENT)
        assert_true(str_eq(slice_str(event.bytes), STR("null")));
    return status;
}

static void gives_one_where_nothing_is_said(void **state)
{
    (void)state;
    open_rounds(0);
    assert_int_equal(next(), SOURCE_EVENT);
    assert_int_equal(next(), SOURCE_END);
    source->outcome(source, 0, SOURCE_DONE);
    assert_int_equal(next(), SOURCE_END);
}

static void does_not_drift(void **state)
{
    (void)state;
    int64_t began = now;
    open_rounds(NUM_SECOND);
    for (int64_t i = 0; i < 10000; i++) {
        assert_int_equal(next(), SOURCE_EVENT);
        now += NUM_SECOND / 3; /* it takes its time */
        source->outcome(source, 0, SOURCE_DONE);
        assert_int_equal(next(), SOURCE_LATER);
        now = began + (i + 1) * NUM_SECOND - 1;
        assert_int_equal(next(), SOURCE_LATER);
        now += 1 + i % 1000; /* woken a little late */
    }
}

static void leaves_out_the_times_that_pass_while_one_is_open(void **state)
{
    (void)state;
    open_rounds(NUM_SECOND);
    assert_int_equal(next(), SOURCE_EVENT);
    now += 7 * NUM_SECOND / 2;
    assert_int_equal(next(), SOURCE_LATER);
    source->outcome(source, 0, SOURCE_DEAD);
    assert_int_equal(said_ready, 1);
    assert_int_equal(next(), SOURCE_EVENT); /* the one that was due meanwhile, and only once */
    source->outcome(source, 0, SOURCE_DONE);
    assert_int_equal(next(), SOURCE_LATER);
    now += NUM_SECOND / 2 - 1;
    assert_int_equal(next(), SOURCE_LATER);
    now += 1;
    assert_int_equal(next(), SOURCE_EVENT);
}

static void says_when_the_next_is_due(void **state)
{
    (void)state;
    open_rounds(NUM_SECOND);
    assert_int_equal(next(), SOURCE_EVENT);
    source->outcome(source, 0, SOURCE_DONE);
    assert_int_equal(next(), SOURCE_LATER);
    said_ready = 0;
    now += NUM_SECOND;
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(said_ready, 1);
    assert_int_equal(next(), SOURCE_EVENT);
}

static void ends_when_it_is_stopped(void **state)
{
    (void)state;
    open_rounds(NUM_SECOND);
    assert_int_equal(next(), SOURCE_EVENT);
    source->stop(source);
    assert_int_equal(next(), SOURCE_END);
    source->outcome(source, 0, SOURCE_DONE);
    now += 10 * NUM_SECOND;
    assert_int_equal(next(), SOURCE_END);
}

static void marks_a_ping_at_the_top_and_in_its_data(void **state)
{
    (void)state;
    struct buf event = {0};
    open_rounds(0);
    plan_ping_event(STR("a-1"), 3, INT64_C(1790000000123000000), &event);
    assert_string_equal(
        buf_cstr(&event),
        "{\"specversion\":\"1.0\",\"id\":\"a-1\",\"source\":\"fit:warm\",\"type\":\"fit.warm\","
        "\"time\":\"2026-09-21T14:13:20.123Z\",\"warmer\":true,\"concurrency\":3,"
        "\"datacontenttype\":\"application/json\",\"data\":{\"warmer\":true,\"concurrency\":3}}");
    buf_free(&event);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(gives_one_where_nothing_is_said),
        CLAIM(does_not_drift),
        CLAIM(leaves_out_the_times_that_pass_while_one_is_open),
        CLAIM(says_when_the_next_is_due),
        CLAIM(ends_when_it_is_stopped),
        CLAIM(marks_a_ping_at_the_top_and_in_its_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
