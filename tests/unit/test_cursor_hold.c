/* test_cursor_hold.c: claims about engine/cursor_hold.h, on stores that answer at once and on ones
 * that answer later. */
#include "engine/cursor_hold.h"

#include "source_world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned settled;

static enum store_status judge(void *owner, const struct store_op *op, bool *applied)
{
    const struct cursor_op *own = (const struct cursor_op *)(const void *)op;
    (void)owner;
    *applied = false;
    return op->kind == STORE_CURSOR && own->verb == CURSOR_MOVE ? wrong : STORE_OK;
}

static int setup(void **state)
{
    world_make(state, "poll", judge);
    settled = 0;
    return 0;
}

static int teardown(void **state)
{
    return world_remove(state);
}

static void has_settled(void *owner)
{
    (void)owner;
    settled++;
}

static struct cursor_hold a_hold(void)
{
    return (struct cursor_hold){.store = store,
                                .kind = "poll",
                                .name = STR("quakes"),
                                .settled = has_settled,
                                .failed = has_failed};
}

/* value NULL: the record goes. */
static void move(struct cursor_hold *hold, const char *key, const char *value)
{
    char own_key[16], own_value[16];
    snprintf(own_key, sizeof own_key, "%s", key);
    snprintf(own_value, sizeof own_value, "%s", value ? value : "");
    struct cursor_change change = {str_of(own_key), str_of(value ? own_value : NULL)};
    cursor_hold_move(hold, &change, 1);
    own_key[0] = own_value[0] = '!'; /* they were copied */
}

static void add_record(void *owner, const struct cursor_record *record)
{
    buf_add_str(owner, slice_str(record->key));
    buf_addc(owner, '=');
    buf_add_str(owner, slice_str(record->value));
    buf_addc(owner, ' ');
}

static void reads(struct cursor_hold *hold, const char *expected)
{
    struct buf text = {0};
    assert_int_equal(cursor_hold_read(hold, add_record, &text), 0);
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
}

static void moves_what_it_has_and_gives_it_back(void **state)
{
    struct cursor_hold hold = a_hold();
    (void)state;
    assert_int_equal(cursor_hold_open(&hold), 1);
    assert_true(hold.is_new);
    move(&hold, "a", "1");
    move(&hold, "b", "2");
    move(&hold, "a", NULL);
    move(&hold, "c", "");
    assert_false(cursor_hold_is_idle(&hold));
    cursor_hold_close(&hold);
    cursor_hold_close(&hold);
    move(&hold, "d", "4"); /* too late */
    store_flush(store);
    assert_true(cursor_hold_is_idle(&hold));
    assert_int_equal(settled, 1);
    hold = a_hold();
    assert_int_equal(cursor_hold_open(&hold), 1);
    assert_false(hold.is_new);
    reads(&hold, "b=2 c= ");
    assert_string_equal(buf_cstr(&said), "");
    assert_string_equal(buf_cstr(&failed), "");
}

static void count_record(void *owner, const struct cursor_record *record)
{
    (void)record;
    ++*(unsigned *)owner;
}

static void reads_more_than_one_read_gives(void **state)
{
    struct cursor_hold hold = a_hold();
    unsigned seen = 0, all = 2 * CURSOR_READ_MAX + 1;
    char key[16];
    (void)state;
    assert_int_equal(cursor_hold_open(&hold), 1);
    for (unsigned i = 0; i < all; i++) {
        snprintf(key, sizeof key, "%u", i);
        move(&hold, key, key);
    }
    store_flush(store);
    assert_int_equal(cursor_hold_read(&hold, count_record, &seen), 0);
    assert_int_equal(seen, all);
}

/* Another process opens it and waits to be killed. */
static pid_t taken_by_another(cell_holder *holder)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        *holder = cell_self();
        if (write(ends[1], holder, sizeof *holder) == sizeof *holder)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ends[0], holder, sizeof *holder), sizeof *holder);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

static void done(struct store_op *op)
{
    (void)op;
}

static void says_who_has_it_instead(void **state)
{
    struct cursor_hold hold = a_hold();
    struct cursor_open open = {.own.op.done = done, .own.kind = "poll", .own.name = STR("quakes")};
    char expected[64];
    pid_t pid = taken_by_another(&open.holder);
    (void)state;
    cursor_open(store, &open);
    store_flush(store);
    assert_int_equal(open.own.op.status, STORE_OK);
    assert_int_equal(cursor_hold_open(&hold), 0);
    assert_true(hold.by == open.holder);
    snprintf(expected, sizeof expected, "poll: quakes: process %ld has it\n", (long)pid);
    assert_string_equal(buf_cstr(&said), expected);
    move(&hold, "a", "1");
    cursor_hold_close(&hold);
    assert_true(cursor_hold_is_idle(&hold));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(cursor_hold_open(&hold), 1);
    assert_true(hold.is_new);
}

static void tells_once_that_a_move_failed_and_moves_no_more(void **state)
{
    struct cursor_hold hold = a_hold();
    (void)state;
    assert_int_equal(cursor_hold_open(&hold), 1);
    move(&hold, "a", "1");
    store_flush(store);
    wrong = STORE_NOT_APPLIED;
    move(&hold, "a", "2");
    move(&hold, "b", "2");
    store_flush(store);
    wrong = STORE_OK;
    move(&hold, "a", "3");
    store_flush(store);
    assert_string_equal(buf_cstr(&failed),
                        "quakes: keep how far it is: not applied: the connection was lost\n");
    assert_true(cursor_hold_is_idle(&hold));
    reads(&hold, "a=1 ");
    cursor_hold_close(&hold);
    store_flush(store);
    assert_true(cursor_hold_is_idle(&hold));
}

static void tells_when_another_has_taken_it(void **state)
{
    struct cursor_hold hold = a_hold(), other = a_hold();
    (void)state;
    assert_int_equal(cursor_hold_open(&hold), 1);
    assert_int_equal(cursor_hold_open(&other), 1);
    move(&hold, "a", "1");
    store_flush(store);
    assert_string_equal(buf_cstr(&failed),
                        "quakes: another process has it now, or it was removed\n");
    cursor_hold_close(&hold);
    move(&other, "a", "2");
    store_flush(store);
    reads(&other, "a=2 ");
    assert_true(cursor_hold_is_idle(&hold) && cursor_hold_is_idle(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(moves_what_it_has_and_gives_it_back),
        BOTH(reads_more_than_one_read_gives),
        BOTH(says_who_has_it_instead),
        BOTH(tells_once_that_a_move_failed_and_moves_no_more),
        BOTH(tells_when_another_has_taken_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
