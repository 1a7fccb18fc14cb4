/* test_pool.c: so many workers are kept ready, whatever becomes of them, and no more than needed.
 */
#include "fn_script.h"

#include "base/clock.h"
#include "fn/policy.h"
#include "pattern/retry.h"

#include <errno.h>
#include <signal.h>

#define HOUR (3600 * NUM_SECOND)

static unsigned prepared, warned;
static int64_t last_init, now;
static char warning[256];

/* ---- the scene: real processes, and a time that stands still until it is moved ---- */

static void attempted(void *owner, const struct fn_attempt *attempt)
{
    (void)owner;
    assert_true(str_eq(attempt->call->id, STR("id")));
    last_init = attempt->init;
    seen++;
}

static void note_prepared(void *owner, struct fn *which)
{
    (void)owner;
    assert_true(!fn || which == fn);
    prepared++;
}

static void note_warning(void *owner, const char *text)
{
    (void)owner;
    snprintf(warning, sizeof warning, "%s", text);
    warned++;
}

static int setup(void **state)
{
    now = clock_now();
    clock_invent(&now, NULL);
    if (script_set_up(state) < 0)
        return -1;
    script_head = "echo $$ >>pids; n=$(wc -l <pids)\n";
    context.attempted = attempted;
    context.prepared = note_prepared;
    context.warn = note_warning;
    prepared = warned = 0;
    last_init = -1;
    return 0;
}

static int tear_down(void **state)
{
    script_free();
    clock_invent(NULL, NULL);
    return world_remove(state);
}

static bool at_once(void)
{
    return world_looks > 0; /* what is due, and what comes of it, has been done by then */
}

static void turn(void)
{
    until(at_once);
}

/* Answers each event with it; n is the number of the worker, counted from the first. */
#define ECHO       "while read -r e; do echo $e; done"
#define WAIT(name) "while [ ! -e " name " ]; do sleep 0.01; done; "

static void begin_aside(size_t i)
{
    tries[i].call = (struct fn_call){
        .event = slice_dup(STR("7")), .id = STR("id"), .aside = true, .done = done};
    fn_call(fn, &tries[i].call);
}

static bool three_ended(void)
{
    return tries[0].ended && tries[1].ended && tries[2].ended;
}

static bool is_prepared(void)
{
    return prepared;
}

static bool has_warned(void)
{
    return warned;
}

static unsigned wanted; /* for those below */

static bool runs(void)
{
    return fn_workers(fn).running == wanted;
}

static bool is_ready(void)
{
    return fn_workers(fn).ready == wanted;
}

static bool has_started(void)
{
    return fn_workers(fn).started == wanted;
}

static bool has_crashed(void)
{
    return fn_workers(fn).crashed == wanted;
}

static void until_so_many(bool (*condition)(void), unsigned count)
{
    wanted = count;
    until(condition);
}

/* ---- so many ---- */

static void keeps_so_many_without_calls(void **state)
{
    (void)state;
    settings.jobs = 3;
    settings.min_workers = 2;
    open_script("lines:", ECHO);
    turn();
    assert_int_equal(fn_workers(fn).started, 0);
    fn_prepare(fn);
    until(is_prepared);
    struct fn_workers workers = fn_workers(fn);
    assert_int_equal(workers.running, 2);
    assert_int_equal(workers.ready, 2);
    assert_int_equal(workers.busy, 0);
    assert_int_equal(workers.started, 2);
    now += HOUR; /* which is not the time that it took to start */
    begin(0);
    until(first_ended);
    expect(0, "0\n");
    assert_int_equal(last_init, 0);
    close_it();
    workers = fn_workers(fn);
    assert_int_equal(workers.started, 2);
    assert_int_equal(workers.crashed, 0);
    assert_int_equal(prepared, 1);
}

static void keeps_no_more_than_there_are_jobs(void **state)
{
    (void)state;
    settings.jobs = 2;
    settings.min_workers = 5;
    open_script("lines:", ECHO);
    fn_prepare(fn);
    until(is_prepared);
    assert_int_equal(fn_workers(fn).running, 2);
    close_it();
}

static void is_prepared_at_once_where_nothing_is_to_be_kept(void **state)
{
    (void)state;
    open_script("lines:", ECHO);
    fn_prepare(fn);
    until(is_prepared);
    assert_int_equal(fn_workers(fn).started, 0);
    close_it();
    fn_free(fn);
    fn = NULL;
    open_script("", "cat");
    fn_prepare(fn);
    assert_int_equal(prepared, 2);
    assert_int_equal(fn_workers(fn).running, 0);
    close_it();
}

