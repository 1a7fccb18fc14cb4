/* breaker_report.c: what a breaker is and was, as JSON. */
#include "engine/breaker_report.h"

#include "base/clock.h"
#include "engine/showing.h"

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

/* The number of the oldest transition that is still in the log. */
static uint64_t oldest(const struct breaker *breaker)
{
    return breaker->transitions > BREAKER_LOG ? breaker->transitions - BREAKER_LOG : 0;
}

void breaker_report(struct buf *line, const char *name, const struct breaker *breaker,
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
    buf_puts(line, "]}");
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
