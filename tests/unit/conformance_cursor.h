/* conformance_cursor.h: what any store must do with cursors. */
#ifndef FIT_TESTS_CONFORMANCE_CURSOR_H
#define FIT_TESTS_CONFORMANCE_CURSOR_H

#include "conformance_lease.h"
#include "state/cursor.h"

#include <stdio.h>
#include <string.h>

/* The cursor is poll/quakes where none is named. */
#define CURSOR_DO(world, submit, what)                \
    __extension__({                                   \
        struct world_wait wait_ = {.world = (world)}; \
        (what)->own.op.done = world_answered;         \
        (what)->own.op.owner = &wait_;                \
        if (!(what)->own.kind)                        \
            (what)->own.kind = "poll";                \
        if (!(what)->own.name.data)                   \
            (what)->own.name = STR("quakes");         \
        submit((world)->store, (what));               \
        world_await((world), &wait_.done);            \
        (what)->own.op.status;                        \
    })

static struct cursor_open cursor_open_as(struct world *world, cell_holder holder)
{
    struct cursor_open open = {.holder = holder};
    CURSOR_DO(world, cursor_open, &open);
    return open;
}

static uint64_t cursor_token(struct world *world)
{
    struct cursor_open open = cursor_open_as(world, cell_self());
    assert_int_equal(open.own.op.status, STORE_OK);
    assert_true(open.token);
    return open.token;
}

static enum store_status cursor_close_of(struct world *world, uint64_t token)
{
    struct cursor_close close = {.token = token};
    return CURSOR_DO(world, cursor_close, &close);
}

static enum store_status cursor_set(struct world *world, uint64_t token, const char *key,
                                    const char *value)
{
    struct cursor_change change = {.key = str_of(key), .value = str_of(value)};
    struct cursor_move move = {.token = token, .changes = &change, .count = 1};
    return CURSOR_DO(world, cursor_move, &move);
}

static enum store_status cursor_forget_all(struct world *world, struct cursor_forget *forget)
{
    enum store_status first = CURSOR_DO(world, cursor_forget, forget);
    while (forget->more)
        assert_int_equal(CURSOR_DO(world, cursor_forget, forget), STORE_OK);
    return first;
}

/* "a=1 b=2 ", and "+" when there are more. */
static void cursor_reads(struct world *world, struct cursor_read read, const char *expected)
{
    struct buf text = {0};
    read.bytes = read.bytes ? read.bytes : 1 << 20;
    assert_int_equal(CURSOR_DO(world, cursor_read, &read), STORE_OK);
    for (unsigned i = 0; i < read.got; i++) {
        buf_add_str(&text, slice_str(read.records[i].key));
        buf_addc(&text, '=');
        buf_add_str(&text, slice_str(read.records[i].value));
        buf_addc(&text, ' ');
    }
    buf_puts(&text, read.more ? "+" : "");
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
    cursor_read_clear(&read);
}

static void cursor_holds(struct world *world, const char *expected)
{
    cursor_reads(world, (struct cursor_read){.count = 100}, expected);
}

static void see_cursor(void *owner, struct str name, uint64_t records, cell_holder holder)
{
    buf_addf(owner, "%.*s:%llu%s ", name.len > 20 ? 1 : (int)name.len, name.data,
             (unsigned long long)records, holder ? "!" : "");
}

static enum store_status cursor_see(struct world *world, struct str name, struct buf *seen)
{
    struct world_wait wait = {.world = world};
    struct cursor_list list = {.own = {.op = {.done = world_answered, .owner = &wait}}};
    list.own.kind = "poll";
    list.own.name = name;
    list.each = see_cursor;
    list.owner = seen;
    buf_clear(seen);
    cursor_list(world->store, &list);
    world_await(world, &wait.done);
    return list.own.op.status;
}

static void cursors_are(struct world *world, const char *expected)
{
    struct buf seen = {0};
    assert_int_equal(cursor_see(world, (struct str){NULL, 0}, &seen), STORE_OK);
    assert_string_equal(buf_cstr(&seen), expected);
    buf_free(&seen);
}

/* ---- having it ---- */

