/* power.c: powers with whole exponents. */
#include "base/power.h"

double power_of(double base, uint64_t exponent)
{
    double power = 1;
    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            power *= base;
        base *= base;
    }
    return power;
}
