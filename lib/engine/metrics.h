/*
 * metrics.h: the counts of a run in Prometheus' text format (--metrics FILE).
 *
 * Written for node_exporter's textfile collector and the like: the file is replaced as a whole, so
 * that a reader never sees a part of it.
 */
#ifndef FIT_ENGINE_METRICS_H
#define FIT_ENGINE_METRICS_H

#include "engine/report.h"
#include "fn/function.h"

#define METRICS_EVERY INT64_C(10000000000) /* nanoseconds from one writing to the next */
enum { METRICS_BUCKETS = 14 };

struct metrics {
    int64_t started;                       /* clock_wall of the run */
    uint64_t buckets[METRICS_BUCKETS + 1]; /* attempts by duration; not yet added up */
    double seconds;                        /* their durations together */
    uint64_t failures[FAILURE_REASONS];
};

void metrics_note(struct metrics *metrics, const struct fn_attempt *attempt);
void metrics_format(const struct metrics *metrics, const struct report *report, const char *command,
                    struct buf *text);

#endif