static void gives_a_cursor_to_one_process_at_a_time(void **state)
{
    struct world *world = *state;
    cell_holder other;
    pid_t pid = sleeper(&other);
    uint64_t token = cursor_token(world);
    struct cursor_open open = cursor_open_as(world, other);
    assert_int_equal(open.own.op.status, STORE_CONFLICT);
    assert_true(open.by == cell_self());
    assert_int_equal(open.token, 0);
    assert_int_equal(cursor_close_of(world, token), STORE_OK);
    assert_int_equal(cursor_close_of(world, token), STORE_LOST);
    open = cursor_open_as(world, other);
    assert_int_equal(open.own.op.status, STORE_OK);
    assert_true(open.token > token);
    open = cursor_open_as(world, cell_self());
    assert_int_equal(open.own.op.status, STORE_CONFLICT);
    assert_true(open.by == other);
    end_sleeper(pid);
    open = cursor_open_as(world, cell_self());
    assert_int_equal(open.own.op.status, STORE_OK);
}

static void keeps_cursors_of_kinds_and_names_apart(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    struct cursor_open other = {.own.kind = "every", .holder = cell_self()};
    assert_int_equal(CURSOR_DO(world, cursor_open, &other), STORE_OK);
    assert_int_equal(cursor_set(world, token, "a", "1"), STORE_OK);
    assert_int_equal(cursor_set(world, other.token, "a", "2"), STORE_LOST);
    cursor_holds(world, "a=1 ");
    cursor_reads(world, (struct cursor_read){.own.kind = "every", .count = 9}, "");
    cursor_reads(world, (struct cursor_read){.own.name = STR("quake"), .count = 9}, "");
    cursors_are(world, "quakes:1! ");
}

static void loses_what_is_done_with_an_old_token(void **state)
{
    struct world *world = *state;
    uint64_t old = cursor_token(world);
    assert_int_equal(cursor_set(world, old, "a", "1"), STORE_OK);
    uint64_t token = cursor_token(world); /* the same process may ask again */
    assert_true(token > old);
    assert_int_equal(cursor_set(world, old, "a", "2"), STORE_LOST);
    assert_int_equal(cursor_set(world, 0, "a", "2"), STORE_LOST);
    assert_int_equal(cursor_close_of(world, old), STORE_LOST);
    struct cursor_forget forget = {.token = old};
    assert_int_equal(cursor_forget_all(world, &forget), STORE_LOST);
    cursor_holds(world, "a=1 ");
    assert_int_equal(cursor_set(world, token, "a", "2"), STORE_OK);
    cursor_holds(world, "a=2 ");
    assert_int_equal(cursor_close_of(world, token), STORE_OK);
    assert_int_equal(cursor_set(world, token, "a", "3"), STORE_LOST);
    assert_int_equal(cursor_close_of(world, 0), STORE_LOST);
}

static void says_whether_a_cursor_has_moved_before(void **state)
{
    struct world *world = *state;
    struct cursor_open open = cursor_open_as(world, cell_self());
    assert_true(open.is_new);
    open = cursor_open_as(world, cell_self());
    assert_true(open.is_new);
    cursor_set(world, open.token, "a", "");
    open = cursor_open_as(world, cell_self());
    assert_false(open.is_new);
    cursor_set(world, open.token, "a", NULL);
    open = cursor_open_as(world, cell_self());
    assert_true(open.is_new);
}

static void makes_no_cursor_before_it_moves(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    cursors_are(world, "quakes:0! ");
    assert_int_equal(cursor_close_of(world, token), STORE_OK);
    cursors_are(world, "");
    struct cursor_forget forget = {.token = 0};
    assert_int_equal(cursor_forget_all(world, &forget), STORE_ABSENT);
    assert_true(cursor_token(world) > token);
}

static void lets_who_has_no_process_be_replaced(void **state)
{
    struct world *world = *state;
    struct cursor_open first = cursor_open_as(world, 0);
    assert_int_equal(cursor_set(world, first.token, "a", "1"), STORE_OK);
    cursors_are(world, "quakes:1 ");
    struct cursor_open next = cursor_open_as(world, cell_self());
    assert_int_equal(next.own.op.status, STORE_OK);
    assert_int_equal(cursor_set(world, first.token, "a", "2"), STORE_LOST);
    cursor_holds(world, "a=1 ");
}

/* ---- moving and reading ---- */

