/* test_aggregate.c: when an answer of several parts is whole, how it is written, and which older
 * answers may stand in. */
#include "engine/aggregate_answer.h"
#include "engine/good_answers.h"

#include "base/clock.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PARTS = 6 };

static struct failure failure = {.reason = FAILURE_EXIT, .exit = 3};

/* Parts from a word of letters: o open, h here, c cached, f failed, e ended; upper case: optional.
 */
static size_t make(struct part_answer *parts, const char *word)
{
    static const struct str names[PARTS] = {{"a", 1}, {"b", 1}, {"c", 1},
                                            {"d", 1}, {"e", 1}, {"f", 1}};
    size_t count = strlen(word);
    for (size_t i = 0; i < count; i++) {
        char letter = word[i];
        parts[i] = (struct part_answer){.name = names[i], .optional = letter < 'a'};
        switch (letter | 0x20) {
        case 'h':
            parts[i].state = PART_HERE;
            parts[i].lines = STR("1\n");
            parts[i].count = 1;
            break;
        case 'c':
            parts[i].state = PART_CACHED;
            parts[i].older = STR("{\"x\": 0}");
            parts[i].age = 1999999;
            parts[i].failure = &failure;
            break;
        case 'f':
            parts[i].state = PART_FAILED;
            parts[i].failure = &failure;
            break;
        case 'e':
            parts[i].state = PART_ENDED;
            break;
        default:
            parts[i].state = PART_OPEN;
        }
    }
    return count;
}

static void judges(const char *word, size_t need, enum aggregate_verdict verdict)
{
    struct part_answer parts[PARTS];
    size_t count = make(parts, word);
    if (aggregate_judge(parts, count, need) != verdict)
        fail_msg("%s, of which %zu are needed", word, need);
}

static void waits_for_all_parts(void **state)
{
    (void)state;
    judges("o", 0, AGGREGATE_WAIT);
    judges("ho", 0, AGGREGATE_WAIT);
    judges("hO", 0, AGGREGATE_WAIT);
    judges("hF", 0, AGGREGATE_ANSWER);
    judges("hc", 0, AGGREGATE_ANSWER);
    judges("F", 0, AGGREGATE_ANSWER);
    judges("oF", 0, AGGREGATE_WAIT);
}

static void is_dead_as_soon_as_a_required_part_has_failed(void **state)
{
    (void)state;
    judges("of", 0, AGGREGATE_DEAD);
    judges("hHf", 0, AGGREGATE_DEAD);
    judges("fO", 0, AGGREGATE_DEAD);
}

static void needs_so_many(void **state)
{
    (void)state;
    judges("ooo", 1, AGGREGATE_WAIT);
    judges("oho", 1, AGGREGATE_ANSWER);
    judges("oho", 2, AGGREGATE_WAIT);
    judges("hho", 2, AGGREGATE_ANSWER);
    judges("hfo", 2, AGGREGATE_WAIT);
    judges("hff", 2, AGGREGATE_DEAD);
    judges("off", 2, AGGREGATE_DEAD);
    judges("fff", 1, AGGREGATE_DEAD);
    judges("ho", 2, AGGREGATE_WAIT);
}

static void counts_older_answers_only_when_there_are_not_enough_new_ones(void **state)
{
    (void)state;
    judges("co", 1, AGGREGATE_WAIT);
    judges("cf", 1, AGGREGATE_ANSWER);
    judges("cco", 2, AGGREGATE_ANSWER);
    judges("hco", 2, AGGREGATE_WAIT);
    judges("hcf", 2, AGGREGATE_ANSWER);
    judges("cof", 2, AGGREGATE_WAIT);
    judges("cff", 2, AGGREGATE_DEAD);
    judges("hcof", 3, AGGREGATE_WAIT);
}

static void writes(const char *word, size_t need, const char *expected)
{
    struct part_answer parts[PARTS];
    size_t count = make(parts, word);
    struct buf out = {0};
    aggregate_write(&out, parts, count, need);
    assert_string_equal(buf_cstr(&out), expected);
    buf_free(&out);
}

static void writes_what_is_there_and_why_the_rest_is_not(void **state)
{
    (void)state;
    writes("h", 0, "{\"a\":1}");
    writes("hHh", 0, "{\"a\":1,\"b\":1,\"c\":1}");
    writes("Fh", 0, "{\"b\":1,\"errors\":{\"a\":{\"reason\":\"exit\",\"exit\":3}}}");
    writes("F", 0, "{\"errors\":{\"a\":{\"reason\":\"exit\",\"exit\":3}}}");
    writes("ch", 0,
           "{\"a\":{\"x\": 0},\"b\":1,\"cached\":{\"a\":{\"age_ms\":1,\"reason\":\"exit\","
           "\"exit\":3}}}");
    writes("eho", 1, "{\"b\":1}");
    writes("fhe", 1, "{\"b\":1,\"errors\":{\"a\":{\"reason\":\"exit\",\"exit\":3}}}");
    /* Of two older answers one is needed: the other part has only failed. */
    writes("chc", 2,
           "{\"a\":{\"x\": 0},\"b\":1,\"cached\":{\"a\":{\"age_ms\":1,\"reason\":\"exit\","
           "\"exit\":3}},\"errors\":{\"c\":{\"reason\":\"exit\",\"exit\":3}}}");
}