static void replaces_one_that_dies(void **state)
{
    (void)state;
    settings.min_workers = 1;
    open_script("lines:", ECHO);
    fn_prepare(fn);
    begin(0);
    until(first_ended);
    kill((pid_t)strtol(text_of("pids"), NULL, 10), SIGKILL);
    until_so_many(has_started, 2); /* it has been of use: no pause */
    until_so_many(is_ready, 1);
    assert_int_equal(fn_workers(fn).crashed, 1);
    assert_int_equal(warned, 0);
    close_it();
}

/* The delays that a pool makes with the numbers that ours will give. */
static int64_t next_pause(struct rng *numbers, unsigned failed)
{
    static const struct retry_policy policy = {.base = NUM_SECOND / 10, .cap = NUM_SECOND * 10};
    return retry_delay(&policy, failed, rng_unit(numbers));
}

static void rests_longer_and_longer_between_starts_that_come_to_nothing(void **state)
{
    (void)state;
    settings.min_workers = 1;
    open_script("lines:", "exit 3");
    struct rng numbers = rng;
    fn_prepare(fn);
    for (unsigned failed = 1; failed < 12; failed++) {
        until_so_many(has_crashed, failed);
        int64_t pause = next_pause(&numbers, failed);
        now += pause - 1;
        turn();
        assert_int_equal(fn_workers(fn).started, failed);
        now += 1;
        until_so_many(has_started, failed + 1);
    }
    assert_int_equal(warned, 1);
    assert_non_null(strstr(warning, "/script: a worker ended before its first event"));
    until_so_many(has_crashed, 12);
    write_script(ECHO);
    now += 10 * NUM_SECOND;
    until_so_many(is_ready, 1);
    close_it();
}

/* Those that were started together say no more than one of them. */
static void rests_for_all_that_were_started_together_as_for_one(void **state)
{
    (void)state;
    settings.min_workers = settings.jobs = 4;
    open_script("lines:", "exit 3");
    struct rng numbers = rng;
    fn_prepare(fn);
    for (unsigned failed = 1; failed < 6; failed++) {
        until_so_many(has_crashed, 4 * failed);
        int64_t pause = next_pause(&numbers, failed);
        now += pause - 1;
        turn();
        assert_int_equal(fn_workers(fn).started, 4 * failed);
        now += 1;
        until_so_many(has_started, 4 * failed + 4);
    }
    assert_int_equal(warned, 1);
    close_it();
}

static void rests_when_a_worker_ends_right_after_the_ping(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.ping = "1";
    open_script("lines:", "head -n 1");
    struct rng numbers = rng;
    fn_prepare(fn);
    for (unsigned failed = 1; failed < 6; failed++) {
        until_so_many(has_crashed, failed);
        int64_t pause = next_pause(&numbers, failed);
        now += pause - 1;
        turn();
        assert_int_equal(fn_workers(fn).started, failed);
        now += 1;
        until_so_many(has_started, failed + 1);
    }
    close_it();
}

static void goes_on_when_a_program_that_was_gone_is_there_again(void **state)
{
    (void)state;
    settings.min_workers = 2;
    settings.jobs = 2;
    open_script("lines:", ECHO);
    char path[128];
    snprintf(path, sizeof path, "%s/script", scratch);
    assert_int_equal(unlink(path), 0);
    fn_prepare(fn);
    until(has_warned);
    assert_non_null(strstr(warning, "/script: a worker cannot be started: "));
    for (unsigned i = 0; i < 3; i++) {
        now += 10 * NUM_SECOND;
        turn();
    }
    assert_int_equal(warned, 1);
    assert_int_equal(prepared, 0);
    write_script(ECHO);
    now += 10 * NUM_SECOND;
    until(is_prepared);
    assert_int_equal(fn_workers(fn).running, 2);
    close_it();
}

static void replaces_one_whose_uses_are_over(void **state)
{
    (void)state;
    settings.jobs = 2;
    settings.min_workers = 1;
    settings.max_uses = 1;
    settings.ping = "7";
    open_script("lines:", "[ $n = 1 ] || echo >>second; " ECHO);
    fn_prepare(fn);
    until(is_prepared);
    begin(0);
    until(first_ended);
    assert_int_equal(last_init, 0); /* the ping is no use, but its answer is the first */
    until_so_many(has_started, 2);
    until_so_many(is_ready, 1);
    begin(1);
    until(second_ended);
    until_so_many(has_started, 3);
    assert_int_equal(fn_workers(fn).crashed, 0);
    close_it();
}

