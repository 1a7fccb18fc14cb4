/* test_group.c: claims about the rules of fan-in, with an invented clock. */
#include "pattern/group.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct group_rules no_rules;

/* A part with a place (below NONE), or without. */
enum { NONE = 99 };

static struct group_part part_of(uint64_t index, uint64_t expected)
{
    return (struct group_part){
        .indexed = index != NONE, .index = index == NONE ? 0 : index, .expected = expected};
}

static void take(struct group *group, const struct group_rules *rules, uint64_t index,
                 uint64_t expected, int64_t now)
{
    struct group_part part = part_of(index, expected);
    assert_int_equal(group_judge(group, &part), GROUP_TAKEN);
    group_take(group, rules, &part, now);
}

/* ---- verdicts ---- */

static void judges_parts(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct group group;
        uint64_t index, expected; /* of the part */
        enum group_verdict verdict;
    } table[] = {
        {"first", {0}, 0, 0, GROUP_TAKEN},
        {"first without a place", {0}, NONE, 0, GROUP_TAKEN},
        {"first of one", {0}, 0, 1, GROUP_TAKEN},
        {"first, beyond its own count", {0}, 1, 1, GROUP_WRONG},
        {"first, far beyond it", {0}, UINT64_MAX - 1, 5, GROUP_WRONG},
        {"the furthest place", {0}, UINT64_MAX - 1, 0, GROUP_TAKEN},
        {"no place", {0}, UINT64_MAX, 0, GROUP_WRONG},
        {"no place, of all", {0}, UINT64_MAX, UINT64_MAX, GROUP_WRONG},
        {"behind the furthest place", {.parts = 1, .span = UINT64_MAX}, NONE, 0, GROUP_WRONG},
        {"same count", {.expected = 3, .parts = 1, .span = 1}, 2, 3, GROUP_TAKEN},
        {"no count after one", {.expected = 3, .parts = 1, .span = 1}, 2, 0, GROUP_TAKEN},
        {"beyond a count that others said",
         {.expected = 3, .parts = 1, .span = 1},
         3,
         0,
         GROUP_WRONG},
        {"a smaller count", {.expected = 3, .parts = 1, .span = 1}, 1, 2, GROUP_WRONG},
        {"a larger count", {.expected = 3, .parts = 1, .span = 1}, 1, 4, GROUP_WRONG},
        {"a count after none", {.parts = 2, .span = 2}, 2, 3, GROUP_TAKEN},
        {"a count that others are beyond", {.parts = 1, .span = 8}, 0, 7, GROUP_WRONG},
        {"a count that the others just fit in", {.parts = 1, .span = 8}, 0, 8, GROUP_TAKEN},
        {"without a place behind the last",
         {.expected = 3, .parts = 1, .span = 3},
         NONE,
         0,
         GROUP_WRONG},
        {"without a place, with room",
         {.expected = 3, .parts = 2, .span = 2},
         NONE,
         3,
         GROUP_TAKEN},
        {"after the last",
         {.expected = 2, .parts = 2, .span = 2, .closing = GROUP_COUNT},
         1,
         2,
         GROUP_LATE},
        {"after the last, without a place",
         {.expected = 2, .parts = 2, .span = 2, .closing = GROUP_COUNT},
         NONE,
         2,
         GROUP_LATE},
        {"after the last, without a count",
         {.expected = 2, .parts = 2, .span = 2, .closing = GROUP_COUNT},
         1,
         0,
         GROUP_LATE},
        {"after the last, beyond it",
         {.expected = 2, .parts = 2, .span = 2, .closing = GROUP_COUNT},
         2,
         2,
         GROUP_WRONG},
        {"after the last, another count",
         {.expected = 2, .parts = 2, .span = 2, .closing = GROUP_COUNT},
         1,
         3,
         GROUP_WRONG},
        {"after its time",
         {.expected = 5, .parts = 2, .span = 2, .closing = GROUP_WITHIN},
         4,
         5,
         GROUP_LATE},
        {"after its time, no count known",
         {.parts = 2, .span = 2, .closing = GROUP_WITHIN},
         9,
         0,
         GROUP_LATE},
        {"after its time, its own count",
         {.parts = 2, .span = 2, .closing = GROUP_WITHIN},
         9,
         9,
         GROUP_WRONG},
        {"after three of any", {.parts = 3, .span = 70, .closing = GROUP_COUNT}, 4, 0, GROUP_LATE},
        {"the last of all numbers",
         {.parts = 3, .span = 70, .closing = GROUP_OPEN},
         UINT64_MAX,
         0,
         GROUP_WRONG},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct group before = table[i].group;
        struct group_part part = part_of(table[i].index, table[i].expected);
        enum group_verdict verdict = group_judge(&before, &part);
        if (verdict != table[i].verdict)
            fail_msg("%s: %d instead of %d", table[i].what, verdict, table[i].verdict);
        assert_memory_equal(&before, &table[i].group, sizeof before);
    }
}

