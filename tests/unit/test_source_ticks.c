/* test_source_ticks.c: claims about engine/source_ticks.h and what it stands on, on stores that
 * answer at once and on ones that answer later. */
#include "engine/source_ticks.h"

#include "engine/tick_event.h"
#include "source_world.h"

#include <stdlib.h>

#define HOUR (3600 * SECOND)

static struct source *source;
static struct cursor_hold hold;
static struct ticks_record record;
static struct ticks_setup ticks;
static struct rng rng;
static struct slice event;
static uint64_t token;
static unsigned moves;

static enum store_status judge(void *owner, const struct store_op *op, bool *applied)
{
    (void)owner;
    (void)applied;
    const struct cursor_op *own = (const struct cursor_op *)(const void *)op;
    if (op->kind != STORE_CURSOR || own->verb != CURSOR_MOVE)
        return STORE_OK;
    moves++;
    return wrong;
}

static int setup(void **state)
{
    world_make(state, "every", judge);
    moves = 0;
    rng_seed(&rng, 1);
    ticks = (struct ticks_setup){.zone = &zone_utc};
    return 0;
}

static void end(void)
{
    slice_drop(&event);
    if (source)
        source->free(source);
    source = NULL;
    ticks_record_free(&record);
}

static int teardown(void **state)
{
    end();
    msg_set_level(MSG_NORMAL);
    return world_remove(state);
}

static void read_record(void *owner, const struct cursor_record *found)
{
    (void)owner;
    assert_int_equal(ticks_record_read(&record, slice_str(found->value), &err), 0);
}

static struct source *open_source(const char *schedule, bool kept)
{
    ticks.text = schedule;
    assert_int_equal(schedule_parse(&ticks.schedule, schedule, &zone_utc, wall, &err), 0);
    hold = (struct cursor_hold){.store = store, .kind = TICKS_RECORD_KIND, .name = STR("n")};
    if (kept) {
        assert_int_equal(cursor_hold_open(&hold), 1);
        assert_int_equal(cursor_hold_read(&hold, read_record, NULL), 0);
    }
    const struct source_ticks_settings settings = {.setup = &ticks,
                                                   .source = "fit:every/n",
                                                   .data = true,
                                                   .hold = kept ? &hold : NULL,
                                                   .record = &record,
                                                   .rng = &rng};
    source = source_ticks(loop, &settings, &err);
    if (source) {
        source->ready = is_ready;
        source->fail = has_failed;
    }
    return source;
}

static void begin(const char *schedule)
{
    assert_non_null(open_source(schedule, true));
}

/* The next answer, after all that it may have to wait for. */
static enum source_status next(void)
{
    struct source_event got;
    enum source_status status = source->next(source, &got, &err);
    if (status == SOURCE_LATER) {
        turn();
        status = source->next(source, &got, &err);
    }
    if (status == SOURCE_EVENT) {
        slice_drop(&event);
        event = got.bytes;
        token = got.token;
    }
    return status;
}

static void comes(int64_t scheduled)
{
    assert_int_equal(next(), SOURCE_EVENT);
    assert_int_equal(token, scheduled);
}

static bool event_has(const char *text)
{
    return memmem(event.data, event.len, text, strlen(text));
}

static void ends(enum source_outcome outcome)
{
    source->outcome(source, token, outcome);
}

/* As a kill would: nothing is told any more. */
static void kill_it(void)
{
    turn();
    cursor_hold_close(&hold);
    turn();
    end();
}

/* ---- claims ---- */

static void hands_out_each_time_with_the_success_before(void **state)
{
    (void)state;
    int64_t first = wall;
    begin("30s");
    comes(first);
    assert_true(event_has("\"scheduled\":\"2023-11-14T22:13:20.000Z\""));
    assert_true(event_has("\"last_success\":null,\"missed\":0,\"skipped\":0}"));
    ends(SOURCE_DONE);
    assert_int_equal(next(), SOURCE_LATER);
    wall += 31 * SECOND;
    comes(first + 30 * SECOND);
    assert_true(event_has("\"started\":\"2023-11-14T22:13:51.000Z\""));
    assert_true(event_has("\"last_success\":\"2023-11-14T22:13:20.000Z\""));
    ends(SOURCE_DEAD);
    turn();
    wall += 30 * SECOND;
    comes(first + 60 * SECOND);
    assert_true(event_has("\"last_success\":\"2023-11-14T22:13:20.000Z\""));
}