static void tells_of_all_failed_parts_in_one_failure(void **state)
{
    struct part_answer parts[PARTS];
    struct failure second = {.reason = FAILURE_TIMEOUT, .exit = -1, .message = (char[]){"late"}};
    (void)state;
    size_t count = make(parts, "Ffo");
    parts[1].failure = &second;
    struct failure *whole = aggregate_failure(parts, count, 0);
    assert_int_equal(whole->reason, FAILURE_PARTS);
    assert_int_equal(whole->exit, -1); /* of the part that the event is dead of */
    assert_string_equal(whole->message, "2 of 3 parts failed: a: exit; b: late");
    assert_string_equal(whole->detail,
                        "[{\"part\":\"a\",\"reason\":\"exit\",\"exit\":3,\"attempts\":0},{\"part\":"
                        "\"b\",\"reason\":\"timeout\",\"message\":\"late\",\"attempts\":0}]");
    failure_free(whole);
    whole = aggregate_failure(parts, count, 2);
    assert_int_equal(whole->exit, 3);
    assert_string_equal(whole->message, "2 of 3 parts failed, 2 were needed: a: exit; b: late");
    failure_free(whole);
}

/* ---- older answers ---- */

static int64_t now, wall;
static struct loop *loop;
static struct store *store;
static struct err err;

static int setup(void **state)
{
    (void)state;
    now = 1000 * NUM_SECOND;
    wall = 1700000000 * NUM_SECOND;
    clock_invent(&now, &wall);
    loop = loop_new(&err);
    store = store_open_memory(loop, NULL);
    return loop && store ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    clock_invent(NULL, NULL);
    store_free(store);
    loop_free(loop);
    return 0;
}

static void looked(struct good_look *look)
{
    (void)look;
}

static void finds(struct good_answers *all, const char *part, const char *key, const char *expected,
                  int64_t age)
{
    struct good_look look = {.done = looked};
    good_answers_look(all, str_of(part), str_of(key), &look);
    assert_int_equal(look.found, expected != NULL);
    if (expected) {
        assert_string_equal(buf_cstr(&look.value), expected);
        assert_int_equal(look.age, age);
    }
    buf_free(&look.value);
}

static void note(struct good_answers *all, const char *part, const char *key, const char *value)
{
    good_answers_note(all, str_of(part), str_of(key), str_of(value));
}

static void keeps_the_last_answer_of_a_part_for_its_time(void **state)
{
    struct good_answers *all = good_answers_new(10 * NUM_SECOND, NULL, NULL);
    (void)state;
    finds(all, "a", NULL, NULL, 0);
    note(all, "a", NULL, "1");
    now += NUM_SECOND;
    note(all, "a", NULL, "2");
    note(all, "b", NULL, "3");
    now += 10 * NUM_SECOND - 1;
    finds(all, "a", NULL, "2", 10 * NUM_SECOND - 1);
    finds(all, "b", NULL, "3", 10 * NUM_SECOND - 1);
    now += 1;
    finds(all, "a", NULL, NULL, 0);
    note(all, "a", NULL, "4");
    finds(all, "a", NULL, "4", 0);
    good_answers_free(all);
}

static void tells_keys_apart_by_all_of_their_bytes(void **state)
{
    struct good_answers *all = good_answers_new(10 * NUM_SECOND, store, "n");
    (void)state;
    note(all, "a", "", "0");
    note(all, "a", "1", "1");
    note(all, "a", "\"1\"", "2");
    note(all, "a", "1/b", "3");
    finds(all, "a", "", "0", 0);
    finds(all, "a", "1", "1", 0);
    finds(all, "a", "\"1\"", "2", 0);
    finds(all, "a", "1/b", "3", 0);
    finds(all, "a", "2", NULL, 0);
    finds(all, "a", NULL, NULL, 0);
    finds(all, "b", "1", NULL, 0);
    char *longest = malloc(GOOD_KEY + 2);
    memset(longest, 'x', GOOD_KEY + 1);
    longest[GOOD_KEY + 1] = '\0';
    note(all, "a", longest, "4");
    finds(all, "a", longest, NULL, 0);
    note(all, "a", longest + 1, "5");
    finds(all, "a", longest + 1, "5", 0);
    free(longest);
    good_answers_free(all);
}

