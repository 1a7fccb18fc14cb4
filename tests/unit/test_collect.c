/* test_collect.c: the gathering of what functions print. */
#include "fn/collect.h"

#include "fn/function.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LONG = FN_SPILL + 100000 };

static void print(struct collect *collect, struct str text)
{
    while (text.len) {
        size_t room;
        char *space = collect_space(collect, &room);
        size_t piece = text.len < room ? text.len : room;
        memcpy(space, text.data, piece);
        assert_int_equal(collect_filled(collect, piece), 0);
        text.data += piece;
        text.len -= piece;
    }
}

/* Nothing more is printed: the results must be these lines. */
static void assert_results(struct collect *collect, struct str want, size_t want_count)
{
    struct slice lines;
    size_t count;
    struct err err;
    assert_int_equal(collect_finish(collect, &lines, &count, &err), 0);
    assert_int_equal(count, want_count);
    assert_int_equal(lines.len, want.len);
    assert_true(str_eq(slice_str(lines), want));
    slice_drop(&lines);
}

static struct collect fresh(void)
{
    struct collect collect;
    collect_init(&collect, 4 * LONG, false, "/tmp");
    return collect;
}

/* A string of LONG bytes with something around it. */
static void add_long(struct buf *text, char byte, const char *before, const char *after)
{
    buf_puts(text, before);
    buf_reserve(text, LONG);
    memset(text->data + text->len, byte, LONG);
    text->len += LONG;
    buf_puts(text, after);
}

static void begins_anew_after_a_bad_result(void **state)
{
    (void)state;
    struct collect collect = fresh();
    struct slice lines;
    size_t count;
    struct err err;
    print(&collect, STR("{\n"));
    assert_int_equal(collect_finish(&collect, &lines, &count, &err), -1);
    assert_int_equal(err.kind, ERR_INPUT);
    print(&collect, STR("1\n2\n"));
    assert_results(&collect, STR("1\n2\n"), 2);
    assert_results(&collect, STR(""), 0);
    collect_free(&collect);
}

static void ends_lines_with_lf_and_skips_blank_ones(void **state)
{
    (void)state;
    struct collect collect = fresh();
    print(&collect, STR(" \n1\r\n\r\n\n2"));
    assert_results(&collect, STR("1\n2\n"), 2);
    collect_free(&collect);
}

static void does_the_same_to_lines_that_wait_in_a_file(void **state)
{
    (void)state;
    struct collect collect = fresh();
    struct buf text = {0}, want = {0};
    add_long(&text, 'x', "0\r\n\"", "\"\r\n\r\n1\r\n");
    add_long(&want, 'x', "0\n\"", "\"\n1\n");
    add_long(&text, ' ', "", "\r\n");
    add_long(&text, 'y', "\"", "\"\n");
    add_long(&want, 'y', "\"", "\"\n");
    print(&collect, buf_str(&text));
    assert_results(&collect, buf_str(&want), 4);
    buf_free(&text);
    buf_free(&want);
    collect_free(&collect);
}

static void takes_a_long_blank_line_for_no_result(void **state)
{
    (void)state;
    struct collect collect = fresh();
    struct buf text = {0};
    add_long(&text, ' ', "", "\r\n");
    print(&collect, buf_str(&text));
    assert_results(&collect, STR(""), 0);
    buf_free(&text);
    collect_free(&collect);
}

static void refuses_a_long_line_that_is_not_json(void **state)
{
    (void)state;
    struct collect collect = fresh();
    struct buf text = {0};
    struct slice lines;
    size_t count;
    struct err err;
    add_long(&text, 'x', "1\n\"", "\n2\n");
    print(&collect, buf_str(&text));
    assert_int_equal(collect_finish(&collect, &lines, &count, &err), -1);
    assert_results(&collect, STR(""), 0);
    buf_free(&text);
    collect_free(&collect);
}

static void assert_refused(struct collect *collect, const char *why)
{
    struct slice lines;
    size_t count;
    struct err err;
    assert_int_equal(collect_finish(collect, &lines, &count, &err), -1);
    assert_string_equal(err.text, why);
}

static void takes_a_document_on_several_lines_for_one_result(void **state)
{
    (void)state;
    struct collect collect = fresh();
    collect.document = true;
    print(&collect, STR("{\n  \"a\": [1,\r\n 2]\n}\n\n"));
    assert_results(&collect, STR("{\"a\":[1,2]}\n"), 1);
    print(&collect, STR(" {\"a\": 1}"));
    assert_results(&collect, STR("{\"a\": 1}\n"), 1);
    print(&collect, STR("1\n\n2\n"));
    assert_results(&collect, STR("1\n2\n"), 2);
    print(&collect, STR("\n \n"));
    assert_results(&collect, STR(""), 0);
    collect_free(&collect);
}

static void says_where_a_document_is_broken(void **state)
{
    (void)state;
    struct collect collect = fresh();
    collect.document = true;
    print(&collect, STR("{\n  \"a\": nil\n}\n"));
    assert_refused(&collect, "the result is not JSON: expected a value at byte 11");
    print(&collect, STR("1\n2]\n"));
    assert_refused(&collect, "result line 2: text after the value at byte 2");
    collect_free(&collect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_anew_after_a_bad_result),
        cmocka_unit_test(ends_lines_with_lf_and_skips_blank_ones),
        cmocka_unit_test(does_the_same_to_lines_that_wait_in_a_file),
        cmocka_unit_test(takes_a_long_blank_line_for_no_result),
        cmocka_unit_test(refuses_a_long_line_that_is_not_json),
        cmocka_unit_test(takes_a_document_on_several_lines_for_one_result),
        cmocka_unit_test(says_where_a_document_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
