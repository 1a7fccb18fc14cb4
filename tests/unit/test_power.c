/* test_power.c: what powers with whole exponents promise. */
#include "base/power.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void is_exact_where_products_are(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 1024; exponent++)
        assert_true(power_of(2, exponent) == ldexp(1, (int)exponent));
    for (uint64_t exponent = 0; exponent <= 33; exponent++)
        assert_true(power_of(1.5, exponent) == pow(1.5, (double)exponent));
    assert_true(power_of(0, 0) == 1);
    assert_true(power_of(1, UINT64_MAX) == 1);
}

static void agrees_with_pow(void **state)
{
    (void)state;
    for (double base = 0.25; base < 4; base += 0.13) {
        for (uint64_t exponent = 0; exponent < 400; exponent++) {
            double expected = pow(base, (double)exponent);
            assert_true(fabs(power_of(base, exponent) - expected) <= expected * 1e-13);
        }
    }
}

static void ends_at_infinity_and_at_zero(void **state)
{
    (void)state;
    assert_true(isinf(power_of(1.0001, UINT64_MAX)));
    assert_true(isinf(power_of(2, 1024)));
    assert_true(power_of(0.9999, UINT64_MAX) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_exact_where_products_are),
        cmocka_unit_test(agrees_with_pow),
        cmocka_unit_test(ends_at_infinity_and_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
