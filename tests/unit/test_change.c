/* test_change.c: claims about what has changed between two looks, and when to look again. */
#include "pattern/change.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the differences of two lists ---- */

enum { ITEMS = 64 };

/* A list in words of two characters: a key and a value, "a1 b2". */
static size_t read_items(const char *text, struct change_item items[ITEMS])
{
    size_t count = 0;
    for (; text[0]; text += text[2] ? 3 : 2)
        items[count++] =
            (struct change_item){{.low = (uint64_t)text[0]}, {.high = (uint64_t)text[1]}};
    return count;
}

static void differ(const char *before, const char *after, const char *expected)
{
    struct change_item old[ITEMS], new[ITEMS];
    struct change changes[2 * ITEMS];
    struct buf text = {0};
    size_t count = change_diff(old, read_items(before, old), new, read_items(after, new), changes);
    for (size_t i = 0; i < count; i++) {
        const struct change *one = &changes[i];
        if (one->kind == CHANGE_CREATED)
            buf_addf(&text, "+%zu ", one->after);
        else if (one->kind == CHANGE_UPDATED)
            buf_addf(&text, "%zu:%zu ", one->before, one->after);
        else
            buf_addf(&text, "-%zu ", one->before);
    }
    assert_string_equal(buf_cstr(&text), expected);
    buf_free(&text);
}

static void tells_what_came_what_changed_and_what_went(void **state)
{
    (void)state;
    differ("", "", "");
    differ("", "a1 b2", "+0 +1 ");
    differ("a1 b2", "", "-0 -1 ");
    differ("a1 b2", "a1 b2", "");
    differ("a1 b2 c3", "a1 b3 d4", "1:1 +2 -2 ");
    differ("a1 b2 c3", "d4 c9 a1", "+0 2:1 -1 ");
    differ("a1 b2 c3", "x1 y1 z1", "+0 +1 +2 -0 -1 -2 ");
}

static void takes_another_order_for_no_change(void **state)
{
    (void)state;
    differ("a1 b2 c3 d4", "d4 b2 a1 c3", "");
    differ("a1 b2 c3 d4", "d4 b2 a1 c5", "2:3 ");
}

static void counts_the_last_of_a_key_that_stands_twice(void **state)
{
    (void)state;
    differ("", "a1 b1 a2", "+1 +2 ");
    differ("a1", "a2 a1", "");
    differ("a1", "a1 a2", "0:1 ");
    differ("a2 b1 a1", "a1 b1", "");
    differ("a1 b1 a2", "a1 b1", "2:0 ");
    differ("a1 a1 a2", "", "-2 ");
    differ("a1 a2", "a2 a2 a2", "");
}

/* Naively: is there a later one with the same key; which one has it last. */
static bool is_last(const struct change_item *items, size_t count, size_t place)
{
    for (size_t i = place + 1; i < count; i++) {
        if (items[i].key.low == items[place].key.low && items[i].key.high == items[place].key.high)
            return false;
    }
    return true;
}

static size_t last_of(const struct change_item *items, size_t count, struct hash128 key)
{
    while (count && (items[count - 1].key.low != key.low || items[count - 1].key.high != key.high))
        count--;
    return count; /* its place, from 1 */
}

static void check_naively(const struct change_item *old, size_t olds, const struct change_item *new,
                          size_t news)
{
    struct change changes[2 * ITEMS];
    size_t count = change_diff(old, olds, new, news, changes), seen = 0;
    for (size_t i = 0; i < news; i++) {
        size_t before = last_of(old, olds, new[i].key);
        if (!is_last(new, news, i) ||
            (before && old[before - 1].value.low == new[i].value.low &&old[before - 1].value.high ==
                           new[i].value.high))
            continue;
        assert_true(seen < count);
        assert_int_equal(changes[seen].kind, before ? CHANGE_UPDATED : CHANGE_CREATED);
        assert_int_equal(changes[seen].after, i);
        if (before)
            assert_int_equal(changes[seen].before, before - 1);
        seen++;
    }
    for (size_t i = 0; i < olds; i++) {
        if (!is_last(old, olds, i) || last_of(new, news, old[i].key))
            continue;
        assert_true(seen < count);
        assert_int_equal(changes[seen].kind, CHANGE_DELETED);
        assert_int_equal(changes[seen++].before, i);
    }
    assert_int_equal(seen, count);
}

