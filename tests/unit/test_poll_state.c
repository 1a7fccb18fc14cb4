/* test_poll_state.c: claims about engine/poll_state.h and engine/poll_record.h. */
#include "engine/poll_state.h"

#include "base/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct loop *loop;
static struct store *store;
static struct err err;
static struct poll_form form;
static struct poll_state poll;
static struct poll_list list;

static void settled(void *owner)
{
    (void)owner;
}

static void failed(void *owner, const struct err *why)
{
    (void)owner;
    fail_msg("%s", why->text);
}

static void close_state(void)
{
    cursor_hold_close(&poll.hold);
    store_flush(store);
    poll_state_free(&poll);
}

/* As a process that begins, on what the one before has left. */
static int open_state(const char *key, const char *check, bool keeps_unseen)
{
    poll_form_free(&form);
    assert_int_equal(poll_form_init(&form, ".", key, NULL, &err), 0);
    poll = (struct poll_state){
        .hold = {.store = store,
                 .kind = "poll",
                 .name = STR("n"),
                 .settled = settled,
                 .failed = failed},
        .form = &form,
        .made_of = {.check = check, .items = ".", .key = key},
        .keeps_unseen = keeps_unseen,
    };
    return poll_state_open(&poll, &err);
}

static void reopen(void)
{
    close_state();
    assert_int_equal(open_state(".k", "c", false), 1);
}

static int setup(void **state)
{
    (void)state;
    msg_init("poll");
    loop = loop_new(&err);
    store = store_open_memory(loop, NULL);
    list = (struct poll_list){0};
    return open_state(".k", "c", false) == 1 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    close_state();
    poll_list_clear(&list);
    poll_form_free(&form);
    store_free(store);
    loop_free(loop);
    block_drop_kept();
    return 0;
}

static void look(const char *value)
{
    poll_list_clear(&list);
    assert_int_equal(poll_list_read(&list, &form, slice_dup(str_of(value)), &err), 0);
}

/* "c2 u1 d0": the kinds, and the places in the list or, of deleted ones, nothing. */
static void expect(const char *wanted)
{
    struct buf found = {0};
    size_t count;
    struct poll_change *changes = poll_state_diff(&poll, &list, &count);
    for (size_t i = 0; i < count; i++) {
        buf_puts(&found, i ? " " : "");
        if (changes[i].kind == CHANGE_DELETED)
            buf_addc(&found, 'd');
        else
            buf_addf(&found, "%c%zu", "cu"[changes[i].kind == CHANGE_UPDATED], changes[i].after);
    }
    assert_string_equal(buf_cstr(&found), wanted);
    buf_free(&found);
    free(changes);
}

/* Hand on the changes of a look whose places in the order are in the mask; their identities. */
static void hand_on(unsigned mask, char ids[][HASH_TEXT])
{
    size_t count;
    struct poll_change *changes = poll_state_diff(&poll, &list, &count);
    for (size_t i = 0; i < count && ids; i++)
        poll_state_identify(&poll, &list, &changes[i], ids[i]);
    for (size_t i = 0; i < count; i++) {
        if (mask & 1U << i)
            poll_state_settle(&poll, &list, &changes[i]);
    }
    free(changes);
}

static void knows_what_was_handed_on_also_after_a_restart(void **state)
{
    (void)state;
    assert_true(poll.is_new);
    look("[{\"k\":1},{\"k\":2},{\"k\":3}]");
    poll_state_begin(&poll, &list);
    expect("");
    look("[{\"k\":1,\"v\":1},{\"k\":4},{\"k\":3}]");
    expect("u0 c1 d");
    hand_on(2, NULL);
    expect("u0 d");
    reopen();
    assert_false(poll.is_new);
    expect("u0 d");
    hand_on(3, NULL);
    expect("");
    reopen();
    expect("");
    poll_state_finish(&poll, POLL_FORGET_NOTHING);
    reopen();
    expect("");
    assert_int_equal(poll.count, 3);
}

static void a_change_keeps_its_identity_until_it_is_handed_on(void **state)
{
    (void)state;
    char first[4][HASH_TEXT], again[4][HASH_TEXT];
    look("[{\"k\":1},{\"k\":2}]");
    poll_state_begin(&poll, &list);
    look("[{\"k\":1,\"v\":1},{\"k\":3}]");
    hand_on(0, first);
    hand_on(1, again);
    for (unsigned i = 0; i < 3; i++)
        assert_string_equal(first[i], again[i]);
    reopen();
    hand_on(0, again);
    assert_string_equal(first[1], again[0]);
    assert_string_equal(first[2], again[1]);
}

