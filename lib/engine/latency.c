/* latency.c: durations of many calls, as percentiles and a histogram. */
#include "engine/latency.h"

#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

enum { BAR = 40, BUCKETS = 64 };

static const struct {
    const char *name;
    double fraction;
} marks[] = {{"min", 0}, {"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}};

void latency_add(struct latency *latency, int64_t nanoseconds)
{
    if (latency->count == latency->cap) {
        latency->cap = latency->cap ? latency->cap * 2 : 64;
        latency->samples = mem_realloc(latency->samples, latency->cap * sizeof *latency->samples);
    }
    latency->samples[latency->count++] = nanoseconds;
}

void latency_free(struct latency *latency)
{
    free(latency->samples);
    *latency = (struct latency){0};
}

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The nearest-rank percentile: the smallest sample that at least that fraction of the samples do
 * not exceed. 0 without samples. */
static int64_t percentile(struct latency *latency, double fraction)
{
    if (!latency->count)
        return 0;
    qsort(latency->samples, latency->count, sizeof *latency->samples, ascending);
    size_t rank = (size_t)ceil(fraction * (double)latency->count);
    return latency->samples[rank ? rank - 1 : 0];
}

/* The power of two of microseconds that a duration lies under: 0 for less than one. */
static int bucket_of(int64_t nanoseconds)
{
    int64_t microseconds = nanoseconds / 1000;
    return microseconds > 0 ? 64 - __builtin_clzll((unsigned long long)microseconds) : 0;
}

static void add_histogram(const struct latency *latency, struct buf *text)
{
    size_t counts[BUCKETS + 1] = {0}, most = 0;
    int first = BUCKETS, last = 0;
    for (size_t i = 0; i < latency->count; i++) {
        int bucket = bucket_of(latency->samples[i]);
        counts[bucket]++;
        first = bucket < first ? bucket : first;
        last = bucket > last ? bucket : last;
        most = counts[bucket] > most ? counts[bucket] : most;
    }
    for (int bucket = first; bucket <= last; bucket++) {
        char under[NUM_TEXT];
        size_t bar = (counts[bucket] * BAR + most - 1) / most;
        buf_addf(text, "  < %-7s %8zu ", num_format_duration((INT64_C(1) << bucket) * 1000, under),
                 counts[bucket]);
        for (size_t i = 0; i < bar; i++)
            buf_addc(text, '#');
        buf_addc(text, '\n');
    }
}

void latency_describe(struct latency *latency, const char *name, struct buf *text)
{
    if (!latency->count)
        return;
    buf_addf(text, "%s: %zu call%s", name, latency->count, latency->count == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char value[NUM_TEXT];
        num_format_duration(percentile(latency, marks[i].fraction), value);
        buf_addf(text, "%s%s %s", i ? ", " : ": ", marks[i].name, value);
    }
    buf_addc(text, '\n');
    if (latency->count > 1)
        add_histogram(latency, text);
}

void latency_json(struct latency *latency, struct buf *text)
{
    buf_addf(text, "{\"count\":%zu", latency->count);
    for (size_t i = 0; latency->count && i < sizeof marks / sizeof *marks; i++)
        buf_addf(text, ",\"%s_ms\":%.3f", marks[i].name,
                 (double)percentile(latency, marks[i].fraction) / 1e6);
    buf_addc(text, '}');
}