/* ---- the ping ---- */

static void is_ready_when_it_has_answered_the_ping(void **state)
{
    (void)state;
    settings.jobs = 1;
    settings.min_workers = 1;
    settings.ping = "{\"warmer\":true}";
    open_script("lines:", "while read -r e; do echo \"$e\" >>begun; " WAIT("go") "echo $e; done");
    fn_prepare(fn);
    until(has_begun);
    assert_string_equal(text_of("begun"), "{\"warmer\":true}\n");
    assert_int_equal(prepared, 0);
    struct fn_workers workers = fn_workers(fn);
    assert_int_equal(workers.running, 1);
    assert_int_equal(workers.ready, 0);
    assert_int_equal(workers.busy, 0);
    begin(0); /* waits: there is one job */
    turn();
    assert_int_equal(tries[0].ended, 0);
    make("go");
    until(first_ended);
    expect(0, "0\n");
    assert_int_equal(prepared, 1);
    assert_int_equal(fn_workers(fn).ready, 1);
    assert_int_equal(seen, 1); /* the ping counts in nothing */
    assert_int_equal(context.attempts, 1);
    assert_int_equal(context.failed_attempts, 0);
    assert_int_equal(last_init, 0); /* and the first call meets a warm worker */
    close_it();
}

static void takes_an_error_for_an_answer(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.ping = "1";
    open_script("lines:",
                "read -r e; echo '!{\"errorType\":\"X\",\"errorMessage\":\"no\"}'; " ECHO);
    fn_prepare(fn);
    until(is_prepared);
    assert_int_equal(fn_workers(fn).crashed, 0);
    assert_int_equal(context.failed_attempts, 0);
    begin(0);
    until(first_ended);
    expect(0, "0\n");
    assert_int_equal(lines_of("pids"), 1);
    close_it();
}

static void replaces_one_that_does_not_answer_in_time(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.ping = "1";
    settings.timeout = HOUR;
    open_script("lines:", "[ $n != 1 ] || { read -r e; echo >>begun; exec sleep 1000; }; " ECHO);
    struct rng numbers = rng;
    fn_prepare(fn);
    until(has_begun);
    now += HOUR;
    until_so_many(has_crashed, 1);
    assert_int_equal(warned, 1);
    assert_string_equal(strstr(warning, ": a worker"),
                        ": a worker did not answer the ping: no answer after 1.00h");
    until_so_many(runs, 0);
    assert_int_equal(prepared, 0);
    now += next_pause(&numbers, 1);
    until(is_prepared);
    assert_int_equal(fn_workers(fn).started, 2);
    assert_int_equal(context.attempts, 0);
    assert_int_equal(seen, 0);
    close_it();
}

static void replaces_one_that_answers_nonsense(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.ping = "1";
    open_script("lines:", "[ $n != 1 ] || { echo hello; sleep 1000; }; " ECHO);
    fn_prepare(fn);
    until(has_warned);
    now += 10 * NUM_SECOND; /* the grace too */
    until(is_prepared);
    assert_int_equal(fn_workers(fn).started, 2);
    assert_int_equal(fn_workers(fn).crashed, 1);
    close_it();
}

static void gives_a_call_behind_a_ping_that_fails_to_another(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.pipeline = 2;
    settings.ping = "7";
    open_script("lines:",
                "[ $n != 1 ] || { read -r e; echo >>begun; " WAIT("go") "exit 1; }; " ECHO);
    fn_prepare(fn);
    until(has_begun);
    begin(0);
    turn();
    assert_int_equal(fn_workers(fn).busy, 1);
    make("go");
    until_so_many(has_crashed, 1);
    now += 10 * NUM_SECOND;
    until(first_ended);
    expect(0, "0\n");
    assert_int_equal(tries[0].attempts, 1);
    assert_int_equal(seen, 1);
    close_it();
}

static void needs_no_ping_for_a_call(void **state)
{
    (void)state;
    settings.jobs = 2;
    settings.min_workers = 1;
    settings.ping = "7";
    open_script("lines:", "[ $n != 1 ] || { read -r e; echo >>begun; " WAIT(
                              "go") "echo 1; }\n"
                                    "while read -r e; do echo $e >>others; echo $e; done");
    fn_prepare(fn);
    until(has_begun);
    begin(0); /* another is started for it, rather than wait for the first */
    until(first_ended);
    expect(0, "0\n");
    assert_string_equal(text_of("others"), "0\n");
    assert_true(last_init >= 0);
    make("go");
    close_it();
}

