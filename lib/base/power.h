/*
 * power.h: powers with whole exponents.
 *
 * By repeated squaring, so that nothing of libm is needed: to load it takes a tenth of a start.
 */
#ifndef FIT_BASE_POWER_H
#define FIT_BASE_POWER_H

#include <stdint.h>

/* base to the power of exponent; 1 for 0. Exact where every product is; infinity beyond a double.
 */
double power_of(double base, uint64_t exponent);

#endif
