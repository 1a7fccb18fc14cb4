/*
 * plan_publish.h: the plan that publishes each event to a durable topic.
 *
 * An event is done when its publication is committed (group commit: with all that were read
 * meanwhile). A commit keeps the order in which they were read.
 */
#ifndef FIT_ENGINE_PLAN_PUBLISH_H
#define FIT_ENGINE_PLAN_PUBLISH_H

#include "engine/engine.h"
#include "state/topic.h"

struct plan_publish {
    struct plan plan; /* first */
    struct engine *engine;
    struct store *store;
    const char *topic;
    bool receipts; /* emit each event's number */
    size_t on_their_way;
};

void plan_publish_init(struct plan_publish *publish, struct engine *engine, struct store *store,
                       const char *topic, bool receipts);

#endif