/* ---- a call that a worker was started for ---- */

static bool second_has_started(void)
{
    return lines_of("pids") == 2;
}

static bool last_two_ended(void)
{
    return tries[2].ended && tries[3].ended;
}

/*
 * Two workers. The first is held by the event 0, until "release" is there; the second, which is
 * started for the event 1, does that first. They answer with who they are.
 */
static void open_with_a_second_that(const char *starts)
{
    struct buf text = {0};
    settings.jobs = 2;
    settings.pipeline = 1;
    buf_addf(
        &text,
        "[ $n = 1 ] || { %s\n}\n"
        "while read -r e; do\n"
        "if [ -e held ] && [ \"$e\" = 0 ]; then " WAIT("release") "fi\n"
                                                                  "echo \"[$n,$begun$e]\"; done",
        starts);
    open_script("lines:", buf_cstr(&text));
    buf_free(&text);
    begin(0);
    until(first_ended); /* it is warm */
    make("held");
    tries[0].ended = 0;
    begin(0);
    turn();
    begin(1);
    until(second_has_started);
    assert_int_equal(tries[0].ended, 0);
    assert_int_equal(tries[1].ended, 0);
}

static void goes_to_whoever_is_ready_first(void **state)
{
    (void)state;
    open_with_a_second_that(WAIT("go"));
    make("release");
    until(second_ended);
    expect(1, "[1,1]\n");
    assert_int_equal(tries[1].attempts, 1);
    make("go");
    begin(2);
    begin(3);
    until(last_two_ended);
    assert_int_equal(last_init, 0); /* nobody waited for its start */
    assert_int_equal(fn_workers(fn).started, 2);
    assert_int_equal(fn_workers(fn).crashed, 0);
    close_it();
}

static void stays_with_the_new_one_that_has_begun_to_read(void **state)
{
    (void)state;
    open_with_a_second_that("begun=$(head -c 1); echo >>begun; " WAIT("go"));
    until(has_begun);
    make("release");
    until(first_ended);
    turn();
    assert_int_equal(tries[1].ended, 0);
    make("go");
    until(second_ended);
    expect(1, "[2,1]\n");
    close_it();
}

static void is_not_failed_by_a_start_that_fails_when_it_has_gone(void **state)
{
    (void)state;
    open_with_a_second_that(WAIT("go") "exit 1");
    make("release");
    until(second_ended);
    expect(1, "[1,1]\n");
    make("go");
    until_so_many(has_crashed, 1);
    assert_int_equal(tries[1].attempts, 1);
    close_it();
}

/* ---- those that are idle, or old ---- */

static void lets_go_of_idle_ones_beyond_the_least(void **state)
{
    (void)state;
    settings.jobs = 3;
    settings.min_workers = 1;
    settings.idle = HOUR;
    open_script("lines:", "while read -r e; do " WAIT("go") "echo $e; done");
    fn_prepare(fn);
    until(is_prepared);
    for (size_t i = 0; i < 3; i++)
        begin(i);
    assert_int_equal(fn_workers(fn).busy, 3);
    now += 2 * HOUR; /* they are busy */
    turn();
    assert_int_equal(fn_workers(fn).ready, 3);
    make("go");
    until(three_ended);
    now += HOUR - 1;
    turn();
    assert_int_equal(fn_workers(fn).ready, 3);
    now += 1;
    until_so_many(runs, 1);
    struct fn_workers workers = fn_workers(fn);
    assert_int_equal(workers.ready, 1);
    assert_int_equal(workers.started, 3);
    assert_int_equal(workers.crashed, 0);
    now += 10 * HOUR;
    turn();
    assert_int_equal(fn_workers(fn).ready, 1);
    begin(3);
    assert_int_equal(fn_workers(fn).started, 3);
    close_it();
}

static void loses_no_call_that_comes_when_a_worker_is_due_to_end(void **state)
{
    (void)state;
    settings.idle = HOUR;
    open_script("lines:", ECHO);
    begin(0);
    until(first_ended);
    for (unsigned i = 0; i < 20; i++) {
        unsigned started = (unsigned)fn_workers(fn).started;
        bool before = i % 2 == 0; /* the look at the idle, or after it */
        now += HOUR;
        if (!before)
            turn();
        tries[0].ended = 0;
        buf_clear(&tries[0].lines);
        begin(0);
        until(first_ended);
        expect(0, "0\n");
        assert_int_equal(tries[0].attempts, 1);
        assert_int_equal(fn_workers(fn).started, before ? started : started + 1);
    }
    assert_int_equal(fn_workers(fn).crashed, 0);
    close_it();
}