static void tells_of_a_success_only_when_it_is_committed(void **state)
{
    (void)state;
    begin("30s");
    comes(wall);
    ends(SOURCE_DONE);
    wall += 30 * SECOND;
    struct source_event got;
    assert_int_equal(source->next(source, &got, &err), SOURCE_LATER);
    assert_int_equal(source_ticks_of(source)->skipped, 1); /* it is still under way */
    turn();
    wall += 30 * SECOND;
    comes(wall);
    assert_true(event_has("\"last_success\":\"2023-11-14T22:13:20.000Z\""));
}

static void keeps_where_it_begins_before_it_begins(void **state)
{
    (void)state;
    int64_t first = wall;
    wall += 123456; /* which is no whole millisecond */
    begin("30s");
    comes(first);
    assert_int_equal(moves, 1);
    kill_it();
    wall += 10 * SECOND;
    begin("30s");
    comes(first);
    kill_it();
    wall = first + 100 * SECOND;
    begin("30s");
    comes(first + 90 * SECOND);
    assert_true(event_has("\"missed\":3,"));
}

static void begins_what_was_interrupted_again(void **state)
{
    (void)state;
    const struct failure interrupted = {.reason = FAILURE_INTERRUPTED},
                         exited = {.reason = FAILURE_EXIT};
    begin("1h");
    comes(wall);
    assert_true(source->releases);
    assert_true(source->keeps(source, token, &interrupted));
    assert_false(source->keeps(source, token, &exited));
    source->stop(source);
    ends(SOURCE_RELEASED);
    turn();
    assert_false(source->busy(source));
    assert_int_equal(next(), SOURCE_END);
    end();
    int64_t first = wall;
    wall += SECOND;
    begin("1h");
    comes(first);
    ends(SOURCE_DONE);
    kill_it();
    begin("1h");
    assert_int_equal(next(), SOURCE_LATER);
}

static void is_busy_until_all_is_kept(void **state)
{
    (void)state;
    begin("1h");
    comes(wall);
    source->stop(source);
    assert_int_equal(source->next(source, &(struct source_event){0}, &err), SOURCE_END);
    ends(SOURCE_DONE);
    assert_true(source->busy(source));
    turn();
    assert_false(source->busy(source));
    end();
    assert_int_equal(cursor_hold_open(&hold), 1); /* it was given back */
}

static void fails_when_the_cursor_is_lost(void **state)
{
    (void)state;
    begin("1h");
    comes(wall);
    wrong = STORE_LOST;
    ends(SOURCE_DONE);
    turn();
    assert_string_equal(buf_cstr(&failed), "n: another process has it now, or it was removed\n");
}

static void goes_on_from_now_with_another_schedule(void **state)
{
    (void)state;
    begin("1h");
    comes(wall);
    ends(SOURCE_DONE);
    kill_it();
    wall += 10 * SECOND;
    msg_set_level(MSG_VERBOSE);
    begin("2h");
    assert_string_equal(buf_cstr(&said), "every: the schedule was '1h': going on from now\n");
    comes(wall);
    assert_true(event_has("\"last_success\":\"2023-11-14T22:13:20.000Z\""));
    kill_it();
    buf_clear(&said);
    ticks.zone_name = "UTC";
    begin("2h");
    assert_true(said.len > 0);
}

static void keeps_what_was_skipped(void **state)
{
    (void)state;
    int64_t first = wall;
    begin("30s");
    comes(first);
    assert_int_equal(next(), SOURCE_LATER);
    wall += 30 * SECOND;
    assert_int_equal(next(), SOURCE_LATER);
    assert_int_equal(moves, 2);
    kill_it();
    wall += 10 * SECOND;
    begin("30s");
    comes(first); /* and not the one that was skipped */
    assert_true(event_has("\"missed\":0,"));
}

static void runs_once_what_is_due(void **state)
{
    (void)state;
    wall += 1234567890;
    ticks.once = true;
    begin("1h");
    comes(wall - wall % (60 * SECOND)); /* the minute */
    ends(SOURCE_DONE);
    turn();
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
    begin("1h");
    assert_false(ticks_setup_is_due(&ticks, &record, wall));
    assert_true(ticks_setup_is_due(&ticks, &record, wall + HOUR));
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
}

