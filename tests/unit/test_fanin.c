/* test_fanin.c: claims about state/fanin.h, on the embedded store and on the one in memory. */
#include "state/fanin.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "state/dead.h"

#include <setjmp.h>
#include <signal.h>
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

enum { MANY = 64 };

static char folder[64];
static struct err err;
static struct loop *loop;
static struct home *home;
static struct store *store;
static int64_t now, wall;
static bool in_memory;
static uint64_t map; /* bytes that the store begins with; 0: plenty */

static void open_store(void)
{
    struct store_settings settings = {.unsynced = true, .map = map};
    loop = loop_new(&err);
    if (in_memory) {
        store = store_open_memory(loop, NULL);
        return;
    }
    home = home_open(folder, &err);
    store = home ? store_open(home, loop, &settings, &err) : NULL;
    if (!store)
        fail_msg("%s", err.text);
}

static void close_store(void)
{
    store_free(store);
    home_free(home);
    home = NULL;
    loop_free(loop);
}

static int set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/test_fanin.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    now = 1000 * SECOND;
    wall = 1700000000 * SECOND;
    clock_invent(&now, &wall);
    open_store();
    return 0;
}

static int setup(void **state)
{
    (void)state;
    in_memory = false;
    return set_up();
}

static int setup_memory(void **state)
{
    (void)state;
    in_memory = true;
    return set_up();
}