static void is_cold_for_the_call_that_it_was_started_for(void **state)
{
    (void)state;
    open_script("lines:", "read -r e; echo >>begun; " WAIT("go") "echo $e; " ECHO);
    begin(0);
    until(has_begun);
    now += HOUR;
    make("go");
    until(first_ended);
    assert_int_equal(last_init, HOUR);
    begin(1);
    until(second_ended);
    assert_int_equal(last_init, 0);
    close_it();
}

/* ---- calls aside ---- */

static void counts_a_call_aside_in_nothing(void **state)
{
    (void)state;
    settings.retries = 3;
    open_script("lines:",
                "read -r e; echo >>begun; " WAIT("go") "echo $e; read -r e; echo '!1'; " ECHO);
    begin_aside(0);
    until(has_begun);
    now += HOUR;
    make("go");
    until(first_ended);
    expect(0, "7\n");
    assert_int_equal(tries[0].call.init, HOUR);
    begin_aside(1);
    until(second_ended);
    assert_int_equal(tries[1].reason, FAILURE_ERROR);
    assert_int_equal(tries[1].attempts, 1);
    assert_int_equal(tries[1].call.init, 0);
    assert_int_equal(seen, 0);
    assert_int_equal(context.attempts, 0);
    close_it();
}

static void a_call_aside_waits_for_no_policy(void **state)
{
    (void)state;
    const struct policy_settings slow = {.rate = {.count = 1, .period = 24 * HOUR, .burst = 1},
                                         .slots = 1};
    struct policy *policy = policy_open(&slow, NULL, loop, NULL, &err);
    assert_non_null(policy);
    settings.policy = policy;
    open_script("lines:", "read -r e; echo >>begun; " WAIT("go") "echo $e; " ECHO);
    begin(0);
    until(has_begun);
    begin(1); /* waits for its time */
    begin_aside(2);
    begin_aside(3); /* both wait for the worker */
    assert_true(fn_end(&tries[3].call, FAILURE_NOT_NEEDED));
    assert_int_equal(tries[3].ended, 1);
    assert_int_equal(tries[2].ended, 0);
    make("go");
    until(third_ended);
    expect(0, "0\n");
    expect(2, "7\n");
    assert_int_equal(tries[1].ended, 0);
    assert_int_equal(seen, 1);
    fn_cancel(fn, FAILURE_INTERRUPTED, true);
    assert_int_equal(tries[1].reason, FAILURE_INTERRUPTED);
    close_it();
    fn_free(fn);
    fn = NULL;
    policy_free(policy);
}

static void gives_a_call_aside_to_another_worker(void **state)
{
    (void)state;
    settings.pipeline = 2;
    open_script("lines:", "[ $n = 1 ] || { " ECHO "; exit; }\n"
                          "read -r e; echo >>begun; " WAIT("go") "exit 1");
    begin(0);
    until(has_begun);
    begin_aside(1);
    make("go");
    until_so_many(has_crashed, 1);
    now += 10 * NUM_SECOND;
    until(second_ended);
    assert_int_equal(tries[0].reason, FAILURE_EXIT);
    expect(1, "7\n");
    assert_int_equal(seen, 1);
    close_it();
}

static void ends_calls_aside_that_wait(void **state)
{
    (void)state;
    open_script("lines:", "read -r e; echo >>begun; " WAIT("go"));
    begin_aside(0);
    until(has_begun);
    begin_aside(1);
    fn_cancel(fn, FAILURE_INTERRUPTED, true);
    until(second_ended);
    assert_int_equal(tries[1].reason, FAILURE_INTERRUPTED);
    until(first_ended);
    assert_int_equal(tries[0].reason, FAILURE_INTERRUPTED);
    assert_int_equal(seen, 0);
    close_it();
}

static void lets_go_of_all_that_are_idle_where_none_is_kept(void **state)
{
    (void)state;
    settings.idle = HOUR;
    open_script("lines:", ECHO);
    begin(0);
    until(first_ended);
    now += HOUR;
    until_so_many(runs, 0);
    begin(1);
    until(second_ended);
    expect(1, "1\n");
    assert_int_equal(fn_workers(fn).started, 2);
    close_it();
}

