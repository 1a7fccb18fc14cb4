/* test_fanin_again.c: claims about state/fanin.h: groups that come again: keys that are renewed or
 * forgotten, and what a process has left that is gone. */
#include "state/fanin.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static struct loop *loop;
static struct store *store;
static cell_holder gone; /* a process that has ended */

static int setup(void **state)
{
    (void)state;
    struct err err;
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        cell_holder self = cell_self();
        _exit(write(ends[1], &self, sizeof self) != (ssize_t)sizeof self);
    }
    if (read(ends[0], &gone, sizeof gone) != (ssize_t)sizeof gone)
        return -1;
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    loop = loop_new(&err);
    store = store_open_memory(loop, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_free(store);
    loop_free(loop);
    return 0;
}

/* ---- operations, ended before they return ---- */

static void ended(struct store_op *op)
{
    assert_int_equal(op->status, STORE_OK);
    *(bool *)op->owner = true;
}

#define SUBMIT(verb, what)               \
    do {                                 \
        bool is_done = false;            \
        (what)->own.op.done = ended;     \
        (what)->own.op.owner = &is_done; \
        (what)->own.name = STR("parts"); \
        verb(store, what);               \
        store_flush(store);              \
        assert_true(is_done);            \
    } while (0)

/* A whole group. */
static enum group_verdict add(const char *key, bool renews)
{
    struct fanin_add part = {.group = str_of(key),
                             .indexed = true,
                             .expected = 1,
                             .value = str_of(key),
                             .renews = renews};
    SUBMIT(fanin_add, &part);
    return part.verdict;
}

static void add_many(int from, int to)
{
    char key[16];
    for (int i = from; i <= to; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(add(key, false), GROUP_TAKEN);
    }
}

static struct fanin_take take_as(cell_holder holder, unsigned count, const char *note)
{
    struct fanin_take take = {
        .count = count, .bytes = 1 << 20, .holder = holder, .note = str_of(note)};
    SUBMIT(fanin_take, &take);
    return take;
}

/* "key (note) key ..." */
static const char *text_of(const struct fanin_take *take)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < take->got; i++) {
        const struct fanin_group *group = &take->groups[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", i ? " " : "",
                                (int)group->key.len, group->key.data);
        if (group->note.data)
            len += (size_t)snprintf(text + len, sizeof text - len, "(%.*s)", (int)group->note.len,
                                    group->note.data);
    }
    return text;
}

static void end(const struct fanin_take *take, unsigned which, struct fanin_end end)
{
    end.token = take->token;
    end.seq = take->groups[which].seq;
    SUBMIT(fanin_end, &end);
}

static void leave(struct fanin_take take)
{
    fanin_take_clear(&take);
}

/* ---- claims ---- */

static void begins_a_group_anew_where_the_last_has_closed(void **state)
{
    (void)state;
    assert_int_equal(add("1", true), GROUP_TAKEN);
    assert_int_equal(add("1", false), GROUP_DUPLICATE);
    assert_int_equal(add("1", true), GROUP_TAKEN);
    struct fanin_take first = take_as(0, 1, NULL), second = take_as(0, 1, NULL);
    assert_string_equal(text_of(&first), "1");
    assert_string_equal(text_of(&second), "1");
    assert_int_not_equal(first.groups[0].seq, second.groups[0].seq);
    /* the end of the older one says nothing of the newer */
    end(&first, 0, (struct fanin_end){.remember = 0});
    assert_int_equal(add("1", false), GROUP_DUPLICATE);
    end(&second, 0, (struct fanin_end){.remember = 60 * SECOND});
    assert_int_equal(add("1", false), GROUP_DUPLICATE);
    assert_int_equal(add("1", true), GROUP_DUPLICATE); /* remembered: it was asked for */
    leave(first);
    leave(second);
}

static void ends_the_newer_of_two_before_the_older(void **state)
{
    (void)state;
    add("1", true);
    add("1", true);
    struct fanin_take both = take_as(0, 2, NULL);
    end(&both, 1, (struct fanin_end){.remember = 0});
    end(&both, 0, (struct fanin_end){.remember = 60 * SECOND});
    assert_int_equal(add("1", false), GROUP_TAKEN); /* nothing was left of either */
    leave(both);
}

static void remembers_at_most_so_many(void **state)
{
    (void)state;
    add_many(1, 5);
    struct fanin_take take = take_as(0, 5, NULL);
    for (unsigned i = 0; i < 5; i++)
        end(&take, i, (struct fanin_end){.remember = 60 * SECOND, .most = 2});
    struct fanin_show show = {0};
    SUBMIT(fanin_show, &show);
    assert_int_equal(show.remembered, 2);
    assert_int_equal(add("5", false), GROUP_DUPLICATE);
    assert_int_equal(add("4", false), GROUP_DUPLICATE);
    assert_int_equal(add("3", false), GROUP_TAKEN);
    leave(take);
}

static void hands_over_whole_what_a_process_has_left(void **state)
{
    (void)state;
    add_many(1, 6);
    leave(take_as(gone, 4, "a"));
    struct fanin_take take = take_as(cell_self(), 1, NULL);
    assert_string_equal(text_of(&take), "1(a) 2(a) 3(a) 4(a)");
    assert_true(take.more);
    struct fanin_take rest = take_as(cell_self(), 9, NULL);
    assert_string_equal(text_of(&rest), "5 6");
    leave(take);
    leave(rest);
}

static void hands_over_apart_what_two_have_left(void **state)
{
    (void)state;
    add_many(1, 3);
    struct fanin_take first = take_as(cell_self(), 1, NULL);
    leave(take_as(gone, 1, "b"));
    end(&first, 0, (struct fanin_end){.given_back = true});
    leave(take_as(gone, 9, "a"));
    struct fanin_take take = take_as(cell_self(), 9, NULL);
    assert_string_equal(text_of(&take), "2(b)"); /* it was taken first */
    struct fanin_take rest = take_as(cell_self(), 9, NULL);
    assert_string_equal(text_of(&rest), "1(a) 3(a)");
    leave(first);
    leave(take);
    leave(rest);
}

static void forgets_the_notes_of_what_is_given_back(void **state)
{
    (void)state;
    add_many(1, 2);
    leave(take_as(gone, 2, "a"));
    struct fanin_take take = take_as(cell_self(), 2, NULL);
    end(&take, 1, (struct fanin_end){.given_back = true});
    end(&take, 0, (struct fanin_end){.remember = SECOND});
    struct fanin_take again = take_as(cell_self(), 2, NULL);
    assert_string_equal(text_of(&again), "2");
    leave(take);
    leave(again);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(begins_a_group_anew_where_the_last_has_closed),
        CLAIM(ends_the_newer_of_two_before_the_older),
        CLAIM(remembers_at_most_so_many),
        CLAIM(hands_over_whole_what_a_process_has_left),
        CLAIM(hands_over_apart_what_two_have_left),
        CLAIM(forgets_the_notes_of_what_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
