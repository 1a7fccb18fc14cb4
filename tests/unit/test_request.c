/* test_request.c: a function that asks workers through a queue, on the embedded store and on one
 * that answers later. */
#include "fn_world.h"

#include "base/clock.h"
#include "base/mem.h"
#include "state/queue.h"

#include <string.h>

enum { CALLS = 8 };

struct
try {
    struct fn_call call; /* first */
    struct fn_kept *kept;
    unsigned ended; /* how often done was called */
};

static struct store *store;
static struct store_faults faults;
static struct fn *fn;
static struct try tries[CALLS];
static bool closed, op_done;
static unsigned fatal;

/* ---- the scene ---- */

static void tell_fatal(void *owner, const struct err *why)
{
    (void)owner;
    (void)why;
    fatal++;
}

static struct store *get_store(void *owner, struct err *why)
{
    (void)owner;
    (void)why;
    return store;
}

/* As the engine does in each turn. */
static void flush(void)
{
    fn_flush(fn);
}

static int make(void **state, bool later)
{
    if (world_make(state) < 0)
        return -1;
    faults = (struct store_faults){.later = later};
    store = later
                ? store_open_memory(loop, &faults)
                : store_open(scratch_home, loop, &(struct store_settings){.unsynced = true}, &err);
    world_each = flush;
    context.fatal = tell_fatal;
    context.store = get_store;
    settings.jobs = CALLS;
    settings.replies = "replies";
    closed = false;
    fatal = 0;
    memset(tries, 0, sizeof tries);
    return store ? 0 : -1;
}

static int setup(void **state)
{
    return make(state, false);
}

static int setup_later(void **state)
{
    return make(state, true);
}

static void free_queue(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        fn_kept_end(tries[i].kept, false);
        tries[i].kept = NULL;
    }
    fn_free(fn);
    fn = NULL;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < CALLS; i++) {
        slice_drop(&tries[i].call.lines);
        slice_drop(&tries[i].call.event);
        failure_free(tries[i].call.failure);
    }
    free_queue();
    store_free(store);
    return world_remove(state);
}

static void done(struct fn_call *call)
{
    ((struct try *)(void *)call)->ended++;
}

static void open_queue(void)
{
    char word[] = "queue:work", *words[] = {word, NULL};
    fn = fn_open(&context, &settings, words, 1, &err);
    assert_non_null(fn);
    assert_true(fn_wants_id(fn) && !fn_is_sink(fn));
}

static void begin(int i, const char *event, const char *scope)
{
    struct fn_call *call = &tries[i].call;
    slice_drop(&call->event); /* of one before */
    slice_drop(&call->lines);
    *call = (struct fn_call){.event = slice_dup(str_of(event)),
                             .id = STR("id"),
                             .scope = str_of(scope),
                             .done = done,
                             .kept = &tries[i].kept};
    tries[i].ended = 0;
    fn_call(fn, call);
}

static bool ended_0(void)
{
    return tries[0].ended;
}

static bool ended_1(void)
{
    return tries[1].ended;
}

static bool ended_2(void)
{
    return tries[2].ended;
}

static bool all_ended(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (!tries[i].ended)
            return false;
    }
    return true;
}

static void gives(int i, const char *lines, size_t count)
{
    const struct fn_call *call = &tries[i].call;
    assert_int_equal(tries[i].ended, 1);
    assert_null(call->failure);
    assert_true(str_eq(slice_str(call->lines), str_of(lines)));
    assert_int_equal(call->count, count);
}

/* ---- the other side ---- */

static void op_ended(struct store_op *op)
{
    assert_int_equal(op->status, STORE_OK);
    op_done = true;
}

static bool has_done(void)
{
    return op_done;
}

#define ASK(call, what)                  \
    do {                                 \
        op_done = false;                 \
        (what)->own.op.done = op_ended;  \
        (what)->own.queue = STR("work"); \
        call;                            \
        until(has_done);                 \
    } while (0)

static struct queue_facts facts(void)
{
    struct queue_show show = {0};
    ASK(queue_show(store, &show), &show);
    return show.facts;
}

/* Answer the message that is next, which may come after a back-off; text of a failure is an
 * object. */
static void serve(const char *event, const char *text)
{
    struct queue_lease lease = {0};
    int64_t end_by = clock_now() + DEADLINE;
    do {
        queue_lease_clear(&lease);
        lease = (struct queue_lease){.count = 1, .bytes = 1, .visibility = DEADLINE};
        store_flush(store);
        ASK(queue_lease(store, &lease), &lease);
        assert_true(clock_now() < end_by);
    } while (!lease.got);
    assert_true(str_eq(slice_str(lease.messages[0].event), str_of(event)));
    struct queue_end end = {.token = lease.token, .slot = lease.messages[0].slot};
    end.answer = end.letter = str_of(text);
    end.results = 1;
    ASK(queue_end(store, &end, text[0] == '{' ? QUEUE_BURY : QUEUE_ACK), &end);
    queue_lease_clear(&lease);
}

