/*
 * plan_aggregate.h: the plan of `aggregate`: one event to several functions at once, one answer.
 *
 * A job calls all its parts with the same bytes and waits until it is known what becomes of it.
 * Without `need` all parts are awaited; a required one that fails makes the event dead at once.
 * With it so many answers are enough. What still runs then is ended (fn_end), and nobody waits for
 * it. A part that fails may be stood in for by its last good answer (good_answers.h); where not all
 * parts are needed, only if there are not enough new ones.
 *
 * With a ledger each part has its record, under its name, and the answer has one: a rerun prints
 * what was printed, also where a part had failed or was not needed.
 */
#ifndef FIT_ENGINE_PLAN_AGGREGATE_H
#define FIT_ENGINE_PLAN_AGGREGATE_H

#include "engine/engine.h"

struct aggregate_settings {
    const char *const *parts; /* NAME=FUNCTION or ?NAME=FUNCTION; checked here */
    size_t count;
    size_t need;           /* answers that are enough; 0: all, but for what is optional */
    const char *join;      /* NULL: the answer is the object */
    int64_t cached;        /* nanoseconds that an answer may stand in; 0: none does */
    const char *cached_by; /* NULL: that of any event may */
    const char *cached_in; /* the name in the store; NULL: in memory only */
};

struct plan_aggregate;

/* Compile and open what the settings (kept) say. NULL with err. */
struct plan_aggregate *plan_aggregate_new(struct engine *engine,
                                          const struct aggregate_settings *settings,
                                          struct err *err);
struct plan *plan_aggregate_plan(struct plan_aggregate *aggregate);
void plan_aggregate_free(struct plan_aggregate *aggregate); /* before the engine; NULL is a no-op */

#endif
