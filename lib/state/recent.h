/*
 * recent.h: how often something happens, over about the last minute.
 *
 * A rate in thousandths a second, and the time (clock_wall) when it was brought up to date. It
 * decays with time, so it needs no clock of its own. Internal to lib/state.
 */
#ifndef FIT_STATE_RECENT_H
#define FIT_STATE_RECENT_H

#include <stdint.h>

/* What the rate has come to since then, a second. */
double recent_rate(uint64_t rate, uint64_t at, int64_t wall);

/* The rate to be kept with that time, after so many more. */
uint64_t recent_add(uint64_t rate, uint64_t at, int64_t wall, uint64_t count);

#endif
