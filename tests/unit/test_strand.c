/* test_strand.c: the pieces of an event on its way through a chain keep their order. */
#include "engine/strand.h"

#include "base/buf.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { STAGES = 3, TRIALS = 2000 };

static struct slice lines_of(const char *text)
{
    return slice_dup(str_of(text));
}

static void check_text(struct str got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.data, expected, got.len);
}

static void takes_each_line_without_its_line_feed(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct strand_list list = {0};
    struct strand *events = strand_begin(&pool, &list, 1, lines_of("1\n22\n333"));
    static const char *const expected[] = {"1", "22", "333"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(strand_has_more(events), i < 2);
        struct strand *called = strand_start(&pool, events);
        assert_int_equal(called->state, STRAND_CALLED);
        assert_int_equal(called->stage, 1);
        check_text(slice_str(called->call.event), expected[i]);
        assert_int_equal(list.count, i < 2 ? i + 2 : 3);
        assert_true(i < 2 ? called != events : called == events);
    }
    while (list.first)
        strand_end(&pool, list.first);
    assert_int_equal(pool.used, 0);
    strand_pool_free(&pool);
    block_drop_kept();
}

static void counts_what_waits_in_memory(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct strand_list list = {0};
    struct strand *strand = strand_start(&pool, strand_begin(&pool, &list, 0, lines_of("1")));
    assert_int_equal(list.open, 1);
    assert_int_equal(pool.ahead, 0);
    strand->call.lines = lines_of("2\n3\n");
    strand->call.count = 2;
    strand_keep_results(&pool, strand);
    assert_int_equal(list.open, 0);
    assert_int_equal(list.held, 4);
    assert_int_equal(pool.held, 4);
    strand_end(&pool, strand);
    assert_int_equal(list.held, 0);
    assert_int_equal(pool.held, 0);
    assert_null(list.first);
    assert_null(list.last);
    strand_pool_free(&pool);
    block_drop_kept();
}

static void hands_results_out_in_whole_lines(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct strand_list list = {0};
    size_t count;
    struct strand *strand = strand_start(&pool, strand_begin(&pool, &list, 0, lines_of("1")));
    strand->call.lines = lines_of("1\n22\n333333\n4\n");
    strand->call.count = 4;
    strand_keep_results(&pool, strand);
    check_text(strand_next_results(strand, 6, &count), "1\n22\n");
    assert_int_equal(count, 0);
    check_text(strand_next_results(strand, 6, &count), "333333\n"); /* longer than asked for */
    check_text(strand_next_results(strand, 6, &count), "4\n");
    assert_int_equal(count, 4);
    strand_end(&pool, strand);
    strand_pool_free(&pool);
    block_drop_kept();
}

/* What the stage makes of an event: its name with a digit behind, 0 to 3 times. */
static void answer(struct buf *out, struct str event, unsigned stage, uint64_t seed, size_t *count)
{
    uint64_t mixed = seed + stage;
    for (size_t i = 0; i < event.len; i++)
        mixed = mixed * 31 + (unsigned char)event.data[i];
    *count = mixed % 7 % 4;
    for (size_t i = 1; i <= *count; i++) {
        buf_add_str(out, event);
        buf_addf(out, "%zu\n", i);
    }
}

static void run_in_sequence(struct buf *out, struct str event, unsigned stage, uint64_t seed)
{
    if (stage == STAGES) {
        buf_add_str(out, event);
        buf_addc(out, '\n');
        return;
    }
    struct buf results = {0};
    size_t count;
    answer(&results, event, stage, seed, &count);
    const char *line = results.data;
    for (size_t i = 0; i < count; i++) {
        const char *lf = strchr(line, '\n');
        run_in_sequence(out, (struct str){line, (size_t)(lf - line)}, stage + 1, seed);
        line = lf + 1;
    }
    buf_free(&results);
}

static struct strand *pick(struct strand_list *list, struct rng *rng)
{
    struct strand *chosen = NULL;
    uint64_t seen = 0;
    for (struct strand *strand = list->first; strand; strand = strand->next) {
        if (strand->state != STRAND_RESULTS && rng_below(rng, ++seen) == 0)
            chosen = strand;
    }
    return chosen;
}

static void end_call(struct strand_pool *pool, struct strand *strand, uint64_t seed)
{
    struct buf results = {0};
    struct fn_call *call = &strand->call;
    answer(&results, slice_str(call->event), strand->stage, seed, &call->count);
    call->lines = call->count ? slice_dup(buf_str(&results)) : (struct slice){0};
    buf_free(&results);
    if (!call->count)
        strand_end(pool, strand);
    else if (strand->stage + 1 == STAGES)
        strand_keep_results(pool, strand);
    else
        strand_go_on(pool, strand, strand->stage + 1);
}

