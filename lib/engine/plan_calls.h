/*
 * plan_calls.h: the plan of one function: each event is a call, or up to so many events are one.
 *
 * A batch is sent when it is full, and when no more events are at hand and the function has room.
 * Its identity (FIT_ID) is the hash of its array. When its call fails, each of its events is dead,
 * with a letter of its own.
 */
#ifndef FIT_ENGINE_PLAN_CALLS_H
#define FIT_ENGINE_PLAN_CALLS_H

#include "engine/engine.h"

struct batch_call;

struct plan_calls {
    struct plan plan; /* first */
    struct fn *fn;
    size_t batch;            /* events of a call; 0: the event itself, not an array */
    struct batch_call *open; /* being gathered */
    uint64_t batches;        /* sent */
};

void plan_calls_init(struct plan_calls *calls, struct fn *fn, size_t batch);

#endif
