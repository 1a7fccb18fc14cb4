/*
 * plan_broadcast.h: the plan of `broadcast`: give each event to every subscriber, at its own pace.
 *
 * A job makes a call of each subscriber (subscribers.h) that gets its event now. Where others get
 * it later it is parked (engine.h) and stands in the log: it leaves the window when those have
 * ended with it, and comes back for each that reads on. Where only the results of one subscriber
 * are wanted, that one has a job of its own, and its results wait for nobody else.
 */
#ifndef FIT_ENGINE_PLAN_BROADCAST_H
#define FIT_ENGINE_PLAN_BROADCAST_H

#include "engine/subscribers.h"

struct broadcast_settings {
    const char **subscribers; /* as written: FUNCTION or NAME=FUNCTION */
    size_t count;
    const char *result;         /* "all", "none" or the name of one */
    enum subscribers_full full; /* what becomes of an event when a subscriber takes no more */
    unsigned buffer;            /* events that may wait for a subscriber */
    bool serial;                /* --serial-by is given */
};

struct plan_broadcast;

/* Open what the settings (kept) say. NULL with err. */
struct plan_broadcast *plan_broadcast_new(struct engine *engine,
                                          const struct broadcast_settings *settings,
                                          struct err *err);
struct plan *plan_broadcast_plan(struct plan_broadcast *broadcast);
void plan_broadcast_tell(const struct plan_broadcast *broadcast); /* who missed how much */
void plan_broadcast_free(struct plan_broadcast *broadcast); /* before the engine; NULL is a no-op */

#endif