static void puts_parts_without_places_behind_all_others(void **state)
{
    struct group group = {0};
    struct group_part next = part_of(NONE, 0), seventh = part_of(7, 0);
    (void)state;
    assert_int_equal(group_take(&group, &no_rules, &next, 1), 0);
    assert_int_equal(group_take(&group, &no_rules, &next, 1), 1);
    assert_int_equal(group_take(&group, &no_rules, &seventh, 1), 7);
    assert_int_equal(group_take(&group, &no_rules, &next, 1), 8);
    assert_int_equal(group.parts, 4);
    assert_int_equal(group.span, 9);
}

/* ---- closing by count ---- */

/* All orders of the parts, and all sets of them that say how many there are. */
static void closes_with_the_last_part_in_any_order(void **state)
{
    enum { PARTS = 5, ORDERS = 120 };
    (void)state;
    for (unsigned order = 0; order < ORDERS; order++) {
        for (unsigned told = 1; told < 1 << PARTS; told++) {
            unsigned left[PARTS] = {0, 1, 2, 3, 4}, digits = order;
            struct group group = {0};
            uint64_t expected = 0;
            for (unsigned i = 0; i < PARTS; i++) {
                unsigned choice = digits % (PARTS - i);
                digits /= PARTS - i;
                assert_int_equal(group.closing, GROUP_OPEN);
                take(&group, &no_rules, left[choice], told >> i & 1 ? PARTS : 0, 5);
                left[choice] = left[PARTS - i - 1];
                expected = told >> i & 1 ? PARTS : expected;
                assert_int_equal(group.expected, expected);
            }
            assert_int_equal(group.closing, GROUP_COUNT);
        }
    }
}

static void lets_the_rule_go_before_the_count_of_parts(void **state)
{
    struct group_rules any_two = {.count = 2};
    struct group group = {0};
    (void)state;
    take(&group, &any_two, 4, 5, 1);
    take(&group, &any_two, 1, 5, 1);
    assert_int_equal(group.closing, GROUP_COUNT);
    group = (struct group){0};
    any_two.count = 4;
    for (uint64_t i = 0; i < 3; i++)
        take(&group, &any_two, NONE, 3, 1);
    assert_int_equal(group.closing, GROUP_OPEN);
}

static void stays_open_without_a_count(void **state)
{
    struct group group = {0};
    (void)state;
    for (uint64_t i = 0; i < 1000; i++)
        take(&group, &no_rules, i, 0, (int64_t)i);
    assert_int_equal(group.closing, GROUP_OPEN);
    assert_int_equal(group_due(&group, &no_rules), GROUP_NEVER);
    assert_false(group_expire(&group, &no_rules, GROUP_NEVER));
}

/* ---- closing by time ---- */