static int teardown(void **state)
{
    (void)state;
    close_store();
    clock_invent(NULL, NULL);
    pid_t child = fork();
    if (child == 0) {
        execlp("rm", "rm", "-rf", folder, (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    return 0;
}

static void advance(int64_t time)
{
    now += time;
    wall += time;
}

/* ---- operations, ended before they return ---- */

static void ended(struct store_op *op)
{
    if (op->status == STORE_NOT_APPLIED)
        fail_msg("%s", op->err->text);
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

static enum group_verdict add_with(struct fanin_add *add, const char *group, const char *value)
{
    add->group = str_of(group);
    add->value = str_of(value);
    SUBMIT(fanin_add, add);
    assert_int_equal(add->own.op.status, STORE_OK);
    return add->verdict;
}

/* A part of so many. */
static enum group_verdict add(const char *group, uint64_t index, uint64_t expected,
                              const char *value)
{
    struct fanin_add part = {.indexed = true, .index = index, .expected = expected};
    return add_with(&part, group, value);
}

/* The next of three. */
static enum group_verdict add_next(const char *group, const char *value)
{
    struct fanin_add part = {.rules.count = 3};
    return add_with(&part, group, value);
}

static struct fanin_take take_with(struct fanin_take take)
{
    take.count = take.count ? take.count : MANY;
    take.bytes = take.bytes ? take.bytes : 1 << 20;
    SUBMIT(fanin_take, &take);
    assert_int_equal(take.own.op.status, STORE_OK);
    return take;
}

static struct fanin_take take_some(unsigned count)
{
    return take_with((struct fanin_take){.count = count});
}

/* "key closing index:value index:value; ..." */
static const char *text_of(const struct fanin_take *take)
{
    static char text[8192];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < take->got; i++) {
        const struct fanin_group *group = &take->groups[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s %s", i ? "; " : "",
                                (int)group->key.len, group->key.data,
                                group_closing_name(group->group.closing));
        for (uint64_t j = 0; j < group->group.parts; j++) {
            const struct fanin_part *part = &group->parts[j];
            struct str value = part->value.data ? part->value : STR("none");
            len += (size_t)snprintf(text + len, sizeof text - len, " %llu:%s%.*s",
                                    (unsigned long long)part->index, part->failed ? "!" : "",
                                    (int)value.len, value.data);
        }
    }
    return text;
}

static enum store_status end_with(const struct fanin_take *take, unsigned which,
                                  struct fanin_end end)
{
    end.token = take->token;
    end.seq = take->groups[which].seq;
    SUBMIT(fanin_end, &end);
    return end.own.op.status;
}

static enum store_status end_one(const struct fanin_take *take, unsigned which)
{
    return end_with(take, which, (struct fanin_end){.remember = 60 * SECOND});
}

static void end_all(struct fanin_take *take)
{
    for (unsigned i = 0; i < take->got; i++)
        assert_int_equal(end_one(take, i), STORE_OK);
    fanin_take_clear(take);
}

/* What can be taken is this, and is ended. */
static void gives(const char *expected)
{
    struct fanin_take take = take_some(MANY);
    assert_string_equal(text_of(&take), expected);
    end_all(&take);
}

static struct fanin_show facts(void)
{
    struct fanin_show show = {0};
    SUBMIT(fanin_show, &show);
    return show;
}

/* ---- groups and their parts ---- */

static void gives_a_group_when_its_last_part_has_come(void **state)
{
    (void)state;
    assert_int_equal(add("g", 2, 3, "{\"c\":1}"), GROUP_TAKEN);
    assert_int_equal(add("g", 0, 3, "1.0"), GROUP_TAKEN);
    gives("");
    struct fanin_add last = {.indexed = true, .index = 1};
    assert_int_equal(add_with(&last, "g", "null"), GROUP_TAKEN);
    assert_int_equal(last.closing, GROUP_COUNT);
    gives("g count 0:1.0 1:null 2:{\"c\":1}");
    gives("");
}

static void keeps_groups_apart(void **state)
{
    (void)state;
    add("b", 0, 2, "1");
    add("a", 0, 2, "2");
    add("", 0, 1, "3");
    add("a", 1, 2, "4");
    add("b", 1, 2, "5");
    gives(" count 0:3; a count 0:2 1:4; b count 0:1 1:5");
}

static void counts_parts_without_places_as_they_come(void **state)
{
    (void)state;
    add_next("g", "3");
    add_next("g", "1");
    add_next("g", "2");
    gives("g count 0:3 1:1 2:2");
}

static void knows_a_part_that_comes_again(void **state)
{
    (void)state;
    add("g", 1, 2, "1");
    assert_int_equal(add("g", 1, 2, "1"), GROUP_DUPLICATE);
    add("g", 0, 2, "0");
    assert_int_equal(add("g", 0, 2, "0"), GROUP_DUPLICATE);
    struct fanin_take take = take_some(1);
    assert_int_equal(add("g", 1, 2, "1"), GROUP_DUPLICATE);
    end_all(&take);
    assert_int_equal(add("g", 0, 2, "0"), GROUP_DUPLICATE);
    assert_int_equal(add("g", 1, 0, "1"), GROUP_DUPLICATE);
    gives("");
}

/* ---- time ---- */

static void closes_what_was_idle_or_open_too_long(void **state)
{
    (void)state;
    struct fanin_add idle = {.rules.idle = 10 * SECOND}, within = {.rules.within = 15 * SECOND};
    add_with(&idle, "i", "1");
    add_with(&within, "w", "1");
    struct fanin_take take = take_some(1);
    assert_int_equal(take.next_due, wall + 10 * SECOND);
    fanin_take_clear(&take);
    advance(9 * SECOND);
    add_with(&idle, "i", "2");
    add_with(&within, "w", "2");
    gives("");
    advance(6 * SECOND);
    gives("w within 0:1 1:2");
    advance(3 * SECOND);
    gives("");
    advance(SECOND);
    gives("i idle 0:1 1:2");
    take = take_some(1);
    assert_int_equal(take.next_due, 0);
    fanin_take_clear(&take);
}

static void closes_what_is_open_when_no_more_can_come(void **state)
{
    (void)state;
    add("b", 1, 3, "1");
    add("a", 0, 2, "2");
    add("c", 0, 1, "3");
    struct fanin_take take = take_with((struct fanin_take){.at_eof = true});
    assert_string_equal(text_of(&take), "c count 0:3; b eof 1:1; a eof 0:2");
    end_all(&take);
    assert_int_equal(facts().open, 0);
    assert_int_equal(facts().remembered, 3);
}

#define ON_DISK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CLAIM(name)                                             \
    ON_DISK(name),                                              \
    {                                                           \
        "in_memory: " #name, name, setup_memory, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(gives_a_group_when_its_last_part_has_come),
        CLAIM(keeps_groups_apart),
        CLAIM(counts_parts_without_places_as_they_come),
        CLAIM(knows_a_part_that_comes_again),
        CLAIM(closes_what_was_idle_or_open_too_long),
        CLAIM(closes_what_is_open_when_no_more_can_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
