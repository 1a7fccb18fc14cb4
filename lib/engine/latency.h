/*
 * latency.h: durations of many calls, as percentiles and a histogram.
 */
#ifndef FIT_ENGINE_LATENCY_H
#define FIT_ENGINE_LATENCY_H

#include "base/buf.h"

#include <stdint.h>

/* Zeroed before first use. */
struct latency {
    int64_t *samples; /* nanoseconds */
    size_t count, cap;
};

void latency_add(struct latency *latency, int64_t nanoseconds);
void latency_free(struct latency *latency);

/* "12 calls: min 1.20ms, p50 1.31ms, p95 ..." and a line for each power of two of microseconds that
 * has samples, with a bar. */
void latency_describe(struct latency *latency, const char *name, struct buf *text);

/* {"count":..,"min_ms":..,"p50_ms":..,"p95_ms":..,"p99_ms":..,"max_ms":..} */
void latency_json(struct latency *latency, struct buf *text);

#endif