static void waits_once_for_what_jitter_holds_up(void **state)
{
    (void)state;
    ticks.once = true;
    ticks.policy = (struct ticks_policy){.jitter = 100 * SECOND, .seed = 5};
    int64_t first = wall - SECOND;
    begin("3601s");
    wall += 100 * SECOND; /* while it is kept where it begins */
    assert_int_equal(next(), SOURCE_LATER);
    readies = 0;
    turn();
    assert_true(readies > 0);
    comes(first);
    ends(SOURCE_DONE);
    turn();
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
    wall = first + 3601 * SECOND - 1;
    begin("3601s");
    assert_false(ticks_setup_is_due(&ticks, &record, wall));
    assert_true(ticks_setup_is_due(&ticks, &record, wall + 1));
}

static void notes_only_when_times_begin_to_count(void **state)
{
    (void)state;
    ticks.once = true;
    begin("0 5 * * *"); /* it is 22:13 */
    assert_true(ticks_setup_is_due(&ticks, &record, wall));
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
    begin("0 5 * * *");
    assert_false(ticks_setup_is_due(&ticks, &record, wall));
    kill_it();
    wall += 12 * HOUR;
    begin("0 5 * * *");
    assert_true(ticks_setup_is_due(&ticks, &record, wall));
    comes(1700024400 * SECOND);
}

/* Where what starts it counts from its last start, it may come a little earlier than after the
 * first one. */
static void is_due_once_for_who_comes_a_little_early(void **state)
{
    (void)state;
    ticks.once = true;
    int64_t first = wall;
    begin("45s");
    comes(first - SECOND);
    ends(SOURCE_DONE);
    kill_it();
    begin("45s");
    assert_false(ticks_setup_is_due(&ticks, &record, first + 44 * SECOND - 1));
    assert_true(ticks_setup_is_due(&ticks, &record, first + 44 * SECOND));
    kill_it();
    ticks.policy.deadline = SECOND;
    begin("2s"); /* a tenth, and never late by that alone */
    comes(first - SECOND / 5);
    ends(SOURCE_DONE);
    kill_it();
    ticks.policy.deadline = SECOND / 10;
    begin("3s");
    comes(first - SECOND / 20);
    ends(SOURCE_DONE);
}

/* Machines without a battery begin in 1970. */
static void goes_on_in_the_first_minute_of_1970(void **state)
{
    (void)state;
    ticks.once = true;
    wall = 5 * SECOND;
    begin("* * * * *");
    comes(0);
    kill_it(); /* only where it begins is kept */
    begin("* * * * *");
    assert_false(ticks_setup_is_due(&ticks, &record, wall));
    assert_true(ticks_setup_is_due(&ticks, &record, 60 * SECOND));
}

static void means_one_moment_until_it_has_ended(void **state)
{
    (void)state;
    int64_t moment = 1700002800 * SECOND; /* 23:00 */
    begin("at 23:00");
    assert_int_equal(next(), SOURCE_LATER);
    kill_it();
    wall = moment + HOUR;
    begin("at 23:00");
    comes(moment);
    ends(SOURCE_DONE);
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
    ticks.once = true;
    begin("at 23:00");
    assert_int_equal(next(), SOURCE_END);
    turn();
    end();
    ticks.once = false;
    begin("at 23:00");
    assert_int_equal(next(), SOURCE_LATER);
    wall = moment + 24 * HOUR;
    comes(wall);
}

static void refuses_a_moment_that_has_passed(void **state)
{
    (void)state;
    assert_null(open_source("at 2001-01-01T00:00", false));
    assert_string_equal(err.text, "at 2001-01-01T00:00: has passed");
}

static void keeps_nothing_without_a_cursor(void **state)
{
    (void)state;
    assert_non_null(open_source("30s", false));
    comes(wall);
    assert_false(source->releases);
    ends(SOURCE_DONE);
    assert_false(source->busy(source));
    wall += 30 * SECOND;
    comes(wall);
    assert_true(event_has("\"last_success\":\"2023-11-14T22:13:20.000Z\""));
    assert_int_equal(moves, 0);
}

