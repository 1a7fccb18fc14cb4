/* metrics.c: the counts of a run in Prometheus' text format. */
#include "engine/metrics.h"

static const double limits[METRICS_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                               0.1,    0.25,  0.5,    1,     2.5,  10,    60};

void metrics_note(struct metrics *metrics, const struct fn_attempt *attempt)
{
    double seconds = (double)attempt->duration / 1e9;
    int bucket = 0;
    while (bucket < METRICS_BUCKETS && seconds > limits[bucket])
        bucket++;
    metrics->buckets[bucket]++;
    metrics->seconds += seconds;
    if (attempt->failure)
        metrics->failures[attempt->failure->reason]++;
}

static void head(struct buf *text, const char *name, const char *type, const char *help)
{
    buf_addf(text, "# HELP fit_%s %s\n# TYPE fit_%s %s\n", name, help, name, type);
}

static void one(struct buf *text, const char *command, const char *name, const char *type,
                uint64_t value, const char *help)
{
    head(text, name, type, help);
    buf_addf(text, "fit_%s{command=\"%s\"} %llu\n", name, command, (unsigned long long)value);
}

static void one_of(struct buf *text, const char *command, const char *what, const char *name,
                   uint64_t value, const char *help)
{
    struct buf whole = {0};
    buf_addf(&whole, "%s%s", what, name);
    one(text, command, buf_cstr(&whole), "counter", value, help);
    buf_free(&whole);
}

static void add_made(const struct report *report, const char *command, struct buf *text)
{
    const struct report_made *made = &report->made;
    one_of(text, command, report->makes, "_read_total", made->read,
           "Taken of those that are made.");
    one_of(text, command, report->makes, "_done_total", made->done, "Of them, done.");
    one_of(text, command, report->makes, "_dead_total", made->dead, "Of them, dead.");
    one_of(text, command, report->makes, "_dropped_total", made->dropped, "Of them, dropped.");
    one_of(text, command, report->makes, "_returned_total", made->returned, "Of them, given back.");
}

static void add_failures(const struct metrics *metrics, const char *command, struct buf *text)
{
    head(text, "attempts_failed_total", "counter", "Attempts at calls that failed, by reason.");
    for (int reason = 0; reason < FAILURE_REASONS; reason++) {
        if (metrics->failures[reason])
            buf_addf(text, "fit_attempts_failed_total{command=\"%s\",reason=\"%s\"} %llu\n",
                     command, failure_name((enum failure_reason)reason),
                     (unsigned long long)metrics->failures[reason]);
    }
}

static void add_durations(const struct metrics *metrics, const char *command, struct buf *text)
{
    uint64_t count = 0;
    head(text, "attempt_duration_seconds", "histogram", "How long attempts at calls took.");
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        count += metrics->buckets[i];
        buf_addf(text, "fit_attempt_duration_seconds_bucket{command=\"%s\",le=\"%g\"} %llu\n",
                 command, limits[i], (unsigned long long)count);
    }
    count += metrics->buckets[METRICS_BUCKETS];
    buf_addf(text,
             "fit_attempt_duration_seconds_bucket{command=\"%s\",le=\"+Inf\"} %llu\n"
             "fit_attempt_duration_seconds_sum{command=\"%s\"} %.6f\n"
             "fit_attempt_duration_seconds_count{command=\"%s\"} %llu\n",
             command, (unsigned long long)count, command, metrics->seconds, command,
             (unsigned long long)count);
}

void metrics_format(const struct metrics *metrics, const struct report *report, const char *command,
                    struct buf *text)
{
    uint64_t ended = report->done + report->dead + report->dropped + report->returned;
    one(text, command, "events_read_total", "counter", report->read, "Events taken.");
    one(text, command, "events_done_total", "counter", report->done, "Events done.");
    one(text, command, "events_dead_total", "counter", report->dead, "Events that died.");
    one(text, command, "events_dropped_total", "counter", report->dropped, "Events dropped.");
    if (report->returns)
        one(text, command, "events_returned_total", "counter", report->returned,
            "Events given back to be handed out again.");
    one(text, command, "events_in_flight", "gauge", report->read - ended,
        "Events taken that have not ended.");
    one(text, command, "dead_letters_total", "counter", report->letters, "Dead letters written.");
    one(text, command, "results_total", "counter", report->results, "Result lines.");
    one(text, command, "bytes_in_total", "counter", report->bytes_in, "Bytes of events.");
    one(text, command, "bytes_out_total", "counter", report->bytes_out, "Bytes of results.");
    one(text, command, "attempts_total", "counter", report->attempts, "Attempts at calls.");
    if (report->makes)
        add_made(report, command, text);
    for (unsigned i = 0; i < report->counted; i++)
        one_of(text, command, report->counts[i].name, "_total", *report->counts[i].count,
               report->counts[i].help);
    add_failures(metrics, command, text);
    add_durations(metrics, command, text);
    one(text, command, "start_time_seconds", "gauge",
        (uint64_t)(metrics->started / INT64_C(1000000000)), "When the run began, since 1970.");
}