static void moves_any_number_of_records_at_once(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    const struct cursor_change first[] = {{STR("b"), STR("2")},
                                          {STR("a"), STR("1")},
                                          {STR("c"), {NULL, 0}},
                                          {STR(""), STR("none")},
                                          {STR("d"), STR("")}};
    struct cursor_move move = {.token = token, .changes = first, .count = 5};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    cursor_holds(world, "=none a=1 b=2 d= ");
    cursors_are(world, "quakes:4! ");
    const struct cursor_change second[] = {{STR("a"), {NULL, 0}}, {STR("b"), STR("3")},
                                           {STR("e"), STR("5")},  {STR("e"), {NULL, 0}},
                                           {STR("f"), STR("6")},  {STR("f"), STR("7")}};
    move = (struct cursor_move){.token = token, .changes = second, .count = 6};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    cursor_holds(world, "=none b=3 d= f=7 ");
    cursors_are(world, "quakes:4! ");
    move.count = 0;
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    cursor_holds(world, "=none b=3 d= f=7 ");
}

static void reads_from_a_key_and_so_many(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    char longer[CURSOR_KEY + 2] = "b";
    for (const char *key = "abcd"; *key; key++)
        cursor_set(world, token, (const char[]){*key, '\0'}, "123");
    cursor_reads(world, (struct cursor_read){.count = 2}, "a=123 b=123 +");
    cursor_reads(world, (struct cursor_read){.from = STR("b"), .count = 2}, "b=123 c=123 +");
    cursor_reads(world, (struct cursor_read){.from = STR("b"), .beyond = true, .count = 2},
                 "c=123 d=123 ");
    cursor_reads(world, (struct cursor_read){.from = STR("bb"), .count = 1}, "c=123 +");
    cursor_reads(world, (struct cursor_read){.from = STR("e"), .count = 1}, "");
    cursor_reads(world, (struct cursor_read){.count = 0}, "+");
    cursor_reads(world, (struct cursor_read){.count = 9, .bytes = 5}, "a=123 b=123 +");
    cursor_reads(world, (struct cursor_read){.count = 9, .bytes = 1}, "a=123 +");
    memset(longer, 'b', sizeof longer - 1);
    cursor_reads(world, (struct cursor_read){.from = str_of(longer), .count = 1}, "c=123 +");
    longer[sizeof longer - 2] = '\0';
    cursor_set(world, token, longer, "x");
    longer[sizeof longer - 2] = 'b';
    cursor_reads(world, (struct cursor_read){.from = str_of(longer), .count = 1}, "c=123 +");
}

static void keeps_any_bytes(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    struct buf value = {0};
    char key[CURSOR_KEY];
    for (int i = 0; i < 300000; i++)
        buf_addc(&value, (char)((unsigned)i * (unsigned)i >> 3));
    memset(key, 0, sizeof key);
    const struct cursor_change changes[] = {{{key, sizeof key}, buf_str(&value)},
                                            {STR("\xff\0\n"), STR("\0\n")}};
    struct cursor_move move = {.token = token, .changes = changes, .count = 2};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    struct cursor_read read = {.count = 10, .bytes = SIZE_MAX};
    assert_int_equal(CURSOR_DO(world, cursor_read, &read), STORE_OK);
    assert_int_equal(read.got, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(str_eq(slice_str(read.records[i].key), changes[i].key));
        assert_true(str_eq(slice_str(read.records[i].value), changes[i].value));
    }
    cursor_read_clear(&read);
    buf_free(&value);
}

static void refuses_what_is_too_long(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    char key[CURSOR_KEY + 1];
    memset(key, 'k', sizeof key);
    struct cursor_change changes[] = {{STR("a"), STR("1")}, {{key, sizeof key}, STR("2")}};
    struct cursor_move move = {.token = token, .changes = changes, .count = 2};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_NOT_APPLIED);
    char *value = mem_zalloc(STORE_VALUE_MAX + 1);
    changes[1] = (struct cursor_change){STR("b"), {value, STORE_VALUE_MAX + 1}};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_NOT_APPLIED);
    free(value);
    cursor_holds(world, "");
}

