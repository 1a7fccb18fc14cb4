/*
 * plan_ping.h: the plan that makes several marked calls of one function at once, and tells how long
 * they took.
 *
 * Each event of the source is a round: so many pings, which are begun together so that as many
 * instances of the function are needed. What a ping answers is thrown away. The round's result is
 * one line of JSON; it is dead if one of its pings has failed, and that is said.
 */
#ifndef FIT_ENGINE_PLAN_PING_H
#define FIT_ENGINE_PLAN_PING_H

#include "engine/engine.h"
#include "engine/latency.h"

struct plan_ping {
    struct plan plan; /* first */
    struct fn *fn;
    unsigned concurrency;           /* pings of a round */
    bool tells_cold;                /* the function's kind knows whether a call met a cold start */
    struct latency all, cold, warm; /* of all rounds; of those that were answered */
    uint64_t rounds, pings, failed;
    uint64_t run; /* in the ids of its events */
};

/* Observes the engine's attempts, and adds its counts to the report. Outlives engine_run. */
void plan_ping_init(struct plan_ping *ping, struct engine *engine, struct fn *fn,
                    unsigned concurrency);
void plan_ping_free(struct plan_ping *ping);

/* Some lines for people about all rounds. */
void plan_ping_describe(struct plan_ping *ping, struct buf *text);

/*
 * The event, without LF: a CloudEvent of that id and of type fit.warm. The mark that plugins for
 * warming agree on, {"warmer":true,"concurrency":N}, is its data, and stands beside it as two
 * extension attributes for functions that look at the top.
 */
void plan_ping_event(struct str id, unsigned concurrency, int64_t time, struct buf *event);

#endif
