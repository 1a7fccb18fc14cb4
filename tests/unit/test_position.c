/* test_position.c: claims about pattern/position.h. */
#include "pattern/position.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 1000 };

static void moves_over_what_ends_in_order_without_memory(void **state)
{
    struct position position = {0};
    (void)state;
    for (uint64_t number = 1; number <= 100000; number++) {
        assert_true(position_end(&position, number));
        assert_false(position_end(&position, number));
    }
    assert_int_equal(position.at, 100000);
    assert_null(position.words);
    position_free(&position);
}

static void remembers_what_ends_ahead_of_the_first(void **state)
{
    struct position position = {0};
    (void)state;
    assert_true(position_end(&position, 3));
    assert_true(position_end(&position, 130));
    assert_false(position_end(&position, 130));
    assert_int_equal(position.at, 0);
    assert_int_equal(position_next(&position, 2), 4);
    assert_int_equal(position_left(&position, 0, 200), 198);
    assert_true(position_end(&position, 1));
    assert_int_equal(position.at, 1);
    assert_true(position_end(&position, 2));
    assert_int_equal(position.at, 3);
    assert_int_equal(position_skip(&position, 129), 126);
    assert_int_equal(position.at, 130);
    assert_int_equal(position_skip(&position, 5), 0);
    position_free(&position);
}

/* Memory does not grow with how much has been done, only with how far ahead. */
static void lets_old_bits_go(void **state)
{
    struct position position = {0};
    (void)state;
    for (uint64_t number = 1; number < 1000000; number += 2) {
        position_end(&position, number + 1);
        position_end(&position, number);
        assert_true(position.room <= 2);
    }
    assert_int_equal(position.at, 1000000);
    position_free(&position);
}

static void refuses_bytes_that_are_none(void **state)
{
    struct position position = {0};
    (void)state;
    assert_false(position_read(&position, STR("")));
    assert_false(position_read(&position, STR("1234567")));
    assert_false(position_read(&position, STR("123456789")));
    position_free(&position);
}

/* ---- against a model ---- */

struct model {
    bool done[MOST + 70];
    uint64_t at;
};

static void model_advance(struct model *model)
{
    while (model->done[model->at + 1])
        model->at++;
}

static void model_check(const struct model *model, const struct position *position, struct rng *rng)
{
    uint64_t from = rng_below(rng, MOST), to = rng_below(rng, MOST), left = 0, next = from + 1;
    assert_int_equal(position->at, model->at);
    for (uint64_t number = from + 1; number <= to; number++)
        left += !model->done[number];
    assert_int_equal(position_left(position, from, to), left);
    while (model->done[next])
        next++;
    assert_int_equal(position_next(position, from), next);
    assert_int_equal(position_is_done(position, to), to == 0 || model->done[to]);
}

static void write_and_read(struct position *position)
{
    struct buf bytes = {0}, again = {0};
    position_write(position, &bytes);
    position_free(position);
    assert_true(position_read(position, buf_str(&bytes)));
    position_write(position, &again);
    assert_true(str_eq(buf_str(&again), buf_str(&bytes)));
    buf_free(&bytes);
    buf_free(&again);
}

static void model_skip(struct model *model, struct position *position, uint64_t to)
{
    uint64_t left = 0;
    for (uint64_t number = 1; number <= to; number++) {
        left += !model->done[number];
        model->done[number] = true;
    }
    model_advance(model);
    assert_int_equal(position_skip(position, to), left);
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct position position = {0};
        struct model model = {0};
        rng_seed(&rng, seed);
        uint64_t spread = 1 + rng_below(&rng, 300);
        while (model.at < MOST - 1) {
            uint64_t number = model.at + 1 + rng_below(&rng, spread);
            if (number >= MOST)
                number = model.at + 1;
            assert_int_equal(position_end(&position, number), !model.done[number]);
            model.done[number] = true;
            model_advance(&model);
            model_check(&model, &position, &rng);
            if (rng_below(&rng, 20) == 0)
                write_and_read(&position);
            if (rng_below(&rng, 50) == 0)
                model_skip(&model, &position, (model.at + rng_below(&rng, spread)) % MOST);
        }
        position_free(&position);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_over_what_ends_in_order_without_memory),
        cmocka_unit_test(remembers_what_ends_ahead_of_the_first),
        cmocka_unit_test(lets_old_bits_go),
        cmocka_unit_test(refuses_bytes_that_are_none),
        cmocka_unit_test(behaves_like_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