static void takes_nothing(void)
{
    struct queue_lease lease = {.count = 1, .bytes = 1, .visibility = DEADLINE};
    ASK(queue_lease(store, &lease), &lease);
    assert_int_equal(lease.got, 0);
    queue_lease_clear(&lease);
}

static uint64_t answers_kept(void)
{
    struct reply_read read = {.own.set = STR("replies"), .count = 100, .bytes = SIZE_MAX};
    op_done = false;
    read.own.op.done = op_ended;
    reply_read(store, &read);
    until(has_done);
    uint64_t count = read.got;
    reply_read_clear(&read);
    return count;
}

static void told_closed(void *owner)
{
    (void)owner;
    closed = true;
}

static bool is_closed(void)
{
    return closed;
}

static void close_queue(void)
{
    fn_close(fn, told_closed, NULL);
    until(is_closed);
}

/* ---- claims ---- */

static void ends_with_the_answer_and_keeps_it_until_it_is_used(void **state)
{
    (void)state;
    open_queue();
    begin(0, "1", "");
    serve("1", "\"a\"\n");
    until(ended_0);
    gives(0, "\"a\"\n", 1);
    assert_int_equal(answers_kept(), 1);
    fn_kept_end(tries[0].kept, true);
    tries[0].kept = NULL;
    close_queue();
    assert_int_equal(answers_kept(), 0);
}

static void finds_an_answer_that_was_not_used(void **state)
{
    (void)state;
    open_queue();
    begin(0, "1", "");
    serve("1", "2\n");
    until(ended_0);
    fn_kept_end(tries[0].kept, false);
    tries[0].kept = NULL;
    begin(1, "1", "");
    until(ended_1);
    gives(1, "2\n", 1);
    assert_int_equal(facts().pushed, 1);
    begin(2, "1", "part"); /* another question, */
    begin(3, "10", "");    /* and another */
    serve("1", "3\n");
    serve("10", "4\n");
    assert_int_equal(facts().pushed, 3);
    close_queue();
}

static void gives_one_answer_to_all_who_ask_the_same(void **state)
{
    (void)state;
    open_queue();
    for (int i = 0; i < CALLS; i++)
        begin(i, "1", "");
    serve("1", "2\n");
    until(all_ended);
    for (int i = 0; i < CALLS; i++)
        gives(i, "2\n", 1);
    assert_int_equal(facts().pushed, 1);
    fn_kept_end(tries[0].kept, true); /* the others have theirs */
    tries[0].kept = NULL;
    begin(0, "1", "");
    until(ended_0);
    gives(0, "2\n", 1);
    close_queue();
}

static void leaves_to_a_call_what_it_asks_while_another_forgets(void **state)
{
    (void)state;
    open_queue();
    begin(0, "1", "");
    begin(1, "1", "");
    serve("1", "2\n");
    until(ended_1);
    fn_kept_end(tries[0].kept, true);
    tries[0].kept = NULL;
    store_flush(store);
    fn_flush(fn);
    store_flush(store);
    begin(2, "1", ""); /* anew, as it was forgotten */
    fn_kept_end(tries[1].kept, true);
    tries[1].kept = NULL;
    fn_flush(fn);
    store_flush(store);
    serve("1", "3\n");
    until(ended_2);
    gives(2, "3\n", 1);
    close_queue();
}

static void ends_with_the_failure_of_the_worker(void **state)
{
    const struct failure *failure;
    (void)state;
    settings.retries = 1;
    settings.backoff_base = settings.backoff_cap = MILLISECOND;
    open_queue();
    begin(0, "1", "");
    serve("1", "{\"reason\":\"exit\",\"exit\":65,\"message\":\"no \\u00e4\",\"error\":{\"a\":[1]},"
               "\"function\":\"./f\",\"stderr\":\"x\\n\",\"attempts\":7}");
    until(ended_0);
    failure = tries[0].call.failure;
    assert_int_equal(failure->reason, FAILURE_EXIT);
    assert_int_equal(failure->class, FAILURE_PERMANENT);
    assert_int_equal(failure->exit, 65);
    assert_int_equal(failure->attempts, 1);
    assert_string_equal(failure->message, "no \303\244");
    assert_string_equal(failure->detail, "{\"a\":[1]}");
    assert_string_equal(failure->function, "./f");
    assert_true(str_eq(buf_str(&failure->errors), STR("x\n")));
    begin(1, "2", ""); /* one that is not permanent is asked once more */
    serve("2", "{\"reason\":\"signal\",\"signal\":9}");
    serve("2", "{\"reason\":\"purged\"}");
    until(ended_1);
    assert_int_equal(tries[1].call.failure->reason, FAILURE_PURGED);
    assert_int_equal(tries[1].call.failure->attempts, 2);
    close_queue();
}

