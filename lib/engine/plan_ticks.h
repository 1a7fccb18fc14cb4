/*
 * plan_ticks.h: the plan of `every`: a call for each time that begins.
 *
 * Which times begin, and when, is for the source (source_ticks.h). What is left to do here is to
 * end the calls under way when another time is to take their place: their events are dropped.
 */
#ifndef FIT_ENGINE_PLAN_TICKS_H
#define FIT_ENGINE_PLAN_TICKS_H

#include "engine/engine.h"

struct ticks_job;

struct plan_ticks {
    struct plan plan; /* first */
    struct fn *fn;
    bool replaces;
    struct ticks_jobs {
        struct ticks_job *first, *last;
    } running;
};

/* replaces: of two events the later one ends the call of the earlier one. */
void plan_ticks_init(struct plan_ticks *ticks, struct fn *fn, bool replaces);

#endif
