/*
 * plan_route.h: the plan of `route`: send each event to the function that its content names.
 *
 * What selects is either a list of predicates (routes.h) or a program whose value is the name of an
 * executable in a folder (folder.h). A job makes one call for each route that its event takes, and
 * ends when all of them have ended.
 */
#ifndef FIT_ENGINE_PLAN_ROUTE_H
#define FIT_ENGINE_PLAN_ROUTE_H

#include "engine/engine.h"

enum route_full { ROUTE_BLOCK, ROUTE_DEAD, ROUTE_DROP };

struct route_options {
    const char **pairs; /* predicate, function, predicate, ... */
    size_t pair_words;
    const char *table; /* NULL: none */
    const char *by;    /* NULL: by predicates; else with dir */
    const char *dir;
    const char *otherwise; /* the function for what nothing selects; NULL: dead letters */
    bool all;
    bool explain;
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