static void withdraws_what_is_not_answered_in_time(void **state)
{
    (void)state;
    settings.timeout = 20 * MILLISECOND;
    open_queue();
    begin(0, "1", "");
    until(ended_0);
    assert_int_equal(tries[0].call.failure->reason, FAILURE_TIMEOUT);
    assert_null(tries[0].kept);
    close_queue();
    takes_nothing();
    assert_int_equal(facts().dropped, 1);
}

static void leaves_what_is_cancelled_to_be_asked_again(void **state)
{
    (void)state;
    open_queue();
    begin(0, "1", "");
    begin(1, "2", "");
    store_flush(store);
    fn_cancel(fn, FAILURE_INTERRUPTED, false);
    assert_true(tries[0].ended && tries[1].ended);
    assert_int_equal(tries[0].call.failure->reason, FAILURE_INTERRUPTED);
    close_queue();
    free_queue();
    open_queue();
    begin(2, "2", "");
    serve("1", "1\n");
    serve("2", "2\n");
    assert_int_equal(facts().pushed, 2);
    begin(3, "1", "");
    close_queue();
    gives(2, "2\n", 1);
    gives(3, "1\n", 1);
}

static void reads_answers_that_are_large_together(void **state)
{
    struct buf line = {0};
    char event[16];
    (void)state;
    for (int i = 0; i < 200000; i++)
        buf_addc(&line, '7');
    buf_addc(&line, '\n');
    open_queue();
    for (int i = 0; i < CALLS; i++) {
        snprintf(event, sizeof event, "%d", i);
        begin(i, event, "");
    }
    for (int i = 0; i < CALLS; i++) {
        snprintf(event, sizeof event, "%d", i);
        serve(event, buf_cstr(&line));
    }
    until(all_ended);
    for (int i = 0; i < CALLS; i++)
        gives(i, buf_cstr(&line), 1);
    buf_free(&line);
    settings.max_result = 1000;
    close_queue();
    free_queue();
    open_queue();
    begin(0, "0", "");
    until(ended_0);
    assert_int_equal(tries[0].call.failure->reason, FAILURE_BAD_RESULT);
    close_queue();
}

static void asks_no_more_than_so_many_at_once(void **state)
{
    (void)state;
    settings.jobs = 2;
    settings.buffer = 1;
    open_queue();
    for (int i = 0; i < 3; i++) {
        assert_true(fn_has_room(fn));
        begin(i, "1", (const char *const[]){"a", "b", "c"}[i]);
    }
    assert_false(fn_has_room(fn));
    store_flush(store);
    assert_int_equal(facts().pushed, 2);
    serve("1", "1\n");
    until(ended_0);
    store_flush(store);
    assert_int_equal(facts().pushed, 3);
    fn_cancel(fn, FAILURE_HALTED, true);
    close_queue();
}

static enum store_status lose(void *owner, const struct store_op *op, bool *applied)
{
    (void)owner;
    *applied = true;
    return op->kind == STORE_QUEUE && !op->reads ? STORE_UNKNOWN : STORE_OK;
}

static void fails_when_it_is_not_known_whether_it_asks(void **state)
{
    (void)state;
    open_queue();
    faults.judge = lose;
    begin(0, "1", "");
    until(ended_0);
    assert_int_equal(tries[0].call.failure->reason, FAILURE_WRITE);
    assert_int_equal(fatal, 1);
    faults.judge = NULL;
    begin(1, "1", ""); /* it does, and is found */
    serve("1", "2\n");
    until(ended_1);
    gives(1, "2\n", 1);
    assert_int_equal(facts().pushed, 1);
    close_queue();
}

static void refuses_a_name_that_is_none(void **state)
{
    char word[] = "queue:work", *words[] = {word, NULL};
    (void)state;
    settings.replies = "";
    assert_null(fn_open(&context, &settings, words, 1, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

#define BOTH(name)                                           \
    cmocka_unit_test_setup_teardown(name, setup, tear_down), \
    {                                                        \
        "later: " #name, name, setup_later, tear_down, NULL  \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(ends_with_the_answer_and_keeps_it_until_it_is_used),
        BOTH(finds_an_answer_that_was_not_used),
        BOTH(gives_one_answer_to_all_who_ask_the_same),
        BOTH(leaves_to_a_call_what_it_asks_while_another_forgets),
        BOTH(ends_with_the_failure_of_the_worker),
        BOTH(withdraws_what_is_not_answered_in_time),
        BOTH(leaves_what_is_cancelled_to_be_asked_again),
        BOTH(reads_answers_that_are_large_together),
        BOTH(asks_no_more_than_so_many_at_once),
        cmocka_unit_test_setup_teardown(fails_when_it_is_not_known_whether_it_asks, setup_later,
                                        tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_name_that_is_none, setup, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
