/* breaker_report.c: what a breaker is and was, as JSON. */
#include "engine/breaker_report.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/showing.h"
#include "state/shared_breaker.h"

#include <stdlib.h>

/* A time of clock_now as the time of day. */
static void add_time(struct buf *line, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];
    buf_addf(line, ",\"%s\":\"%s\"", key, clock_format(clock_wall() + (at - clock_now()), text));
}

static void add_rate(struct buf *line, const char *key, double rate)
{
    if (rate < 0)
        buf_addf(line, ",\"%s\":null", key);
    else
        buf_addf(line, ",\"%s\":%.4g", key, rate);
}

static void add_transition(struct buf *line, const struct breaker_transition *transition)
{
    buf_addf(line, "\"from\":\"%s\",\"to\":\"%s\",\"cause\":\"%s\",\"generation\":%llu",
             breaker_state_name((enum breaker_state)transition->from),
             breaker_state_name((enum breaker_state)transition->to),
             breaker_cause_name((enum breaker_cause)transition->cause),
             (unsigned long long)transition->generation);
    add_time(line, "at", transition->at);
}

static double seconds(int64_t time)
{
    return (double)time / 1e9;
}

static void add_settings(struct buf *line, const struct breaker_settings *settings)
{
    buf_addf(line, ",\"settings\":{\"failure_rate\":%.6g,\"slow_rate\":%.6g,\"slow\":%.9g",
             settings->failure_rate, settings->slow_rate, seconds(settings->slow));
    if (settings->window_time)
        buf_addf(line, ",\"window_seconds\":%u", settings->window_time);
    else
        buf_addf(line, ",\"window_calls\":%u", settings->window_calls);
    buf_addf(line, ",\"min_calls\":%u,\"consecutive\":%u,\"open_for\":%.9g", settings->min_calls,
             settings->consecutive, seconds(settings->open_for));
    buf_addf(line, ",\"open_growth\":%.6g,\"open_max\":%.9g,\"probes\":%u}", settings->open_growth,
             seconds(settings->open_max), settings->probes);
}

/* The number of the oldest transition that is still in the log. */
static uint64_t oldest(const struct breaker *breaker)
{
    return breaker->transitions > BREAKER_LOG ? breaker->transitions - BREAKER_LOG : 0;
}

static void report(struct buf *line, const char *name, const struct breaker *breaker,
                   const struct breaker_settings *settings)
{
    int64_t now = clock_now();
    struct breaker_counts counts = breaker_counts(breaker, now);
    showing_begin(line, name);
    buf_addf(line, ",\"state\":\"%s\"", breaker_state_name((enum breaker_state)breaker->state));
    add_time(line, "since", breaker->since);
    if (breaker->state == BREAKER_OPEN)
        add_time(line, "until", breaker->until);
    buf_addf(line, ",\"generation\":%llu,\"calls\":%u,\"failed\":%u,\"slow\":%u",
             (unsigned long long)breaker->generation, counts.calls, counts.failed, counts.slow);
    add_rate(line, "failure_rate", breaker_failure_rate(breaker, settings, now));
    add_rate(line, "slow_rate", breaker_slow_rate(breaker, settings, now));
    buf_addf(line, ",\"consecutive\":%u,\"denied\":%llu,\"transitions\":[", breaker->consecutive,
             (unsigned long long)breaker->denied);
    for (uint64_t i = oldest(breaker); i < breaker->transitions; i++) {
        buf_puts(line, i > oldest(breaker) ? ",{" : "{");
        add_transition(line, &breaker->log[i % BREAKER_LOG]);
        buf_addc(line, '}');
    }
    buf_addc(line, ']');
    add_settings(line, settings);
    buf_addc(line, '}');
}

static int describe(struct home *home, const char *name, struct buf *line, struct err *err)
{
    struct breaker_settings settings;
    struct shared_breaker *shared = shared_breaker_open(home, str_of(name), NULL, NULL, err);
    if (!shared)
        return -1;
    struct breaker *copy = mem_alloc(sizeof *copy);
    shared_breaker_read(shared, copy, &settings);
    report(line, name, copy, &settings);
    free(copy);
    shared_breaker_free(shared);
    return 0;
}

int breaker_report_show(const char *state, const char *name)
{
    const struct showing showing = {.what = "breaker",
                                    .state = state,
                                    .name = name,
                                    .list = shared_breaker_list,
                                    .describe = describe};
    return showing_run(&showing);
}

uint64_t breaker_report_since(struct buf *lines, const char *name, const struct breaker *breaker,
                              uint64_t seen)
{
    if (seen < oldest(breaker))
        seen = oldest(breaker);
    for (; seen < breaker->transitions; seen++) {
        showing_begin(lines, name);
        buf_addc(lines, ',');
        add_transition(lines, &breaker->log[seen % BREAKER_LOG]);
        buf_puts(lines, "}\n");
    }
    return breaker->transitions;
}