static void replaces_an_old_one_when_another_is_ready(void **state)
{
    (void)state;
    settings.jobs = 2;
    settings.min_workers = 1;
    settings.max_age = HOUR;
    settings.ping = "7";
    open_script("lines:", "[ $n != 2 ] || { read -r e; echo >>begun; " WAIT(
                              "go") "echo $e; }\n"
                                    "while read -r e; do echo $n; done");
    fn_prepare(fn);
    until(is_prepared);
    now += HOUR;
    until(has_begun);
    begin(0); /* the old one is there until the new one is */
    until(first_ended);
    expect(0, "1\n");
    make("go");
    until_so_many(runs, 1);
    begin(1);
    until(second_ended);
    expect(1, "2\n");
    assert_int_equal(fn_workers(fn).started, 2);
    assert_int_equal(fn_workers(fn).crashed, 0);
    close_it();
}

static bool all_new(void)
{
    struct fn_workers workers = fn_workers(fn);
    assert_true(workers.ready >= 2);
    return workers.started == 6 && workers.running == 3 && workers.ready == 3;
}

static void replaces_old_ones_one_by_one_where_no_slot_is_free(void **state)
{
    (void)state;
    settings.jobs = settings.min_workers = 3;
    settings.max_age = HOUR;
    settings.ping = "7";
    open_script("lines:", ECHO);
    fn_prepare(fn);
    until(is_prepared);
    now += HOUR;
    until(all_new);
    close_it();
}

/* ---- the end ---- */

static void closes_while_a_ping_is_open(void **state)
{
    (void)state;
    settings.min_workers = 1;
    settings.ping = "7";
    open_script("lines:", "read -r e; echo >>begun; " WAIT("go"));
    fn_prepare(fn);
    until(has_begun);
    close_it();
    now += HOUR;
    turn();
    assert_int_equal(fn_workers(fn).started, 1);
    assert_int_equal(prepared, 0);
    assert_int_equal(warned, 0);
}

static void starts_none_after_it_was_cancelled(void **state)
{
    (void)state;
    settings.min_workers = 2;
    settings.jobs = 2;
    open_script("lines:", ECHO);
    fn_prepare(fn);
    until(is_prepared);
    fn_cancel(fn, FAILURE_INTERRUPTED, true);
    until_so_many(runs, 0);
    now += HOUR;
    turn();
    assert_int_equal(fn_workers(fn).started, 2);
    assert_int_equal(warned, 0);
    close_it();
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(keeps_so_many_without_calls),
        CLAIM(keeps_no_more_than_there_are_jobs),
        CLAIM(is_prepared_at_once_where_nothing_is_to_be_kept),
        CLAIM(replaces_one_that_dies),
        CLAIM(rests_longer_and_longer_between_starts_that_come_to_nothing),
        CLAIM(rests_for_all_that_were_started_together_as_for_one),
        CLAIM(rests_when_a_worker_ends_right_after_the_ping),
        CLAIM(goes_on_when_a_program_that_was_gone_is_there_again),
        CLAIM(replaces_one_whose_uses_are_over),
        CLAIM(is_ready_when_it_has_answered_the_ping),
        CLAIM(takes_an_error_for_an_answer),
        CLAIM(replaces_one_that_does_not_answer_in_time),
        CLAIM(replaces_one_that_answers_nonsense),
        CLAIM(gives_a_call_behind_a_ping_that_fails_to_another),
        CLAIM(needs_no_ping_for_a_call),
        CLAIM(loses_no_call_that_comes_when_a_worker_is_due_to_end),
        CLAIM(is_cold_for_the_call_that_it_was_started_for),
        CLAIM(counts_a_call_aside_in_nothing),
        CLAIM(a_call_aside_waits_for_no_policy),
        CLAIM(gives_a_call_aside_to_another_worker),
        CLAIM(ends_calls_aside_that_wait),
        CLAIM(goes_to_whoever_is_ready_first),
        CLAIM(stays_with_the_new_one_that_has_begun_to_read),
        CLAIM(is_not_failed_by_a_start_that_fails_when_it_has_gone),
        CLAIM(lets_go_of_idle_ones_beyond_the_least),
        CLAIM(lets_go_of_all_that_are_idle_where_none_is_kept),
        CLAIM(replaces_an_old_one_when_another_is_ready),
        CLAIM(replaces_old_ones_one_by_one_where_no_slot_is_free),
        CLAIM(closes_while_a_ping_is_open),
        CLAIM(starts_none_after_it_was_cancelled),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