static void closes_at_its_time_for_the_rule_that_comes_first(void **state)
{
    static const struct {
        int64_t idle, within, first_at, last_at, due;
        enum group_closing closing;
    } table[] = {
        {0, 0, 100, 200, GROUP_NEVER, GROUP_OPEN},
        {10, 0, 100, 200, 210, GROUP_IDLE},
        {0, 150, 100, 200, 250, GROUP_WITHIN},
        {0, 100, 100, 200, 200, GROUP_WITHIN},
        {40, 150, 100, 200, 240, GROUP_IDLE},
        {60, 150, 100, 200, 250, GROUP_WITHIN},
        {50, 150, 100, 200, 250, GROUP_IDLE}, /* both: the first in the order of the reasons */
        {150, 150, 100, 100, 250, GROUP_IDLE},
        {1, 1, 0, 0, 1, GROUP_IDLE},
        {INT64_MAX, 0, 100, 200, GROUP_NEVER, GROUP_OPEN},
        {0, INT64_MAX, 100, 200, GROUP_NEVER, GROUP_OPEN},
        {INT64_MAX - 200, 0, 100, 200, GROUP_NEVER, GROUP_OPEN},
        {INT64_MAX - 201, 0, 100, 200, INT64_MAX - 1, GROUP_IDLE},
        {INT64_MAX, 150, 100, 200, 250, GROUP_WITHIN},
        {1, 1, INT64_MAX, INT64_MAX, GROUP_NEVER, GROUP_OPEN},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct group_rules rules = {.idle = table[i].idle, .within = table[i].within};
        const struct group open = {
            .parts = 2, .span = 2, .first_at = table[i].first_at, .last_at = table[i].last_at};
        struct group group = open;
        int64_t due = table[i].due;
        assert_int_equal(group_due(&group, &rules), due);
        assert_false(group_expire(&group, &rules, table[i].first_at));
        assert_false(due != GROUP_NEVER && group_expire(&group, &rules, due - 1));
        assert_memory_equal(&group, &open, sizeof group);
        assert_int_equal(group_expire(&group, &rules, due), due != GROUP_NEVER);
        assert_int_equal(group.closing, table[i].closing);
        group = open;
        assert_int_equal(group_expire(&group, &rules, GROUP_NEVER), due != GROUP_NEVER);
        assert_int_equal(group.closing, table[i].closing);
    }
}

static void closes_once(void **state)
{
    struct group_rules rules = {.idle = 10, .within = 10};
    (void)state;
    for (int closing = GROUP_OPEN + 1; closing < GROUP_CLOSINGS; closing++) {
        struct group group = {.parts = 1, .span = 1, .closing = (enum group_closing)closing};
        assert_int_equal(group_due(&group, &rules), GROUP_NEVER);
        assert_false(group_expire(&group, &rules, 1000));
        assert_int_equal(group.closing, closing);
    }
}

static void moves_idle_time_on_with_each_part_and_the_other_not(void **state)
{
    struct group_rules rules = {.idle = 10, .within = 25};
    struct group group = {0};
    (void)state;
    take(&group, &rules, 0, 0, 100);
    assert_int_equal(group_due(&group, &rules), 110);
    take(&group, &rules, 1, 0, 109);
    assert_int_equal(group_due(&group, &rules), 119);
    take(&group, &rules, 2, 0, 118);
    assert_int_equal(group_due(&group, &rules), 125);
    assert_true(group_expire(&group, &rules, 125));
    assert_int_equal(group.closing, GROUP_WITHIN);
}

static void closes_nothing_early_when_the_clock_steps_back(void **state)
{
    struct group_rules rules = {.idle = 10, .within = 25};
    struct group group = {0};
    (void)state;
    take(&group, &rules, 0, 0, 1000);
    take(&group, &rules, 1, 0, 1005);
    assert_false(group_set_back(&group, 1005));
    assert_int_equal(group_due(&group, &rules), 1015);
    take(&group, &rules, 2, 0, 500);
    assert_int_equal(group_due(&group, &rules), 510);
    assert_int_equal(group.first_at, 500);
    assert_false(group_expire(&group, &rules, 509));
    take(&group, &rules, 3, 0, 509);
    take(&group, &rules, 4, 0, 518);
    assert_int_equal(group_due(&group, &rules), 525);
    /* and without a part to tell it */
    assert_true(group_set_back(&group, 510));
    assert_int_equal(group.first_at, 500);
    assert_int_equal(group.last_at, 510);
    assert_false(group_set_back(&group, 510));
    assert_true(group_set_back(&group, 0));
    assert_int_equal(group_due(&group, &rules), 10);
}

