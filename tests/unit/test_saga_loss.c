/* test_saga_loss.c: a failure keeps what was undone of its event, also through the ledger. */
#include "engine/saga_loss.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A call of that stage that has failed. */
static struct saga_loss *lose(struct saga *saga, unsigned stage, const char *event)
{
    struct chain_job own = {0};
    struct strand called = {.list = &own.list, .stage = stage, .path = stage + UINT64_C(100)};
    called.call.event = slice_dup(str_of(event));
    struct failure *failure = failure_new(FAILURE_EXIT, FAILURE_ORDINARY, "exit status 3");
    failure->exit = 3;
    struct saga_loss *loss = saga_loss_new(saga, &called, failure);
    slice_drop(&called.call.event);
    return loss;
}

static void check_text(struct str got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.data, expected, got.len);
}

static void undo(struct saga_loss *loss, unsigned stage, const char *event)
{
    struct slice again = slice_dup(str_of(event));
    saga_loss_add_undone(loss, stage, stage + UINT64_C(200), &again);
    assert_null(again.data);
}

static void goes_on_at_the_failed_call_when_nothing_was_undone(void **state)
{
    (void)state;
    struct saga saga = {0};
    char scope[STRAND_SCOPE], expected[STRAND_SCOPE];
    struct saga_loss *loss = lose(&saga, 3, "{}");
    struct letter_way way = saga_loss_way(loss, scope);
    strand_scope(3, 103, expected);
    check_text(way.scope, expected);
    assert_int_equal(way.undone.len + way.left.len + way.again.len, 0);
    saga_loss_free(loss);
    block_drop_kept();
}

static void begins_again_in_the_next_round_of_what_was_undone_last(void **state)
{
    (void)state;
    struct saga saga = {0};
    char scope[STRAND_SCOPE], expected[STRAND_SCOPE];
    struct saga_loss *loss = lose(&saga, 3, "{}");
    undo(loss, 1, "[1]");
    undo(loss, 0, "[0]");
    struct letter_way way = saga_loss_way(loss, scope);
    strand_scope(0, strand_next_round(200), expected);
    check_text(way.scope, expected);
    check_text(way.undone, "2,1");
    check_text(way.again, "[0]");
    saga_loss_free(loss);
    block_drop_kept();
}

static void does_not_go_on_while_a_stage_is_still_to_be_undone(void **state)
{
    (void)state;
    struct saga saga = {0};
    char scope[STRAND_SCOPE];
    struct saga_loss *loss = lose(&saga, 3, "{}");
    undo(loss, 2, "[2]");
    saga_loss_add_left(loss, 1);
    saga_loss_add_left(loss, 0);
    struct letter_way way = saga_loss_way(loss, scope);
    check_text(way.undone, "3");
    check_text(way.left, "2,1");
    assert_int_equal(way.scope.len + way.again.len, 0);
    saga_loss_free(loss);
    block_drop_kept();
}

static void joins_what_is_undone_together(void **state)
{
    (void)state;
    struct saga saga = {0};
    struct saga_loss *first = lose(&saga, 2, "1"), *second = lose(&saga, 3, "2"),
                     *third = lose(&saga, 3, "3");
    undo(second, 2, "2");
    undo(third, 2, "3");
    saga_loss_add_left(third, 1);
    first->next = second;
    second->next = third;
    struct saga_loss *one = saga_loss_join_take(first);
    assert_ptr_equal(one, first);
    assert_int_equal(one->others, 2);
    check_text(buf_str(&one->undone), "3,3");
    check_text(buf_str(&one->left), "2");
    assert_int_equal(saga.held, one->held);
    saga_loss_free(one);
    block_drop_kept();
}

static void is_the_same_when_it_was_recorded(void **state)
{
    (void)state;
    struct saga saga = {0};
    struct chain_job own = {0};
    struct buf text = {0}, before = {0}, after = {0};
    struct saga_loss *loss = lose(&saga, 3, "{\"a\" : \"x\\n\"}");
    buf_puts(&loss->failure->errors, "two\nlines\n");
    undo(loss, 2, "[2]");
    loss->others = 5;
    saga_loss_write(loss, &text);
    struct saga_loss *read = saga_loss_read(&saga, &own, buf_str(&text));
    check_text(slice_str(read->event), "{\"a\" : \"x\\n\"}");
    check_text(buf_str(&read->undone), "3");
    assert_int_equal(read->others, 5);
    deadletter_failure(&before, loss->failure);
    deadletter_failure(&after, read->failure);
    check_text(buf_str(&after), buf_cstr(&before));
    assert_non_null(strstr(buf_cstr(&after), "\"stage\":4"));
    saga_loss_free(loss);
    saga_loss_free(read);
    buf_free(&text);
    buf_free(&before);
    buf_free(&after);
    block_drop_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_at_the_failed_call_when_nothing_was_undone),
        cmocka_unit_test(begins_again_in_the_next_round_of_what_was_undone_last),
        cmocka_unit_test(does_not_go_on_while_a_stage_is_still_to_be_undone),
        cmocka_unit_test(joins_what_is_undone_together),
        cmocka_unit_test(is_the_same_when_it_was_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
