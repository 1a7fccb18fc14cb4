/*
 * plan_route.h: the plan of `route`: send each event to the function that its content names.
 *
 * A job makes one call for each route that its event takes (choice.h), and ends when all of them
 * have ended.
 */
#ifndef FIT_ENGINE_PLAN_ROUTE_H
#define FIT_ENGINE_PLAN_ROUTE_H

#include "engine/choice.h"
#include "engine/engine.h"

enum route_full { ROUTE_BLOCK, ROUTE_DEAD, ROUTE_DROP };

struct route_options {
    struct choice_options choice;
    bool explain;         /* say what is chosen, and send nothing */
    enum route_full full; /* what becomes of an event whose branch takes no more */
    unsigned buffer;      /* calls that may wait in a branch */
};

struct plan_route;

/* Compile and open what the options (kept) say. NULL with err. */
struct plan_route *plan_route_new(struct engine *engine, const struct route_options *options,
                                  struct err *err);
struct plan *plan_route_plan(struct plan_route *route);
void plan_route_tell(struct plan_route *route); /* say how many events each branch was given */
void plan_route_free(struct plan_route *route); /* before the engine; NULL is a no-op */

#endif