static void forgets_the_oldest_beyond_its_bounds(void **state)
{
    struct good_answers *all = good_answers_new(3600 * NUM_SECOND, NULL, NULL);
    char key[16];
    (void)state;
    for (int i = 0; i <= GOOD_ANSWERS; i++) {
        snprintf(key, sizeof key, "%d", i);
        note(all, "a", key, "1");
    }
    finds(all, "a", "0", NULL, 0);
    finds(all, "a", "1", "1", 0);
    char *large = malloc(GOOD_BYTES);
    memset(large, '1', GOOD_BYTES);
    good_answers_note(all, STR("a"), STR("x"), (struct str){large, GOOD_BYTES / 2});
    good_answers_note(all, STR("a"), STR("y"), (struct str){large, GOOD_BYTES / 2});
    finds(all, "a", "1", NULL, 0);
    finds(all, "a", "x", NULL, 0);
    struct good_look look = {.done = looked};
    good_answers_look(all, STR("a"), STR("y"), &look);
    assert_true(look.found);
    buf_free(&look.value);
    good_answers_note(all, STR("a"), STR("y"), (struct str){large, GOOD_BYTES});
    free(large);
    good_answers_free(all);
}

static void finds_what_an_earlier_process_has_written(void **state)
{
    struct good_answers *all = good_answers_new(10 * NUM_SECOND, store, "n");
    (void)state;
    note(all, "a", NULL, "[1, 2]");
    note(all, "a", NULL, "{\"value\":0}");
    note(all, "a", "k", "null");
    good_answers_free(all);

    now = 5; /* another machine's, or after a restart */
    wall += 3 * NUM_SECOND;
    all = good_answers_new(10 * NUM_SECOND, store, "n");
    finds(all, "a", NULL, "{\"value\":0}", 3 * NUM_SECOND);
    finds(all, "a", "k", "null", 3 * NUM_SECOND);
    finds(all, "a", "other", NULL, 0);
    good_answers_free(all);
    all = good_answers_new(10 * NUM_SECOND, store, "m");
    finds(all, "a", NULL, NULL, 0);
    good_answers_free(all);
    all = good_answers_new(2 * NUM_SECOND, store, "n");
    finds(all, "a", NULL, NULL, 0);
    good_answers_free(all);
    all = good_answers_new(100 * NUM_SECOND, store, "n");
    wall -= 100 * NUM_SECOND; /* the clock was set back */
    finds(all, "a", NULL, "{\"value\":0}", 0);
    wall += 107 * NUM_SECOND; /* what was written has its own end */
    finds(all, "a", NULL, NULL, 0);
    good_answers_free(all);
}

/* ---- writes under way ---- */

static unsigned writes_made;

static enum store_status count_writes(void *owner, const struct store_op *op, bool *applied)
{
    (void)owner;
    (void)applied;
    writes_made += !op->reads;
    return STORE_OK;
}

static void writes_only_the_last_of_many_answers(void **state)
{
    static const struct store_faults later = {.later = true, .judge = count_writes};
    struct store *slow = store_open_memory(loop, &later);
    (void)state;
    writes_made = 0;
    struct good_answers *all = good_answers_new(10 * NUM_SECOND, slow, "n");
    for (int i = 0; i < 1000; i++)
        note(all, "a", NULL, i < 999 ? "1" : "2");
    good_answers_free(all);
    assert_in_range(writes_made, 1, 2);

    struct good_look look = {.done = looked};
    all = good_answers_new(10 * NUM_SECOND, slow, "n");
    good_answers_look(all, STR("a"), (struct str){0}, &look);
    assert_false(look.found); /* not yet */
    store_flush(slow);
    assert_string_equal(buf_cstr(&look.value), "2");
    buf_free(&look.value);
    good_answers_free(all);
    store_free(slow);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_all_parts),
        cmocka_unit_test(is_dead_as_soon_as_a_required_part_has_failed),
        cmocka_unit_test(needs_so_many),
        cmocka_unit_test(counts_older_answers_only_when_there_are_not_enough_new_ones),
        cmocka_unit_test(writes_what_is_there_and_why_the_rest_is_not),
        cmocka_unit_test(tells_of_all_failed_parts_in_one_failure),
        CLAIM(keeps_the_last_answer_of_a_part_for_its_time),
        CLAIM(tells_keys_apart_by_all_of_their_bytes),
        CLAIM(forgets_the_oldest_beyond_its_bounds),
        CLAIM(finds_what_an_earlier_process_has_written),
        CLAIM(writes_only_the_last_of_many_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
