/* recent.c: how often something happens, over about the last minute. */
#include "state/recent.h"

#include "base/power.h"

#define RECENT_SPAN 60.0                          /* seconds that a rate looks back, about */
#define LEFT        (1 - 1 / (RECENT_SPAN * 1e9)) /* of a rate, after a nanosecond */

double recent_rate(uint64_t rate, uint64_t at, int64_t wall)
{
    int64_t passed = wall - (int64_t)at;
    return (double)rate / 1e3 * power_of(LEFT, passed > 0 ? (uint64_t)passed : 0);
}

uint64_t recent_add(uint64_t rate, uint64_t at, int64_t wall, uint64_t count)
{
    return (uint64_t)((recent_rate(rate, at, wall) + (double)count / RECENT_SPAN) * 1e3);
}