static size_t random_items(struct rng *rng, struct change_item items[ITEMS])
{
    size_t count = (size_t)rng_below(rng, ITEMS + 1);
    uint64_t keys = 1 + rng_below(rng, 2 * ITEMS);
    for (size_t i = 0; i < count; i++) {
        uint64_t half = rng_below(rng, 2);
        items[i].key.low = half ? rng_below(rng, keys) : 0;
        items[i].key.high = half ? 0 : rng_below(rng, keys);
        items[i].value.low = rng_below(rng, 2);
        items[i].value.high = rng_below(rng, 2);
    }
    return count;
}

static void does_as_a_naive_comparison_does(void **state)
{
    struct change_item old[ITEMS], new[ITEMS];
    struct rng rng;
    (void)state;
    rng_seed(&rng, 11);
    for (int i = 0; i < 20000; i++) {
        size_t olds = random_items(&rng, old), news = random_items(&rng, new);
        check_naively(old, olds, new, news);
    }
}

/* Of two lists of so many items that are in another order, with all keys far apart in one half
 * only. */
static double cost_of(size_t count, bool high)
{
    struct change_item *old = mem_array(count, sizeof *old), *new = mem_array(count, sizeof *new);
    struct change *changes = mem_array(2 * count, sizeof *changes);
    for (size_t i = 0; i < count; i++) {
        uint64_t number = (uint64_t)i << (high ? 40 : 0);
        old[i].key = high ? (struct hash128){.high = number} : (struct hash128){.low = number};
        new[count - 1 - i] = old[i];
    }
    new[0].value.low = 1;
    int64_t began = clock_now();
    assert_int_equal(change_diff(old, count, new, count, changes), 1);
    double seconds = (double)(clock_now() - began) / 1e9;
    free(old);
    free(new);
    free(changes);
    return seconds;
}

static void costs_milliseconds_for_many_items(void **state)
{
    (void)state;
    for (int high = 0; high < 2; high++) {
        double seconds = cost_of(100000, high);
        print_message("100000 items: %.1f ms\n", seconds * 1e3);
        assert_true(seconds < 2);
    }
}

/* ---- when to look again ---- */

#define SECOND INT64_C(1000000000)

static void waits_longer_while_nothing_changes(void **state)
{
    const struct change_pace pace = {.every = 30 * SECOND, .factor = 2, .most = 600 * SECOND};
    static const int64_t waits[] = {30, 60, 120, 240, 480, 600, 600};
    (void)state;
    for (uint64_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_true(change_wait(&pace, i) == waits[i] * SECOND);
    assert_true(change_wait(&pace, UINT64_MAX) == 600 * SECOND);
    const struct change_pace slow = {.every = SECOND, .factor = 1.5, .most = INT64_MAX};
    assert_true(change_wait(&slow, 1) == SECOND * 3 / 2);
    assert_true(change_wait(&slow, 2) == SECOND * 9 / 4);
    assert_true(change_wait(&slow, 1000) == INT64_MAX);
}

static void never_waits_less_than_it_was_told(void **state)
{
    static const struct change_pace paces[] = {
        {.every = 5 * SECOND, .factor = 1, .most = 600 * SECOND},
        {.every = 5 * SECOND, .factor = 0.5, .most = 600 * SECOND},
        {.every = 5 * SECOND, .factor = 2, .most = SECOND},
        {.every = 5 * SECOND, .factor = 2, .most = 5 * SECOND},
        {.every = 5 * SECOND},
    };
    (void)state;
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        for (uint64_t unchanged = 0; unchanged < 100; unchanged++)
            assert_true(change_wait(&paces[i], unchanged) == 5 * SECOND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_came_what_changed_and_what_went),
        cmocka_unit_test(takes_another_order_for_no_change),
        cmocka_unit_test(counts_the_last_of_a_key_that_stands_twice),
        cmocka_unit_test(does_as_a_naive_comparison_does),
        cmocka_unit_test(costs_milliseconds_for_many_items),
        cmocka_unit_test(waits_longer_while_nothing_changes),
        cmocka_unit_test(never_waits_less_than_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
