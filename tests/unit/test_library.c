/* test_library.c: what opening a shared library promises. */
#include "base/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct table {
    void *(*jq_init)(void);
    void (*jq_teardown)(void **jq);
};

static const struct library_function functions[] = {
    {"jq_teardown", offsetof(struct table, jq_teardown)},
    {"jq_init", offsetof(struct table, jq_init)},
    {"no_such_function", 0},
};

static void opens_the_first_file_that_it_can_and_fills_the_table(void **state)
{
    (void)state;
    const struct library library = {"tests need libjq", {"no-such.so", "libjq.so.1"}, functions, 2};
    struct table table = {NULL, NULL};
    struct err err;
    assert_int_equal(library_open(&library, &table, &err), 0);
    void *jq = table.jq_init();
    assert_non_null(jq);
    table.jq_teardown(&jq);
    assert_null(jq);
}

static void tells_the_need_and_why_the_first_file_cannot_be_opened(void **state)
{
    (void)state;
    const struct library library = {"tests need it", {"no-such.so", "nor-this.so"}, functions, 2};
    struct table table;
    struct err err;
    assert_int_equal(library_open(&library, &table, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_int_equal(strncmp(err.text, "tests need it: no-such.so: ", 27), 0);
}

static void names_the_function_that_a_library_lacks(void **state)
{
    (void)state;
    const struct library library = {"tests need more", {"libjq.so.1"}, functions, 3};
    struct table table;
    struct err err;
    assert_int_equal(library_open(&library, &table, &err), -1);
    assert_int_equal(err.kind, ERR_NOT_USABLE);
    assert_string_equal(err.text, "tests need more: it has no no_such_function");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_first_file_that_it_can_and_fills_the_table),
        cmocka_unit_test(tells_the_need_and_why_the_first_file_cannot_be_opened),
        cmocka_unit_test(names_the_function_that_a_library_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
