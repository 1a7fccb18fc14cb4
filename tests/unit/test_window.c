/* test_window.c: what the reordering window promises. */
#include "pattern/window.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char things[1 << 16]; /* the item of seq is &things[seq] */

static uint64_t take(struct window *window)
{
    uint64_t seq = UINT64_MAX;
    assert_true(window_take(window, &seq));
    return seq;
}

static void hands_out_in_the_order_of_the_numbers(void **state)
{
    (void)state;
    struct window *window = window_new(3);
    assert_true(window_is_empty(window));
    assert_null(window_pop_ready(window));
    for (uint64_t seq = 0; seq < 3; seq++)
        assert_int_equal(take(window), seq);
    assert_true(window_put(window, 2, &things[2]));
    assert_true(window_put(window, 1, &things[1]));
    assert_null(window_pop_ready(window));
    assert_true(window_put(window, 0, &things[0]));
    for (uint64_t seq = 0; seq < 3; seq++) {
        assert_int_equal(window_first(window), seq);
        assert_ptr_equal(window_pop_ready(window), &things[seq]);
    }
    assert_null(window_pop_ready(window));
    assert_true(window_is_empty(window));
    window_free(window);
}

static void gives_no_number_beyond_its_capacity(void **state)
{
    (void)state;
    static const size_t capacities[] = {0, 1, 2, 3, 15, 16, 17, 100, 1000};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        size_t capacity = capacities[i] ? capacities[i] : 1;
        struct window *window = window_new(capacities[i]);
        uint64_t seq = 77;
        for (size_t n = 0; n < capacity; n++)
            assert_int_equal(take(window), n);
        assert_false(window_take(window, &seq));
        assert_int_equal(seq, 77);
        for (size_t n = 1; n < capacity; n++)
            assert_true(window_put(window, n, &things[n]));
        assert_false(window_take(window, &seq)); /* a stalled head holds the window */
        assert_true(window_put(window, 0, &things[0]));
        assert_ptr_equal(window_pop_ready(window), &things[0]);
        assert_int_equal(take(window), capacity);
        window_free(window);
    }
}

static void refuses_items_of_numbers_that_are_not_open(void **state)
{
    (void)state;
    struct window *window = window_new(8);
    assert_false(window_put(window, 0, things));
    take(window);
    take(window);
    assert_false(window_put(window, 0, NULL));
    assert_true(window_put(window, 0, things));
    assert_false(window_put(window, 0, things)); /* twice */
    assert_ptr_equal(window_pop_ready(window), things);
    assert_false(window_put(window, 0, things)); /* left already */
    assert_false(window_put(window, 2, things)); /* not taken yet */
    assert_false(window_put(window, 9, things)); /* would share the place of 1 */
    assert_false(window_put(window, UINT64_MAX, things));
    assert_null(window_pop_ready(window));
    assert_int_equal(window_open(window), 1);
    window_free(window);
    window_free(NULL);
}

/* A flag for each number is all that the naive model needs. */
static void agrees_with_a_naive_model_in_random_orders(void **state)
{
    (void)state;
    enum { SEEDS = 300, STEPS = 3000 };
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct rng rng;
        rng_seed(&rng, seed);
        size_t capacity = 1 + rng_below(&rng, seed % 3 ? 40 : 400);
        unsigned eagerness = 2 + (unsigned)rng_below(&rng, 5);
        struct window *window = window_new(capacity);
        static char put[STEPS];
        memset(put, 0, sizeof put);
        uint64_t first = 0, next = 0, seq;
        for (int step = 0; step < STEPS; step++) {
            uint64_t any = first + rng_below(&rng, capacity + 2);
            switch (rng_below(&rng, eagerness)) {
            case 0: {
                bool is_ready = first < next && put[first];
                assert_ptr_equal(window_pop_ready(window), is_ready ? &things[first] : NULL);
                first += is_ready;
                break;
            }
            case 1: {
                bool has_room = next - first < capacity;
                assert_int_equal(window_take(window, &seq), has_room);
                if (has_room)
                    assert_int_equal(seq, next++);
                break;
            }
            default: {
                bool is_due = any < next && !put[any];
                assert_int_equal(window_put(window, any, &things[any]), is_due);
                if (is_due)
                    put[any] = 1;
            }
            }
            assert_int_equal(window_first(window), first);
            assert_int_equal(window_open(window), next - first);
        }
        window_free(window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_in_the_order_of_the_numbers),
        cmocka_unit_test(gives_no_number_beyond_its_capacity),
        cmocka_unit_test(refuses_items_of_numbers_that_are_not_open),
        cmocka_unit_test(agrees_with_a_naive_model_in_random_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
