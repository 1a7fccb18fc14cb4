/*
 * plan_split.h: the plan that splits each event into parts, calls the function for them in
 * parallel, and joins the results.
 *
 * Jobs with parts that have not begun stand in a ring. Whenever the function has room the first of
 * them begins one call and goes to the end of the ring, so that a large event does not hold up the
 * parts of its neighbours. Results are joined in the order of the parts as soon as that is known;
 * SPLIT_AHEAD bounds how many wait for an earlier one.
 *
 * The result of an event is an array: a part with one result gives that value, one without a result
 * null, one with several an array of them. Of a batch with one answer for all its parts, only that
 * answer is in the array. The array, or what the join program makes of it, is emitted when the
 * last part has ended, and nothing of it when the event is dead. A function without results (a
 * file) gives no array, unless a join program is there to make something of it.
 *
 * With envelopes each part is emitted as it ends, {"part":{"group":ID,"index":I,"count":N}} with
 * "value" or "error"; without both it has no result of its own. An event without parts gives
 * one envelope with count 0.
 */
#ifndef FIT_ENGINE_PLAN_SPLIT_H
#define FIT_ENGINE_PLAN_SPLIT_H

#include "engine/engine.h"

enum {
    SPLIT_JOBS = 64,    /* events with parts that have not begun; then no other event is taken */
    SPLIT_AHEAD = 4096, /* calls of one event begun before an earlier one has ended */
    SPLIT_TURN = 1024,  /* calls begun before the descriptors are looked at again */
    SPLIT_NAMED = 8,    /* failed parts that the letter of an event names; the others are counted */
};

enum split_failed {
    SPLIT_FAIL, /* the event is dead; its parts that have not begun do not run */
    SPLIT_SKIP, /* the part is left out, and has a letter of its own */
    SPLIT_NULL, /* it is null, and has a letter of its own */
};

struct split_settings {
    enum split_failed failed;
    size_t batch;   /* parts of a call (all of one event); 0: the part itself, not an array */
    bool envelopes; /* emit each part as it ends */
};

struct split_job;
struct split_call;

struct plan_split {
    struct plan plan; /* first */
    struct engine *engine;
    struct fn *fn;
    struct split_settings settings;
    struct jq_program *program;
    struct jq_program *join;        /* NULL: the array itself is the result */
    struct split_job *first, *last; /* the ring */
    unsigned waiting;               /* jobs in it */
    struct split_call *free;
    uint64_t calls; /* begun */
    struct buf line;
    struct loop_task again;
    bool feeding, warned;
};

void plan_split_init(struct plan_split *split, struct engine *engine, struct fn *fn,
                     const struct split_settings *settings);
/* The programs, before the run; join may be NULL. -1 with err. */
int plan_split_compile(struct plan_split *split, const char *program, const char *join,
                       struct err *err);
void plan_split_free(struct plan_split *split); /* after the run; zeroed is a no-op */

#endif
