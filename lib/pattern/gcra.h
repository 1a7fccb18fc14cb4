/*
 * gcra.h: the generic cell rate algorithm: no more than this rate, with a bounded burst.
 *
 * The virtual scheduling form of ITU-T I.371 (also Brandur Leach's "throttled" and redis-cell,
 * whose answers these are): a bucket is one number, the theoretical arrival time (TAT) of the next
 * event. What it is ahead of now is the debt, max(0, TAT - now); an event of n tokens conforms if
 * debt + n*T <= burst*T, where T = period / count is the time of one token; then TAT becomes
 * now + debt + n*T. A fresh bucket and one whose TAT has passed are the same.
 *
 * Pure integer arithmetic. TAT has a fraction of 64 bits below the nanosecond, in which each taking
 * is rounded down by less than its last bit: no rate drifts, also when T is not whole or the limit
 * changes between takings, and a full burst always fits. What a time beyond INT64_MAX would owe
 * fills the bucket for good.
 *
 * Time is an argument, never negative. Processes that share a bucket may come with times that are
 * out of order by up to GCRA_DISORDER: that much more than a full burst may be owed. Beyond it a
 * clock has stepped back, or the rate was raised: the debt is cut down to a full burst at the
 * present limit when something is taken or refused, so that neither denies for long. A reservation
 * (gcra_reserve) goes beyond the burst on purpose; how far is kept in the bucket, so that a taking
 * in between does not forgive it.
 */
#ifndef FIT_PATTERN_GCRA_H
#define FIT_PATTERN_GCRA_H

#include <stdbool.h>
#include <stdint.h>

#define GCRA_DISORDER INT64_C(1000000000) /* nanoseconds */

/* count tokens each period nanoseconds, and up to burst at once. All at least 1. */
struct gcra_limit {
    uint64_t count;
    int64_t period;
    uint64_t burst;
};

struct gcra {          /* zeroed: a fresh bucket */
    int64_t tat;       /* nanoseconds */
    uint64_t fraction; /* of one, in 1 / 2^64; counts behind tat */
    int64_t reserved;  /* nanoseconds: the furthest that a reservation went beyond the burst, since
                          the debt was last within it */
};

struct gcra_answer {
    bool limited;        /* refused: nothing was taken */
    uint64_t limit;      /* the burst: what could be had at once from a fresh bucket */
    uint64_t remaining;  /* tokens that could be had at once now */
    int64_t retry_after; /* nanoseconds until the same would be granted; 0: it was; -1: never, as it
                            is more than the burst */
    int64_t reset_after; /* until the bucket is fresh */
};

/*
 * Take tokens now, or be told when. 0 tokens take nothing, and are limited only by reservations.
 */
struct gcra_answer gcra_take(struct gcra *bucket, const struct gcra_limit *limit, int64_t now,
                             uint64_t tokens);

/* The same without changing anything. */
struct gcra_answer gcra_look(const struct gcra *bucket, const struct gcra_limit *limit, int64_t now,
                             uint64_t tokens);

/*
 * Take tokens at the earliest time that conforms: *at, now or later, if that is at most `ahead`
 * nanoseconds from now; true. Else false, nothing is taken, and *at is that time. Tokens over the
 * burst are granted as a full bucket's would be, and delay those who come after.
 */
bool gcra_reserve(struct gcra *bucket, const struct gcra_limit *limit, int64_t now, uint64_t tokens,
                  int64_t ahead, int64_t *at);

#endif
