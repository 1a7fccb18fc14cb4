/* test_named.c: which words give a function a name. */
#include "engine/named.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *text, const char *name, const char *function, bool optional)
{
    struct named got = named_parse(text);
    assert_true(str_eq(got.name, str_of(name)));
    assert_int_equal(got.name.data != NULL, name != NULL);
    assert_string_equal(got.function, function);
    assert_int_equal(got.optional, optional);
}

static void takes_a_name_before_the_first_equals_sign(void **state)
{
    (void)state;
    expect("price=./price -x", "price", "./price -x", false);
    expect("a=b=c", "a", "b=c", false);
    expect("_=-", "_", "-", false);
    expect("A-1_b=lines:./w", "A-1_b", "lines:./w", false);
    expect("a=", "a", "", false);
    expect("a= ./f", "a", " ./f", false);
    expect("a=?./f", "a", "?./f", false);
}

static void takes_a_question_mark_for_an_optional_one(void **state)
{
    (void)state;
    expect("?stock=./stock", "stock", "./stock", true);
    expect("?a=", "a", "", true);
}

static void leaves_all_else_as_a_function_without_a_name(void **state)
{
    static const char *const others[] = {
        "",        "=./f",          "?",          "?=./f",    "??a=./f",
        "?./f",    "./f",           "./f A=b",    "1a=./f",   "-a=./f",
        "a b=./f", " a=./f",        "lines:./f=", "file:a=b", "\xc3\xa4=./f",
        "a.b=./f", "sh -c 'A=1 f'", "price"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect(others[i], NULL, others[i], false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_name_before_the_first_equals_sign),
        cmocka_unit_test(takes_a_question_mark_for_an_optional_one),
        cmocka_unit_test(leaves_all_else_as_a_function_without_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
