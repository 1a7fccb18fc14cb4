/* test_json_merge.c: claims about JSON Merge Patch. */
#include "base/buf.h"
#include "format/json.h"
#include "format/json_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_merge(const char *target, const char *patch, const char *expected)
{
    struct buf out = {0};
    struct err err;
    struct json_scan scan;
    assert_int_equal(json_merge(str_of(target), str_of(patch), &out, &err), 0);
    assert_string_equal(buf_cstr(&out), expected);
    assert_int_equal(json_scan(buf_str(&out), NULL, NULL, &scan), 0);
    buf_free(&out);
}

static void does_what_the_table_of_the_rfc_says(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_merge(rows[i][0], rows[i][1], rows[i][2]);
}

static void keeps_the_bytes_of_what_it_does_not_change(void **state)
{
    (void)state;
    assert_merge("{\"n\":1.0e+5, \"x\" : [ 1,2 ] ,\"\\u0061b\":9007199254740993,\"n\":2}",
                 "{\"z\":0}",
                 "{\"n\":1.0e+5,\"x\":[ 1,2 ],\"\\u0061b\":9007199254740993,\"n\":2,\"z\":0}");
    assert_merge("{\"a\":{\"keep\":1.50,\"go\":1},\"b\":2}", "{\"a\":{\"go\":null}}",
                 "{\"a\":{\"keep\":1.50},\"b\":2}");
}

static void makes_a_value_where_there_is_none(void **state)
{
    (void)state;
    assert_merge(NULL, "{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "{\"b\":{\"d\":1}}");
    assert_merge(NULL, "3", "3");
}

static void knows_keys_however_they_are_written(void **state)
{
    (void)state;
    assert_merge("{\"\\u0061\":1,\"b\":2}", "{\"a\":3}", "{\"a\":3,\"b\":2}");
    assert_merge("{\"a\":1}", "{\"\\u0061\":null}", "{}");
    assert_merge("{\"\":1,\"a\":2}", "{\"\":null}", "{\"a\":2}");
}

static void takes_the_last_of_members_that_stand_twice(void **state)
{
    (void)state;
    assert_merge("{\"a\":{\"x\":1},\"b\":0,\"a\":{\"y\":2}}", "{\"a\":{\"z\":3}}",
                 "{\"b\":0,\"a\":{\"y\":2,\"z\":3}}");
    assert_merge("{}", "{\"a\":1,\"b\":0,\"a\":2}", "{\"b\":0,\"a\":2}");
    assert_merge("{\"a\":7}", "{\"a\":1,\"a\":null}", "{}");
}

static void refuses_a_patch_that_is_nested_too_deep(void **state)
{
    (void)state;
    struct buf patch = {0}, out = {0};
    struct err err;
    for (int i = 0; i < JSON_MERGE_DEPTH + 1; i++)
        buf_puts(&patch, "{\"a\":");
    buf_puts(&patch, "1");
    for (int i = 0; i < JSON_MERGE_DEPTH + 1; i++)
        buf_puts(&patch, "}");
    assert_int_equal(json_merge((struct str){NULL, 0}, buf_str(&patch), &out, &err), -1);
    assert_int_equal(err.kind, ERR_LIMIT);
    buf_clear(&out);
    struct str inner = {patch.data + 5, patch.len - 6};
    assert_int_equal(json_merge((struct str){NULL, 0}, inner, &out, &err), 0);
    assert_true(str_eq(buf_str(&out), inner));
    buf_free(&patch);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_the_table_of_the_rfc_says),
        cmocka_unit_test(keeps_the_bytes_of_what_it_does_not_change),
        cmocka_unit_test(makes_a_value_where_there_is_none),
        cmocka_unit_test(knows_keys_however_they_are_written),
        cmocka_unit_test(takes_the_last_of_members_that_stand_twice),
        cmocka_unit_test(refuses_a_patch_that_is_nested_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
