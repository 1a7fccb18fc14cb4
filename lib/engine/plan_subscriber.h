/*
 * plan_subscriber.h: the plan of a topic's subscriber: its function on the events that its filter
 * selects.
 *
 * In order, one event is under way at a time, its retries included, so that those behind it wait
 * until it has ended. An event that the filter does not select is dropped; one on which it fails is
 * dead.
 */
#ifndef FIT_ENGINE_PLAN_SUBSCRIBER_H
#define FIT_ENGINE_PLAN_SUBSCRIBER_H

#include "engine/engine.h"

struct plan_subscriber {
    struct plan plan; /* first */
    struct engine *engine;
    struct fn *fn;
    struct jq_program *filter; /* NULL: all */
    bool alone;                /* one at a time */
    size_t running;
};

/* filter may be NULL. -1 with err. Then plan_subscriber_free in any case. */
int plan_subscriber_init(struct plan_subscriber *subscriber, struct engine *engine, struct fn *fn,
                         const char *filter, bool alone, struct err *err);
void plan_subscriber_free(struct plan_subscriber *subscriber);

#endif