static void keeps_the_order_of_a_sequential_run(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct rng rng;
    rng_seed(&rng, 7);
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        struct strand_list list = {0};
        struct buf expected = {0}, got = {0};
        struct strand *strand;
        run_in_sequence(&expected, STR("e"), 0, seed);
        strand_begin(&pool, &list, 0, lines_of("e"));
        while ((strand = pick(&list, &rng))) {
            if (strand->state == STRAND_EVENTS)
                strand_start(&pool, strand);
            else
                end_call(&pool, strand, seed);
        }
        assert_int_equal(list.open, 0);
        while (list.first) {
            buf_add_str(&got, slice_str(list.first->lines));
            strand_end(&pool, list.first);
        }
        assert_int_equal(got.len, expected.len);
        if (got.len)
            assert_memory_equal(got.data, expected.data, got.len);
        buf_free(&expected);
        buf_free(&got);
    }
    assert_int_equal(pool.used, 0);
    assert_int_equal(pool.held, 0);
    assert_int_equal(pool.ahead, 0);
    strand_pool_free(&pool);
    block_drop_kept();
}

static void names_a_sub_event_the_same_in_every_order(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    char scopes[2][2][STRAND_SCOPE];
    for (int run = 0; run < 2; run++) {
        struct strand_list list = {0};
        struct strand *events = strand_begin(&pool, &list, 0, lines_of("1\n2"));
        struct strand *first = strand_start(&pool, events), *second = strand_start(&pool, events);
        struct strand *order[2] = {run ? second : first, run ? first : second};
        for (int i = 0; i < 2; i++) {
            order[i]->call.lines = lines_of("x\n");
            strand_go_on(&pool, order[i], 1);
            strand_start(&pool, order[i]);
        }
        memcpy(scopes[run][0], first->scope, STRAND_SCOPE);
        memcpy(scopes[run][1], second->scope, STRAND_SCOPE);
        while (list.first)
            strand_end(&pool, list.first);
    }
    assert_string_equal(scopes[0][0], scopes[1][0]);
    assert_string_equal(scopes[0][1], scopes[1][1]);
    assert_string_not_equal(scopes[0][0], scopes[0][1]);
    strand_pool_free(&pool);
    block_drop_kept();
}

static void places_a_call_by_its_scope(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct strand_list list = {0};
    struct strand *called = strand_start(&pool, strand_begin(&pool, &list, 2, lines_of("1\n")));
    unsigned stage;
    uint64_t path;
    assert_int_equal(strand_read_scope(called->call.scope, &stage, &path), 0);
    assert_int_equal(stage, 2);
    assert_int_equal(path, called->path);

    struct strand_list later = {0};
    struct strand *events = strand_begin(&pool, &later, stage, lines_of("1\n"));
    strand_place(events, path);
    struct strand *again = strand_start(&pool, events);
    assert_string_equal(again->scope, called->scope);
    strand_enter_next_round(again);
    assert_string_not_equal(again->scope, called->scope);
    assert_int_equal(again->path, strand_next_round(path));
    strand_end(&pool, again);
    strand_end(&pool, called);
    strand_pool_free(&pool);
    block_drop_kept();
}

static void takes_no_scope_but_its_own(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "1",
        "1/",
        "0/0123456789abcdef",
        "01/0123456789abcdef",
        "-1/0123456789abcdef",
        "1/0123456789abcde",
        "1/0123456789abcdef0",
        "1/0123456789ABCDEF",
        "1/ 123456789abcdef",
        "1/0123456789abcdeg",
        "4294967296/0123456789abcdef",
        "99999999999999999999999999999999999999999999/0123456789abcdef",
    };
    unsigned stage;
    uint64_t path;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(strand_read_scope(str_of(wrong[i]), &stage, &path), -1);
    assert_int_equal(strand_read_scope(STR("1/0123456789abcdef"), &stage, &path), 0);
    assert_int_equal(stage, 0);
    assert_int_equal(path, UINT64_C(0x0123456789abcdef));
}

static void counts_the_strands_that_stand_on_an_origin(void **state)
{
    (void)state;
    struct strand_pool pool = {0};
    struct strand_list list = {0};
    struct strand_origin origin = {1};
    struct strand *events = strand_begin(&pool, &list, 1, lines_of("1\n2\n3\n"));
    events->origin = &origin;
    for (unsigned i = 0; i < 3; i++) {
        struct strand *called = strand_start(&pool, events);
        assert_ptr_equal(called->origin, &origin);
        assert_int_equal(origin.holders, i < 2 ? i + 2 : 3);
    }
    while (list.first)
        strand_end(&pool, list.first);
    strand_pool_free(&pool);
    block_drop_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_each_line_without_its_line_feed),
        cmocka_unit_test(counts_what_waits_in_memory),
        cmocka_unit_test(hands_results_out_in_whole_lines),
        cmocka_unit_test(keeps_the_order_of_a_sequential_run),
        cmocka_unit_test(names_a_sub_event_the_same_in_every_order),
        cmocka_unit_test(places_a_call_by_its_scope),
        cmocka_unit_test(takes_no_scope_but_its_own),
        cmocka_unit_test(counts_the_strands_that_stand_on_an_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