/* ---- what a closing means ---- */

static void tells_a_completion_from_a_timeout(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < 32; kind++) {
        struct group_rules rules = {.count = kind & 1 ? 3 : 0,
                                    .until = kind & 2,
                                    .idle = kind & 4 ? 10 : 0,
                                    .within = kind & 8 ? 10 : 0};
        struct group group = {.expected = kind & 16 ? 3 : 0, .parts = 2, .span = 2};
        bool timed = !(kind & (1 | 2 | 16));
        const bool complete[GROUP_CLOSINGS] = {
            [GROUP_COUNT] = true,   [GROUP_UNTIL] = true,       [GROUP_IDLE] = timed,
            [GROUP_WITHIN] = timed, [GROUP_AT_EOF] = kind == 0,
        };
        for (int closing = GROUP_OPEN; closing < GROUP_CLOSINGS; closing++) {
            group.closing = (enum group_closing)closing;
            assert_int_equal(group_is_complete(&group, &rules), complete[closing]);
        }
    }
}

static void names_why_a_group_has_closed(void **state)
{
    static const char *const names[] = {"open", "count", "until", "idle", "within", "eof"};
    (void)state;
    for (int closing = GROUP_OPEN; closing < GROUP_CLOSINGS; closing++)
        assert_string_equal(group_closing_name((enum group_closing)closing), names[closing]);
}

static void adds_times_without_passing_the_last_one(void **state)
{
    (void)state;
    assert_int_equal(group_after(0, 0), 0);
    assert_int_equal(group_after(5, 7), 12);
    assert_int_equal(group_after(INT64_MAX - 7, 6), INT64_MAX - 1);
    assert_int_equal(group_after(INT64_MAX - 7, 7), GROUP_NEVER);
    assert_int_equal(group_after(INT64_MAX - 7, 8), GROUP_NEVER);
    assert_int_equal(group_after(INT64_MAX, INT64_MAX), GROUP_NEVER);
}

/* ---- against a model ---- */

enum { MODEL_PARTS = 12, MODEL_PLACES = 16 };

struct model { /* only what has come, in order; all else is worked out anew each time */
    struct {
        uint64_t place, expected;
        int64_t at;
    } parts[MODEL_PARTS + MODEL_PLACES];
    unsigned count;
    bool closed;
};

static uint64_t model_expected(const struct model *model)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (model->parts[i].expected)
            return model->parts[i].expected;
    }
    return 0;
}

static uint64_t model_span(const struct model *model)
{
    uint64_t span = 0;
    for (unsigned i = 0; i < model->count; i++)
        span = model->parts[i].place >= span ? model->parts[i].place + 1 : span;
    return span;
}

/* When the time of the group is over, for which reason. */
static int64_t model_due(const struct model *model, const struct group_rules *rules,
                         enum group_closing *closing)
{
    int64_t due = INT64_MAX;
    *closing = GROUP_OPEN;
    if (rules->within)
        due = model->parts[0].at + rules->within;
    if (rules->within)
        *closing = GROUP_WITHIN;
    if (rules->idle && model->parts[model->count - 1].at + rules->idle <= due) {
        due = model->parts[model->count - 1].at + rules->idle;
        *closing = GROUP_IDLE;
    }
    return due;
}

static void model_set_back(struct model *model, int64_t now)
{
    for (unsigned i = 0; i < model->count; i++)
        model->parts[i].at = model->parts[i].at > now ? now : model->parts[i].at;
}