static void gives_a_time_the_identity_of_its_event(void **state)
{
    (void)state;
    struct buf id = {0};
    begin("30s");
    comes(wall);
    source->identify(source, token, &id);
    assert_string_equal(buf_cstr(&id), "fit:every/n#2023-11-14T22:13:20.000Z");
    buf_free(&id);
}

static void encodes_names_for_a_uri(void **state)
{
    (void)state;
    char *uri = tick_event_source("a b/c?\xc3\xbc#%~!$&'()*+,;=:@-._");
    assert_string_equal(uri, "fit:every/a%20b%2Fc%3F%C3%BC%23%25~!$&'()*+,;=:@-._");
    free(uri);
}

static void reads_the_records_that_it_writes(void **state)
{
    (void)state;
    int64_t open[] = {3 * SECOND, 4 * SECOND + 5000000};
    struct ticks_record written = {.anchor = SECOND,
                                   .through = 4 * SECOND + 5000000,
                                   .success = 2 * SECOND,
                                   .open = open,
                                   .count = 2};
    struct buf text = {0};
    buf_puts(&written.schedule, "\"30s\"");
    ticks_record_write(&written, &text);
    assert_string_equal(buf_cstr(&text),
                        "{\"schedule\":\"\\\"30s\\\"\",\"anchor\":\"1970-01-01T00:00:01.000Z\","
                        "\"through\":\"1970-01-01T00:00:04.005Z\","
                        "\"success\":\"1970-01-01T00:00:02.000Z\","
                        "\"open\":[\"1970-01-01T00:00:03.000Z\",\"1970-01-01T00:00:04.005Z\"]}");
    assert_int_equal(ticks_record_read(&record, buf_str(&text), &err), 0);
    assert_string_equal(buf_cstr(&record.schedule), "\"30s\"");
    assert_int_equal(record.anchor, written.anchor);
    assert_int_equal(record.through, written.through);
    assert_int_equal(record.success, written.success);
    assert_int_equal(record.count, 2);
    assert_memory_equal(record.open, open, sizeof open);
    buf_free(&text);
    buf_free(&written.schedule);
}

static void refuses_a_damaged_record(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"schedule\":\"30s\"}",
        "{\"schedule\":30,\"through\":\"1970-01-01T00:00:04.005Z\"}",
        "{\"schedule\":\"30s\",\"through\":\"1970-01-01T00:00:04.00",
        "{\"schedule\":\"30s\",\"through\":\"now\"}",
        "{\"schedule\":\"30s\",\"through\":4}",
        "{\"schedule\":\"30s\",\"through\":\"1970-01-01T00:00:04.005Z\",\"open\":{}}",
        "{\"schedule\":\"30s\",\"through\":\"1970-01-01T00:00:04.005Z\",\"open\":[1]}",
        "\"schedule\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(ticks_record_read(&record, str_of(texts[i]), &err), -1);
        assert_int_equal(err.kind, ERR_STATE);
        ticks_record_free(&record);
    }
    assert_int_equal(
        ticks_record_read(
            &record,
            STR(" {\"new\":[{}],\"schedule\":\"30s\",\"through\":\"1970-01-01T00:00:04Z\"} "),
            &err),
        0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(hands_out_each_time_with_the_success_before),
        BOTH(tells_of_a_success_only_when_it_is_committed),
        BOTH(keeps_where_it_begins_before_it_begins),
        BOTH(begins_what_was_interrupted_again),
        BOTH(is_busy_until_all_is_kept),
        BOTH(fails_when_the_cursor_is_lost),
        BOTH(goes_on_from_now_with_another_schedule),
        BOTH(keeps_what_was_skipped),
        BOTH(runs_once_what_is_due),
        BOTH(waits_once_for_what_jitter_holds_up),
        BOTH(notes_only_when_times_begin_to_count),
        BOTH(is_due_once_for_who_comes_a_little_early),
        BOTH(goes_on_in_the_first_minute_of_1970),
        BOTH(means_one_moment_until_it_has_ended),
        BOTH(refuses_a_moment_that_has_passed),
        BOTH(keeps_nothing_without_a_cursor),
        BOTH(gives_a_time_the_identity_of_its_event),
        cmocka_unit_test(encodes_names_for_a_uri),
        cmocka_unit_test_setup_teardown(reads_the_records_that_it_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_damaged_record, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
