/* recent.c: how often something happens, over about the last minute. */
#include "state/recent.h"

#include <math.h>

#define RECENT_SPAN 60.0 /* seconds that a rate looks back, about */

double recent_rate(uint64_t rate, uint64_t at, int64_t wall)
{
    double seconds = (double)(wall - (int64_t)at) / 1e9;
    return (double)rate / 1e3 * (seconds > 0 ? exp(-seconds / RECENT_SPAN) : 1);
}

uint64_t recent_add(uint64_t rate, uint64_t at, int64_t wall, uint64_t count)
{
    return (uint64_t)((recent_rate(rate, at, wall) + (double)count / RECENT_SPAN) * 1e3);
}
