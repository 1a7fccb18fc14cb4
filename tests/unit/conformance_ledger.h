/* conformance_ledger.h: what any store must do with records of what was done. */
#ifndef FIT_TESTS_CONFORMANCE_LEDGER_H
#define FIT_TESTS_CONFORMANCE_LEDGER_H

#include "state/ledger.h"
#include "store_conformance.h"

static const struct hash128 ledger_key = {1, 2}, ledger_other_key = {1, 3};

static enum store_status ledger_do(struct world *world, struct ledger_op *op)
{
    return WORLD_DO(world, ledger_submit, op);
}

static uint64_t ledger_begin(struct world *world)
{
    struct ledger_op op = {.verb = LEDGER_BEGIN, .ledger = STR("l")};
    assert_int_equal(ledger_do(world, &op), STORE_OK);
    return op.run;
}

static enum store_status ledger_add(struct world *world, struct hash128 key, uint64_t run,
                                    uint64_t place, const char *lines)
{
    struct ledger_op op = {.verb = LEDGER_ADD,
                           .ledger = STR("l"),
                           .key = key,
                           .run = run,
                           .place = place,
                           .lines = str_of(lines),
                           .count = 1};
    enum store_status status = ledger_do(world, &op);
    buf_free(&op.answer);
    return status;
}

/* A record's lines are these (NULL: there is no record); was it shown? */
static bool ledger_assert(struct world *world, struct hash128 key, const char *lines)
{
    struct ledger_op op = {.verb = LEDGER_FIND, .ledger = STR("l"), .key = key};
    enum store_status status = ledger_do(world, &op);
    assert_int_equal(status, lines ? STORE_OK : STORE_ABSENT);
    if (lines)
        assert_true(str_eq(op.lines, str_of(lines)));
    buf_free(&op.answer);
    return op.shown;
}

static void keeps_the_first_result_of_a_call(void **state)
{
    struct world *world = *state;
    ledger_assert(world, ledger_key, NULL);
    uint64_t run = ledger_begin(world);
    assert_int_equal(ledger_add(world, ledger_key, run, 0, "1\n"), STORE_OK);
    assert_int_equal(ledger_add(world, ledger_key, run, 1, "2\n"), STORE_CONFLICT);
    assert_int_equal(ledger_add(world, ledger_other_key, run, 1, ""), STORE_OK);
    ledger_assert(world, ledger_key, "1\n");
    ledger_assert(world, ledger_other_key, "");
}

static void gives_each_run_a_number_of_its_own(void **state)
{
    struct world *world = *state;
    uint64_t first = ledger_begin(world);
    assert_true(ledger_begin(world) != first);
}

static void knows_which_results_were_shown(void **state)
{
    struct world *world = *state;
    uint64_t run = ledger_begin(world);
    ledger_add(world, ledger_key, run, 0, "1\n");
    ledger_add(world, ledger_other_key, run, 1, "2\n");
    assert_false(ledger_assert(world, ledger_key, "1\n"));
    struct ledger_op show = {.verb = LEDGER_SHOW, .ledger = STR("l"), .run = run, .place = 1};
    assert_int_equal(ledger_do(world, &show), STORE_OK);
    assert_true(ledger_assert(world, ledger_key, "1\n"));
    assert_false(ledger_assert(world, ledger_other_key, "2\n"));
    struct ledger_op claim = {.verb = LEDGER_CLAIM, .ledger = STR("l"), .key = ledger_other_key};
    claim.run = ledger_begin(world);
    assert_int_equal(ledger_do(world, &claim), STORE_OK);
    show.run = claim.run;
    assert_int_equal(ledger_do(world, &show), STORE_OK);
    assert_true(ledger_assert(world, ledger_other_key, "2\n"));
}

static void drops_a_ledger_and_no_other(void **state)
{
    struct world *world = *state;
    uint64_t run = ledger_begin(world);
    ledger_add(world, ledger_key, run, 0, "1\n");
    struct ledger_op other = {.verb = LEDGER_ADD,
                              .ledger = STR("other"),
                              .key = ledger_key,
                              .lines = STR("9\n"),
                              .count = 1};
    assert_int_equal(ledger_do(world, &other), STORE_OK);
    struct ledger_op drop = {.verb = LEDGER_DROP, .ledger = STR("l")};
    assert_int_equal(ledger_do(world, &drop), STORE_OK);
    ledger_assert(world, ledger_key, NULL);
    other.verb = LEDGER_FIND;
    assert_int_equal(ledger_do(world, &other), STORE_OK);
    assert_true(str_eq(other.lines, STR("9\n")));
    drop.ledger = STR("none");
    assert_int_equal(ledger_do(world, &drop), STORE_ABSENT);
    buf_free(&other.answer);
}

static void keeps_large_results_whole(void **state)
{
    struct world *world = *state;
    struct buf lines = {0};
    uint64_t run = ledger_begin(world);
    for (int i = 0; i < 100000; i++)
        buf_addf(&lines, "%d\n", i);
    assert_int_equal(ledger_add(world, ledger_key, run, 0, buf_cstr(&lines)), STORE_OK);
    ledger_assert(world, ledger_key, buf_cstr(&lines));
    buf_free(&lines);
}

static const struct claim ledger_claims[] = {
    CLAIM(keeps_the_first_result_of_a_call), CLAIM(gives_each_run_a_number_of_its_own),
    CLAIM(knows_which_results_were_shown),   CLAIM(drops_a_ledger_and_no_other),
    CLAIM(keeps_large_results_whole),        {0},
};

#endif
