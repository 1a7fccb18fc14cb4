/*
 * plan_push.h: the plan that pushes each event into a durable queue.
 *
 * An event is done when its push is committed (group commit: with all that were read meanwhile).
 * When the queue is at its limit the event waits for room, those behind it with it; or it dies; or
 * the oldest message makes room for it.
 */
#ifndef FIT_ENGINE_PLAN_PUSH_H
#define FIT_ENGINE_PLAN_PUSH_H

#include "engine/engine.h"
#include "state/queue.h"

enum plan_push_full { PUSH_BLOCK, PUSH_FAIL, PUSH_DROP_OLDEST };

struct push_settings {
    const char *queue;
    int64_t delay, expire, dedup_window; /* nanoseconds; 0: none */
    unsigned priority;
    const char *group, *dedup; /* jq programs, or NULL */
    uint64_t max_length;       /* 0: none */
    enum plan_push_full full;
    bool receipts; /* emit each message's number */
};

struct plan_push {
    struct plan plan; /* first */
    struct engine *engine;
    struct store *store;
    struct push_settings settings;
    struct jq_program *group, *dedup;
    struct push_job *waiting, *last_waiting; /* for room, in the order of their pushes */
    struct store_ear room;
    size_t on_their_way;
    struct loop_task again;
};

/* settings are copied. -1 with err. Then plan_push_free in any case. */
int plan_push_init(struct plan_push *push, struct engine *engine, struct store *store,
                   const struct push_settings *settings, struct err *err);
void plan_push_free(struct plan_push *push);

#endif