static void reads_on_over_many_records(void **state)
{
    enum { MANY = 10000 };
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    struct cursor_change *changes = mem_array(MANY, sizeof *changes);
    char(*keys)[16] = mem_array(MANY, sizeof *keys);
    for (int i = 0; i < MANY; i++) {
        int at = (int)((long long)i * 7919 % MANY);
        snprintf(keys[i], sizeof *keys, "%05d", at);
        changes[i] = (struct cursor_change){str_of(keys[i]), str_of(keys[i])};
    }
    struct cursor_move move = {.token = token, .changes = changes, .count = MANY};
    assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    struct cursor_read read = {.count = UINT32_MAX, .bytes = SIZE_MAX};
    char last[16];
    int seen = 0;
    do {
        assert_int_equal(CURSOR_DO(world, cursor_read, &read), STORE_OK);
        assert_true(read.got <= CURSOR_READ_MAX);
        for (unsigned i = 0; i < read.got; i++, seen++) {
            snprintf(last, sizeof last, "%05d", seen);
            assert_true(str_eq(slice_str(read.records[i].key), str_of(last)));
            assert_true(str_eq(slice_str(read.records[i].value), str_of(last)));
        }
        read.from = str_of(last);
        read.beyond = true;
    } while (read.more);
    assert_int_equal(seen, MANY);
    cursor_read_clear(&read);
    free(changes);
    free(keys);
}

/* ---- listing and forgetting ---- */

static void lists_the_cursors_of_a_kind(void **state)
{
    struct world *world = *state;
    struct buf seen = {0};
    char name[HOME_NAME + 1] = "";
    memset(name, 'z', sizeof name - 1);
    const char *const names[] = {"b", "a", "../x", name};
    for (int i = 0; i < 4; i++) {
        struct cursor_open open = {.own.name = str_of(names[i]),
                                   .holder = i == 1 ? cell_self() : 0};
        const struct cursor_change changes[] = {{STR("1"), STR("1")}, {STR("2"), STR("2")}};
        assert_int_equal(CURSOR_DO(world, cursor_open, &open), STORE_OK);
        struct cursor_move move = {.own.name = str_of(names[i]),
                                   .token = open.token,
                                   .changes = changes,
                                   .count = 1 + (size_t)i % 2};
        assert_int_equal(CURSOR_DO(world, cursor_move, &move), STORE_OK);
    }
    cursors_are(world, "z:2 ../x:1 a:2! b:1 ");
    assert_int_equal(cursor_see(world, STR("b"), &seen), STORE_OK);
    assert_string_equal(buf_cstr(&seen), "b:1 ");
    assert_int_equal(cursor_see(world, STR("c"), &seen), STORE_ABSENT);
    buf_free(&seen);
}

static void forgets_all_records_at_once(void **state)
{
    struct world *world = *state;
    struct cursor_forget forget = {.token = 0};
    assert_int_equal(cursor_forget_all(world, &forget), STORE_ABSENT);
    uint64_t token = cursor_token(world);
    cursor_set(world, token, "a", "1");
    cursor_close_of(world, token);
    assert_int_equal(cursor_forget_all(world, &forget), STORE_OK);
    cursor_holds(world, "");
    cursors_are(world, "");
    assert_int_equal(cursor_forget_all(world, &forget), STORE_ABSENT);
    struct cursor_open open = cursor_open_as(world, cell_self());
    assert_true(open.is_new);
    assert_true(open.token > token);
}

static void forgets_for_nobody_but_who_has_it(void **state)
{
    struct world *world = *state;
    uint64_t token = cursor_token(world);
    cursor_set(world, token, "a", "1");
    struct cursor_forget forget = {.token = 0};
    assert_int_equal(cursor_forget_all(world, &forget), STORE_CONFLICT);
    assert_true(forget.by == cell_self());
    cursor_holds(world, "a=1 ");
    forget = (struct cursor_forget){.token = token};
    assert_int_equal(cursor_forget_all(world, &forget), STORE_OK);
    cursor_holds(world, "");
    assert_int_equal(cursor_set(world, token, "b", "2"), STORE_OK);
    cursor_holds(world, "b=2 ");
    cursors_are(world, "quakes:1! ");
}

static const struct claim cursor_claims[] = {
    CLAIM(gives_a_cursor_to_one_process_at_a_time),
    CLAIM(keeps_cursors_of_kinds_and_names_apart),
    CLAIM(loses_what_is_done_with_an_old_token),
    CLAIM(says_whether_a_cursor_has_moved_before),
    CLAIM(makes_no_cursor_before_it_moves),
    CLAIM(lets_who_has_no_process_be_replaced),
    CLAIM(moves_any_number_of_records_at_once),
    CLAIM(reads_from_a_key_and_so_many),
    CLAIM(keeps_any_bytes),
    CLAIM(refuses_what_is_too_long),
    CLAIM(reads_on_over_many_records),
    CLAIM(lists_the_cursors_of_a_kind),
    CLAIM(forgets_all_records_at_once),
    CLAIM(forgets_for_nobody_but_who_has_it),
    {0},
};

#endif
