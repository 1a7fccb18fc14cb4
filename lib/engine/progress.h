/*
 * progress.h: the line on a terminal that tells how far a run is (--progress).
 *
 * It is drawn a few times a second, cut to the width of the terminal, taken away before anything
 * else is written there, and gone at the end.
 */
#ifndef FIT_ENGINE_PROGRESS_H
#define FIT_ENGINE_PROGRESS_H

#include "base/buf.h"

#include <stdint.h>

#define PROGRESS_EVERY INT64_C(200000000) /* nanoseconds from one drawing to the next */
enum { PROGRESS_COLUMNS = 80, PROGRESS_BAR = 20 };

struct progress_facts {
    uint64_t done, dead, in_flight;
    double rate;     /* calls a second */
    double fraction; /* of the input that is through; below 0: not known */
    int64_t elapsed; /* nanoseconds */
};

/* Append the line, at most so many columns wide, without an end of line. */
void progress_format(struct buf *line, const struct progress_facts *facts, unsigned columns);

/* What stays of the run, by what is through of it: nanoseconds. */
int64_t progress_left(double fraction, int64_t elapsed);

/* The rate, moved towards what happened in the last interval: count calls in nanoseconds. */
double progress_rate(double rate, uint64_t count, int64_t interval);

#endif
