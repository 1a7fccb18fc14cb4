/*
 * test_jq_stack.c: jq programs that would crash the process are stopped.
 *
 * Alone in its program: cmocka takes SIGSEGV before each test, so the guard must be set up inside
 * the only one.
 */
#include "format/jq.h"
#include "format/jq_guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* The event null fails with ERR_LIMIT, the next one is answered. */
static void expect_stopped(const char *text)
{
    struct err err = {0};
    struct jq_program *program = jq_compile(text, NULL, &err);
    struct jq_input runaway = {.text = STR("null")};
    struct jq_input harmless = {.text = STR("1")};

    assert_non_null(program);
    for (int i = 0; i < 2; i++) {
        if (jq_matches(program, &runaway, &err) != -1 || err.kind != ERR_LIMIT)
            fail_msg("%s: %s", text, err.text);
        assert_int_equal(jq_matches(program, &harmless, &err), 1);
    }
    jq_free(program);
}

static void survives_values_too_deep_for_the_stack_and_too_large_for_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* it has a SIGSEGV handler of its own and reports what the program had to leave behind
             */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    skip();
#endif
#endif
    expect_stopped("if . == null then reduce range(300000) as $i (0; [.]) | length else . end");
    jq_guard_set_limits(INT64_C(200000000), 64 * 1024 * 1024);
    expect_stopped("if . == null then .[100000000] = 1 | length else . end");
    expect_stopped("if . == null then reduce range(60) as $i (\"ab\"; . + .) | length else . end");
    expect_stopped("if . == null then \"a\" * 1e9 | length else . end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_values_too_deep_for_the_stack_and_too_large_for_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
