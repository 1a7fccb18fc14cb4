/* test_fn_end.c: a call that is ended ends once, at once, and takes nothing else with it. */
#include "fn_script.h"

#include "fn/policy.h"
#include "state/store.h"

#include <errno.h>
#include <signal.h>

static struct store *store;

/* ---- the scene ---- */

static void attempted(void *owner, const struct fn_attempt *attempt)
{
    (void)owner;
    assert_true(str_eq(attempt->call->id, STR("id")));
    seen++;
}

static struct store *get_store(void *owner, struct err *why)
{
    (void)owner;
    (void)why;
    return store;
}

static int setup(void **state)
{
    if (script_set_up(state) < 0)
        return -1;
    context.attempted = attempted;
    context.store = get_store;
    settings.grace = 50 * MILLISECOND;
    return 0;
}

static int tear_down(void **state)
{
    script_free();
    store_free(store);
    store = NULL;
    return world_remove(state);
}

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

/* None of the processes that a script has named is left. */
static bool are_gone(void)
{
    char *rest = NULL;
    char names[256];
    snprintf(names, sizeof names, "%s", text_of("pids"));
    for (char *name = strtok_r(names, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
        if (!is_gone((pid_t)strtol(name, NULL, 10)))
            return false;
    }
    return true;
}

static void end(size_t i)
{
    assert_true(fn_end(&tries[i].call, FAILURE_NOT_NEEDED));
    assert_int_equal(tries[i].ended, 1);
    assert_int_equal(tries[i].reason, FAILURE_NOT_NEEDED);
    assert_false(fn_end(&tries[i].call, FAILURE_NOT_NEEDED));
}

/* ---- calls that do not run ---- */

static void ends_a_call_that_waits_for_a_slot(void **state)
{
    (void)state;
    open_script("", "read e; echo $e >>called; echo $e >begun; while [ ! -e go ]; do sleep 0.01; "
                    "done; echo $e");
    begin(0);
    begin(1);
    begin(2);
    until(has_begun);
    assert_false(fn_has_room(fn));
    end(1);
    assert_int_equal(tries[1].attempts, 0);
    make("go");
    until(third_ended);
    expect(0, "0\n");
    expect(2, "2\n");
    assert_string_equal(text_of("called"), "0\n2\n");
    close_it();
}

static bool one_was_seen(void)
{
    return seen == 1;
}

static void ends_a_call_between_its_attempts(void **state)
{
    (void)state;
    settings.retries = 1;
    settings.backoff_base = settings.backoff_cap = 3600 * NUM_SECOND;
    open_script("", "exit 1");
    begin(0);
    until(one_was_seen);
    assert_int_equal(tries[0].ended, 0);
    end(0);
    assert_int_equal(tries[0].attempts, 1);
    close_it();
}

static void ends_a_call_that_is_delayed(void **state)
{
    (void)state;
    settings.fault.delay = 3600 * NUM_SECOND;
    open_script("", "echo 1");
    begin(0);
    end(0);
    close_it();
}

static void ends_a_call_that_a_rate_holds_back(void **state)
{
    (void)state;
    const struct policy_settings slow = {
        .rate = {.count = 1, .period = 3600 * NUM_SECOND, .burst = 1}};
    struct policy *policy = policy_open(&slow, NULL, loop, NULL, &err);
    assert_non_null(policy);
    settings.policy = policy;
    open_script("", "cat");
    begin(0);
    begin(1);
    begin(2);
    until(first_ended);
    end(2);
    end(1);
    close_it();
    fn_free(fn);
    fn = NULL;
    policy_free(policy);
}

static void gives_back_what_a_call_holds_of_a_bulkhead(void **state)
{
    (void)state;
    const struct policy_settings one = {.slots = 1};
    struct policy *policy = policy_open(&one, NULL, loop, NULL, &err);
    assert_non_null(policy);
    settings.policy = policy;
    settings.jobs = 2;
    settings.grace = DEADLINE;
    /* The first takes its time to end: the second has its slot only then. */
    open_script("", "read e; [ $e = 0 ] || { cat ended; exit; }\n"
                    "trap 'sleep 0.2; echo 7 >ended; exit' TERM; echo >begun\n"
                    "while :; do sleep 0.01; done");
    begin(0);
    until(has_begun);
    begin(1);
    end(0);
    until(second_ended);
    expect(1, "7\n");
    close_it();
    fn_free(fn);
    fn = NULL;
    policy_free(policy);
}

/* ---- processes ---- */

static void ends_a_process(void **state)
{
    (void)state;
    settings.grace = DEADLINE;
    open_script("", "echo $$ >pids; echo >begun; exec sleep 1000");
    begin(0);
    until(has_begun);
    end(0);
    assert_int_equal(tries[0].attempts, 1);
    assert_int_equal(seen, 0); /* the attempt has still to end */
    close_it();
    assert_int_equal(seen, 1);
    assert_true(are_gone());
}

static void ends_a_process_that_ignores_sigterm_with_all_that_it_started(void **state)
{
    (void)state;
    open_script("", "trap '' TERM; sleep 1000 & echo $! >>pids\n"
                    "setsid sleep 1000 & echo $! >>pids; setsid sh -c 'sleep 1000 & wait' &\n"
                    "echo $! >>pids; echo $$ >>pids; echo >begun; wait");
    begin(0);
    until(has_begun);
    end(0);
    close_it();
    until(are_gone); /* whom init has to reap */
}

static void keeps_the_slot_until_the_process_is_gone(void **state)
{
    (void)state;
    settings.grace = DEADLINE;
    open_script("", "read e; [ $e = 0 ] || { cat ended; exit; }\n"
                    "trap 'sleep 0.2; echo 7 >ended; exit 0' TERM; echo >begun\n"
                    "while :; do sleep 0.01; done");
    begin(0);
    until(has_begun);
    end(0);
    begin(1);
    until(second_ended);
    expect(1, "7\n");
    close_it();
}

static void makes_no_other_attempt_of_what_was_ended(void **state)
{
    (void)state;
    settings.retries = 1000;
    settings.backoff_base = settings.backoff_cap = 1;
    settings.timeout = 100 * MILLISECOND;
    settings.grace = NUM_SECOND;
    /* Its timeout is over, and it is being ended, when it is ended. */
    open_script("", "echo >>called; trap 'echo >begun; while :; do sleep 0.01; done' TERM\n"
                    "while :; do sleep 0.01; done");
    begin(0);
    until(has_begun);
    unsigned called = lines_of("called"); /* on a busy machine some had no time to set their trap */
    end(0);
    close_it();
    assert_int_equal(lines_of("called"), called);
}

static void end_first_and_close(struct fn_call *call)
{
    done(call);
    end(0);
    fn_close(fn, note_closed, NULL);
    assert_false(closed);
}

static void waits_for_what_was_ended_when_it_is_closed_meanwhile(void **state)
{
    (void)state;
    settings.jobs = 2;
    open_script("", "read e; [ $e = 1 ] && { while [ ! -e begun ]; do sleep 0.01; done; exit; }\n"
                    "trap '' TERM; echo $$ >pids; echo >begun; while :; do sleep 0.01; done");
    begin(0);
    tries[1].call = (struct fn_call){
        .event = slice_dup(STR("1")), .id = STR("id"), .done = end_first_and_close};
    fn_call(fn, &tries[1].call);
    until(has_closed);
    assert_true(are_gone());
    assert_int_equal(tries[0].ended + tries[1].ended, 2);
}

static void takes_what_is_ended_off_a_cancelled_function(void **state)
{
    (void)state;
    settings.grace = DEADLINE;
    open_script("", "trap '' TERM; echo $$ >pids; echo >begun; while :; do sleep 0.01; done");
    begin(0);
    until(has_begun);
    end(0);
    fn_cancel(fn, FAILURE_INTERRUPTED, true);
    close_it();
    assert_true(are_gone());
}

/* ---- workers ---- */

/* Answers with its event; to 0 only when the file "go" is there. */
#define WORKER                                                                             \
    "echo $$ >>pids; while read -r e; do echo $e >>called; [ $e != 0 ] || { echo >begun; " \
    "while [ ! -e go ]; do sleep 0.01; done; }; echo $e; done"

static void lets_a_worker_finish_and_throws_the_answer_away(void **state)
{
    (void)state;
    settings.grace = DEADLINE;
    open_script("lines:", WORKER);
    begin(0);
    until(has_begun);
    end(0);
    begin(1);
    make("go");
    until(second_ended);
    expect(1, "1\n");
    assert_int_equal(lines_of("pids"), 1); /* it is the same one */
    assert_int_equal(seen, 2);
    close_it();
}

static void loses_no_other_call_of_the_pipeline(void **state)
{
    (void)state;
    settings.pipeline = 3;
    open_script("lines:", WORKER);
    for (size_t i = 0; i < 3; i++)
        begin(i);
    until(has_begun);
    end(1);
    make("go");
    until(third_ended);
    expect(0, "0\n");
    expect(2, "2\n");
    assert_int_equal(lines_of("pids"), 1);
    close_it();
}

static void calls_no_worker_again_for_what_was_ended(void **state)
{
    (void)state;
    settings.pipeline = 3;
    settings.retries = 1;
    settings.backoff_base = settings.backoff_cap = 1;
    /* The first worker reads the first and dies when told so: those behind go to another one. */
    open_script("lines:", "[ -e second ] || { >second; read -r e; echo >begun\n"
                          "while [ ! -e go ]; do sleep 0.01; done; exit 1; }\n"
                          "while read -r e; do echo $e >>called; echo $e; done");
    for (size_t i = 0; i < 3; i++)
        begin(i);
    until(has_begun);
    end(1);
    end(0);
    make("go");
    until(third_ended);
    expect(2, "2\n");
    assert_string_equal(text_of("called"), "2\n");
    close_it();
}

static void ends_a_worker_at_the_end_whose_answer_nobody_waits_for(void **state)
{
    (void)state;
    settings.jobs = 2;
    open_script("lines:", "trap '' TERM; " WORKER);
    begin(0);
    until(has_begun);
    begin(1);
    until(second_ended);
    end(0);
    close_it();
    assert_true(are_gone());
    assert_int_equal(seen, 2);
}

/* ---- files and queues ---- */

static void takes_no_line_back_from_a_file(void **state)
{
    (void)state;
    char name[128];
    snprintf(name, sizeof name, "file:%s/fifo", scratch);
    assert_int_equal(mkfifo(name + 5, 0600), 0);
    int fd = open(name + 5, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *words[] = {name, NULL};
    fn = fn_open(&context, &settings, words, 1, &err);
    assert_non_null(fn);
    begin(0);
    if (!tries[0].ended)
        assert_false(fn_end(&tries[0].call, FAILURE_NOT_NEEDED));
    fn_flush(fn);
    until(first_ended);
    expect(0, "");
    char line[8] = "";
    assert_int_equal(read(fd, line, sizeof line), 2);
    assert_string_equal(line, "0\n");
    close(fd);
    close_it();
}

static void takes_no_message_back_from_a_queue(void **state)
{
    (void)state;
    const struct store_faults later = {.later = true};
    char *words[] = {(char[]){"queue:q"}, NULL};
    store = store_open_memory(loop, &later);
    fn = fn_open(&context, &settings, words, 1, &err);
    assert_non_null(fn);
    begin(0);
    assert_int_equal(tries[0].ended, 0);
    assert_false(fn_end(&tries[0].call, FAILURE_NOT_NEEDED));
    until(first_ended);
    expect(0, "");
    close_it();
    fn_free(fn);
    fn = NULL;
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(ends_a_call_that_waits_for_a_slot),
        CLAIM(ends_a_call_between_its_attempts),
        CLAIM(ends_a_call_that_is_delayed),
        CLAIM(ends_a_call_that_a_rate_holds_back),
        CLAIM(gives_back_what_a_call_holds_of_a_bulkhead),
        CLAIM(ends_a_process),
        CLAIM(ends_a_process_that_ignores_sigterm_with_all_that_it_started),
        CLAIM(keeps_the_slot_until_the_process_is_gone),
        CLAIM(makes_no_other_attempt_of_what_was_ended),
        CLAIM(waits_for_what_was_ended_when_it_is_closed_meanwhile),
        CLAIM(takes_what_is_ended_off_a_cancelled_function),
        CLAIM(lets_a_worker_finish_and_throws_the_answer_away),
        CLAIM(loses_no_other_call_of_the_pipeline),
        CLAIM(calls_no_worker_again_for_what_was_ended),
        CLAIM(ends_a_worker_at_the_end_whose_answer_nobody_waits_for),
        CLAIM(takes_no_line_back_from_a_file),
        CLAIM(takes_no_message_back_from_a_queue),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
