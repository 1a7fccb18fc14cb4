/* test_split.c: claims about parts, batches, and how their results are written. */
#include "engine/batch.h"
#include "engine/parts.h"
#include "engine/split_result.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct buf *got, const char *expected)
{
    assert_string_equal(buf_cstr(got), expected);
    buf_clear(got);
}

/* ---- parts ---- */

static struct slice event_of(const char *text)
{
    return slice_dup(str_of(text));
}

static int split(struct parts *parts, const char *program, struct slice event, struct err *err)
{
    struct jq_program *jq = jq_compile(program, NULL, err);
    struct json_scan scan;
    assert_non_null(jq);
    assert_int_equal(json_scan(slice_str(event), NULL, NULL, &scan), 0);
    struct jq_input input = {slice_str(event), NULL, scan.depth};
    int status = parts_split(parts, jq, &input, event, err);
    jq_free(jq);
    return status;
}

static void assert_part(const struct parts *parts, size_t index, const char *expected)
{
    struct str text = parts_text(parts, index);
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void leaves_parts_where_they_stand_in_the_event(void **state)
{
    (void)state;
    struct slice event = event_of("{\"x\":[1.0, {\"a\" : 1e5},\"\\u0041\"]}");
    struct parts parts = {0};
    struct err err;
    assert_int_equal(split(&parts, ".x[]", event, &err), 0);
    assert_int_equal(parts.count, 3);
    assert_part(&parts, 0, "1.0");
    assert_part(&parts, 1, "{\"a\" : 1e5}");
    assert_part(&parts, 2, "\"\\u0041\"");
    assert_ptr_equal(parts_text(&parts, 0).data, event.data + 6);
    struct slice held = parts_hold(&parts, 1);
    parts_free(&parts);
    slice_drop(&event);
    assert_memory_equal(held.data, "{\"a\" : 1e5}", held.len);
    slice_drop(&held);
}

static void keeps_a_copy_of_parts_that_are_not_in_the_event(void **state)
{
    (void)state;
    struct slice event = event_of("{\"x\":[1,2]}");
    struct parts parts = {0};
    struct err err;
    assert_int_equal(split(&parts, "(.x|length), (range(30)|{i:.})", event, &err), 0);
    slice_drop(&event);
    assert_int_equal(parts.count, 31);
    assert_part(&parts, 0, "2");
    assert_part(&parts, 30, "{\"i\":29}");
    parts_free(&parts);
    parts_free(&parts);
}

static void takes_part_elements_with_line_breaks_beside_those_without(void **state)
{
    (void)state;
    struct slice event = event_of("[[1],[2,\r3],[4]]");
    struct parts parts = {0};
    struct err err;
    assert_int_equal(split(&parts, ".[]", event, &err), 0);
    assert_int_equal(parts.count, 3);
    assert_part(&parts, 0, "[1]");
    assert_part(&parts, 1, "[2,3]");
    assert_part(&parts, 2, "[4]");
    parts_free(&parts);
    slice_drop(&event);
}

static void says_why_an_event_cannot_be_split(void **state)
{
    (void)state;
    struct slice event = event_of("1");
    struct parts parts = {0};
    struct err err = {0};
    assert_int_equal(split(&parts, ".[]", event, &err), -1);
    assert_true(strlen(err.text) > 0);
    parts_free(&parts);
    slice_drop(&event);
}

/* ---- results ---- */

static void writes_no_line_as_null_and_several_as_an_array(void **state)
{
    (void)state;
    struct buf out = {0};
    split_value(&out, STR(""), 0);
    assert_text(&out, "null");
    split_value(&out, STR(" {\"a\" : 1} \n"), 1);
    assert_text(&out, "{\"a\" : 1}");
    split_value(&out, STR("1\n[2]\n\"x\"\n"), 3);
    assert_text(&out, "[1,[2],\"x\"]");
    buf_free(&out);
}

static void joins_elements_into_an_array(void **state)
{
    (void)state;
    struct buf array = {0};
    split_close(&array);
    assert_text(&array, "[]");
    split_add(&array, STR("1"));
    split_add_lines(&array, STR(""), 0);
    split_add_lines(&array, STR("2\n3\n"), 2);
    split_close(&array);
    assert_text(&array, "[1,null,[2,3]]");
    buf_free(&array);
}

static void writes_an_envelope_with_a_value_an_error_or_neither(void **state)
{
    (void)state;
    struct buf line = {0};
    struct split_envelope envelope = {.group = STR("a\"b"), .index = 3, .count = 10};
    split_envelope(&line, &envelope);
    assert_text(&line, "{\"part\":{\"group\":\"a\\\"b\",\"index\":3,\"count\":10}}\n");
    envelope.value = STR("[1]");
    split_envelope(&line, &envelope);
    assert_text(&line,
                "{\"part\":{\"group\":\"a\\\"b\",\"index\":3,\"count\":10},\"value\":[1]}\n");
    struct failure *failure = failure_new(FAILURE_PARTS, FAILURE_PERMANENT, "why");
    envelope.failure = failure;
    split_envelope(&line, &envelope);
    assert_text(&line, "{\"part\":{\"group\":\"a\\\"b\",\"index\":3,\"count\":10},\"error\":"
                       "{\"reason\":\"parts\",\"message\":\"why\",\"attempts\":0}}\n");
    failure_free(failure);
    buf_free(&line);
}

static struct failure *exit_failure(int status)
{
    struct failure *failure = failure_new(FAILURE_EXIT, FAILURE_ORDINARY, "exit status %d", status);
    failure->exit = status;
    return failure;
}

static void names_the_first_failed_parts_and_counts_the_others(void **state)
{
    (void)state;
    struct split_failures failures = {0};
    assert_null(split_failures_end(&failures, 5, 0));
    split_failures_take(&failures, 4, 1, 2, exit_failure(7));
    split_failures_take(&failures, 0, 3, 2, exit_failure(8));
    split_failures_take(&failures, 9, 1, 2, exit_failure(9));
    struct failure *failure = split_failures_end(&failures, 20, 6);
    assert_int_equal(failure->reason, FAILURE_PARTS);
    assert_int_equal(failure->exit, 7);
    assert_string_equal(failure->message, "5 of 20 parts failed, 6 did not run: "
                                          "part 4: exit status 7; parts 0 to 2: exit status 8");
    struct json_scan scan;
    assert_int_equal(json_scan(str_of(failure->detail), NULL, NULL, &scan), 0);
    assert_non_null(strstr(failure->detail, "{\"part\":0,\"parts\":3,\"reason\":\"exit\""));
    assert_null(strstr(failure->detail, "\"part\":9"));
    failure_free(failure);
    assert_null(failures.first);
}

/* ---- batches ---- */

static void hands_over_values_as_an_array_byte_for_byte(void **state)
{
    (void)state;
    struct buf array = {0};
    struct slice none = batch_finish(&array);
    assert_memory_equal(none.data, "[]", none.len);
    slice_drop(&none);
    batch_add(&array, STR("1.0"));
    batch_add(&array, STR(" {\"a\" : 1}"));
    struct slice event = batch_finish(&array);
    assert_int_equal(event.len, strlen("[1.0, {\"a\" : 1}]"));
    assert_memory_equal(event.data, "[1.0, {\"a\" : 1}]", event.len);
    slice_drop(&event);
}

static void tells_one_answer_for_each_from_one_for_all(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        size_t count, values;
        enum batch_answer answer;
    } cases[] = {
        {"", 0, 3, BATCH_NOTHING},           {"[1,[2,3],{}]\n", 1, 3, BATCH_EACH},
        {" [1]\n", 1, 1, BATCH_EACH},        {"[]\n", 1, 1, BATCH_WRONG},
        {"[1,2]\n", 1, 3, BATCH_WRONG},      {"[1,2,3,4]\n", 1, 3, BATCH_WRONG},
        {"{\"a\":[]}\n", 1, 3, BATCH_WHOLE}, {"null\n", 1, 3, BATCH_WHOLE},
        {"[1]\n[2]\n", 2, 1, BATCH_WHOLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fn_call call = {.count = cases[i].count,
                               .lines = {NULL, cases[i].lines, strlen(cases[i].lines)}};
        assert_int_equal(batch_answer(&call, cases[i].values), cases[i].answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_parts_where_they_stand_in_the_event),
        cmocka_unit_test(keeps_a_copy_of_parts_that_are_not_in_the_event),
        cmocka_unit_test(takes_part_elements_with_line_breaks_beside_those_without),
        cmocka_unit_test(says_why_an_event_cannot_be_split),
        cmocka_unit_test(writes_no_line_as_null_and_several_as_an_array),
        cmocka_unit_test(joins_elements_into_an_array),
        cmocka_unit_test(writes_an_envelope_with_a_value_an_error_or_neither),
        cmocka_unit_test(names_the_first_failed_parts_and_counts_the_others),
        cmocka_unit_test(hands_over_values_as_an_array_byte_for_byte),
        cmocka_unit_test(tells_one_answer_for_each_from_one_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