static void the_same_that_happens_anew_has_another_identity(void **state)
{
    (void)state;
    char seen[6][HASH_TEXT];
    look("[]");
    poll_state_begin(&poll, &list);
    /* Another change is never handed on, so no look is over. */
    for (unsigned i = 0; i < 6; i += 2) {
        char ids[2][HASH_TEXT];
        look("[{\"k\":1},{\"k\":9}]");
        hand_on(1, ids);
        snprintf(seen[i], HASH_TEXT, "%s", ids[0]);
        if (i == 2)
            reopen();
        look("[]");
        hand_on(1, ids);
        snprintf(seen[i + 1], HASH_TEXT, "%s", ids[0]);
        if (i == 0)
            reopen();
    }
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
    assert_int_equal(poll.count, 1);
    poll_state_finish(&poll, POLL_FORGET_NOTHING);
    assert_int_equal(poll.count, 0);
    reopen();
    assert_int_equal(poll.count, 0);
}

static void forgets_with_a_cursor_what_is_no_more_given(void **state)
{
    (void)state;
    close_state();
    assert_int_equal(open_state(".k", "c", true), 1);
    look("[{\"k\":1},{\"k\":2}]");
    poll_state_begin(&poll, &list);
    look("[{\"k\":2},{\"k\":3}]");
    expect("c1");
    hand_on(1, NULL);
    buf_puts(&poll.head.cursor, "\"here\"");
    poll_state_finish(&poll, POLL_FORGET_UNSEEN);
    assert_int_equal(poll.count, 2);
    close_state();
    assert_int_equal(open_state(".k", "c", true), 1);
    assert_string_equal(buf_cstr(&poll.head.cursor), "\"here\"");
    look("[{\"k\":1},{\"k\":2}]");
    expect("c0");
    poll_state_finish(&poll, POLL_FORGET_ALL);
    expect("c0 c1");
}

static void keeps_validators_of_the_same_check_only(void **state)
{
    (void)state;
    look("[]");
    poll.head.validators.etag = strdup("\"1\"");
    poll.head.success = 5;
    poll_state_begin(&poll, &list);
    reopen();
    assert_string_equal(poll.head.validators.etag, "\"1\"");
    assert_null(poll.head.validators.modified);
    assert_int_equal(poll.head.success, 5);
    close_state();
    assert_int_equal(open_state(".k", "another", false), 1);
    assert_null(poll.head.validators.etag);
    assert_int_equal(poll.head.success, 5);
}

static void begins_anew_with_another_key_once_that_has_looked(void **state)
{
    (void)state;
    look("[{\"k\":1,\"l\":2}]");
    poll_state_begin(&poll, &list);
    close_state();
    assert_int_equal(open_state(".l", "c", false), 1);
    assert_true(poll.restarts && poll.is_new);
    reopen(); /* nothing has been lost by that */
    assert_false(poll.restarts || poll.is_new);
    look("[{\"k\":1,\"l\":2}]");
    expect("");
    close_state();
    assert_int_equal(open_state(".l", "c", false), 1);
    look("[{\"k\":1,\"l\":3}]");
    poll_state_begin(&poll, &list);
    expect("");
    assert_int_equal(poll.count, 1);
    close_state();
    assert_int_equal(open_state(".l", "c", false), 1);
    assert_false(poll.restarts);
    assert_int_equal(poll.count, 1);
}

static void refuses_records_that_are_damaged(void **state)
{
    (void)state;
    static const struct cursor_change damages[] = {
        {STR("x"), STR("{\"at\":1}")},
        {STR("i0123456789abcdef0123456789abcdef"), STR("[]")},
        {STR("i0123456789abcdef0123456789abcdef"), STR("{\"at\":1,")},
        {STR("i0123456789abcdef0123456789abcde"), STR("{\"at\":1}")},
        {STR("i0123456789abcdef0123456789abcdef"), STR("{\"at\":1,\"value\":1}")},
        {STR("i0123456789abcdef0123456789abcdef"), STR("{\"at\":1,\"hash\":\"z\",\"value\":1}")},
    };
    look("[]");
    poll_state_begin(&poll, &list);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const struct cursor_change mended = {damages[i].key, {NULL, 0}};
        cursor_hold_move(&poll.hold, &damages[i], 1);
        close_state();
        assert_int_equal(open_state(".k", "c", false), -1);
        assert_true(strstr(err.text, "damaged") != NULL);
        cursor_hold_move(&poll.hold, &mended, 1);
        reopen();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_what_was_handed_on_also_after_a_restart, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_change_keeps_its_identity_until_it_is_handed_on, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_same_that_happens_anew_has_another_identity, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(forgets_with_a_cursor_what_is_no_more_given, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keeps_validators_of_the_same_check_only, setup, teardown),
        cmocka_unit_test_setup_teardown(begins_anew_with_another_key_once_that_has_looked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refuses_records_that_are_damaged, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
