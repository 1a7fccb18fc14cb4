/* breaker_window.c: the results that a circuit breaker judges: of the last calls, or seconds. */
#include "pattern/breaker_window.h"

#include "base/num.h"

#include <string.h>

enum { FAILED = 1, SLOW = 2 }; /* bits of a call in the ring */

void breaker_counts_add(struct breaker_counts *counts, bool failed, bool slow)
{
    counts->calls++;
    counts->failed += failed;
    counts->slow += slow;
    counts->slow_failed += failed && slow;
}

static void take_away(struct breaker_counts *counts, const struct breaker_counts *gone)
{
    counts->calls -= gone->calls;
    counts->failed -= gone->failed;
    counts->slow -= gone->slow;
    counts->slow_failed -= gone->slow_failed;
}

static uint32_t calls_wanted(uint32_t calls, uint32_t seconds)
{
    if (seconds)
        return 0;
    return !calls ? 1 : calls < BREAKER_CALLS_MAX ? calls : BREAKER_CALLS_MAX;
}

static uint32_t seconds_wanted(uint32_t seconds)
{
    return seconds < BREAKER_SECONDS_MAX ? seconds : BREAKER_SECONDS_MAX;
}

void breaker_window_init(struct breaker_window *window, uint32_t calls, uint32_t seconds,
                         int64_t now)
{
    window->calls = calls_wanted(calls, seconds);
    window->seconds = seconds_wanted(seconds);
    window->counts = (struct breaker_counts){0};
    window->second = now / NUM_SECOND;
    window->next = 0;
    memset(window->ring.seconds, 0, window->seconds * sizeof *window->ring.seconds);
}

bool breaker_window_fits(const struct breaker_window *window, uint32_t calls, uint32_t seconds)
{
    return window->calls == calls_wanted(calls, seconds) &&
           window->seconds == seconds_wanted(seconds);
}

/* Seconds that the clock is ahead of the newest one; below 0 only if it was set back. */
static int64_t seconds_ahead(const struct breaker_window *window, int64_t now)
{
    int64_t ahead = now / NUM_SECOND - window->second;
    return ahead < 0 && ahead > -(int64_t)window->seconds ? 0 : ahead;
}

static void advance(struct breaker_window *window, int64_t now)
{
    int64_t ahead = seconds_ahead(window, now);
    window->second += ahead;
    if (ahead > window->seconds)
        ahead = window->seconds;
    for (; ahead > 0; ahead--) {
        window->next = (window->next + 1) % window->seconds;
        struct breaker_counts *oldest = &window->ring.seconds[window->next];
        take_away(&window->counts, oldest);
        *oldest = (struct breaker_counts){0};
    }
}

static void add_to_second(struct breaker_window *window, bool failed, bool slow, int64_t now)
{
    advance(window, now);
    if (window->counts.calls == UINT32_MAX)
        return;
    breaker_counts_add(&window->ring.seconds[window->next], failed, slow);
    breaker_counts_add(&window->counts, failed, slow);
}

static void add_call(struct breaker_window *window, bool failed, bool slow)
{
    uint8_t *place = &window->ring.calls[window->next];
    if (window->counts.calls == window->calls) {
        struct breaker_counts oldest = {0};
        breaker_counts_add(&oldest, *place & FAILED, *place & SLOW);
        take_away(&window->counts, &oldest);
    }
    *place = (uint8_t)((failed ? FAILED : 0) | (slow ? SLOW : 0));
    breaker_counts_add(&window->counts, failed, slow);
    window->next = (window->next + 1) % window->calls;
}

void breaker_window_add(struct breaker_window *window, bool failed, bool slow, int64_t now)
{
    if (window->seconds)
        add_to_second(window, failed, slow, now);
    else
        add_call(window, failed, slow);
}

struct breaker_counts breaker_window_counts(const struct breaker_window *window, int64_t now)
{
    struct breaker_counts counts = window->counts;
    int64_t ahead = window->seconds ? seconds_ahead(window, now) : 0;
    if (ahead > window->seconds)
        ahead = window->seconds;
    for (int64_t i = 1; i <= ahead; i++) {
        uint64_t place = (window->next + (uint64_t)i) % window->seconds;
        take_away(&counts, &window->ring.seconds[place]);
    }
    return counts;
}

void breaker_window_rebase(struct breaker_window *window, int64_t now)
{
    window->second = now / NUM_SECOND;
}