static enum group_verdict model_judge(const struct model *model, const struct group_part *part,
                                      uint64_t *place)
{
    uint64_t expected = model_expected(model);
    *place = part->indexed ? part->index : model_span(model);
    if (expected && part->expected && part->expected != expected)
        return GROUP_WRONG;
    if (part->expected)
        expected = part->expected;
    if (model->closed && !part->indexed)
        return GROUP_LATE;
    if (expected && (*place >= expected || model_span(model) > expected))
        return GROUP_WRONG;
    return model->closed ? GROUP_LATE : GROUP_TAKEN;
}

static void step(struct rng *rng, struct model *model, struct group *group,
                 const struct group_rules *rules, int64_t now)
{
    struct group_part part = {.indexed = rng_below(rng, 3),
                              .index = rng_below(rng, MODEL_PLACES),
                              .expected = rng_below(rng, 3) ? 0 : 5 + rng_below(rng, 3)};
    uint64_t place;
    enum group_verdict verdict = model_judge(model, &part, &place);
    assert_int_equal(group_judge(group, &part), verdict);
    if (verdict != GROUP_TAKEN || model->count == MODEL_PARTS)
        return;
    model_set_back(model, now);
    model->parts[model->count].place = place;
    model->parts[model->count].expected = part.expected;
    model->parts[model->count++].at = now;
    uint64_t needed = rules->count ? rules->count : model_expected(model);
    model->closed = needed && model->count >= needed;
    assert_int_equal(group_take(group, rules, &part, now), place);
    assert_int_equal(group->closing, model->closed ? GROUP_COUNT : GROUP_OPEN);
    assert_int_equal(group->parts, model->count);
    assert_int_equal(group->expected, model_expected(model));
    assert_int_equal(group->span, model_span(model));
}

static void behaves_like_its_model(void **state)
{
    struct rng rng;
    unsigned closings[GROUP_CLOSINGS] = {0};
    (void)state;
    rng_seed(&rng, 1);
    for (int round = 0; round < 20000; round++) {
        struct model model = {0};
        struct group group = {0};
        struct group_rules rules = {.count = rng_below(&rng, 3) ? 0 : 1 + rng_below(&rng, 8),
                                    .idle = (int64_t)rng_below(&rng, 3) * 7,
                                    .within = (int64_t)rng_below(&rng, 3) * 20};
        int64_t now = 1000;
        for (int i = 0; i < 30; i++) {
            enum group_closing closing;
            now += (int64_t)rng_below(&rng, 6) - (rng_below(&rng, 20) ? 0 : 15);
            if (model.count && !model.closed && rng_below(&rng, 4) == 0) {
                model_set_back(&model, now);
                group_set_back(&group, now);
            }
            if (model.count && !model.closed) {
                int64_t due = model_due(&model, &rules, &closing);
                assert_int_equal(group_due(&group, &rules), due);
                model.closed = now >= due;
                assert_int_equal(group_expire(&group, &rules, now), model.closed);
                assert_int_equal(group.closing, model.closed ? closing : GROUP_OPEN);
            }
            step(&rng, &model, &group, &rules, now);
        }
        closings[group.closing]++;
    }
    assert_true(closings[GROUP_OPEN] && closings[GROUP_COUNT] && closings[GROUP_IDLE] &&
                closings[GROUP_WITHIN]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_parts),
        cmocka_unit_test(puts_parts_without_places_behind_all_others),
        cmocka_unit_test(closes_with_the_last_part_in_any_order),
        cmocka_unit_test(lets_the_rule_go_before_the_count_of_parts),
        cmocka_unit_test(stays_open_without_a_count),
        cmocka_unit_test(closes_at_its_time_for_the_rule_that_comes_first),
        cmocka_unit_test(closes_once),
        cmocka_unit_test(moves_idle_time_on_with_each_part_and_the_other_not),
        cmocka_unit_test(closes_nothing_early_when_the_clock_steps_back),
        cmocka_unit_test(tells_a_completion_from_a_timeout),
        cmocka_unit_test(names_why_a_group_has_closed),
        cmocka_unit_test(adds_times_without_passing_the_last_one),
        cmocka_unit_test(behaves_like_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
