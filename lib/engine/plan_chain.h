/*
 * plan_chain.h: the plan of chain: functions one after another, each result of one an event of the
 * next.
 *
 * Each job is a list of strands (strand.h); this module starts them and ends the job when none is
 * left. Stages work at once, each with its own number of calls. How far one may run ahead:
 *
 *   - a stage begins no call while events wait for the next one, nor is an event read while they
 *     wait for the first: a slow stage is felt up to the source;
 *   - a job has at most CHAIN_SPAN strands, all jobs CHAIN_STRANDS; results that wait for their
 *     turn take at most CHAIN_HELD bytes of memory, each job and all together; nothing is read
 *     while they and the events between the stages take more;
 *   - the first strand of the job whose turn it is to write may always go on, so that nothing waits
 *     for itself. What it gives is written at once, long before the job ends.
 *
 * A failure ends its strand with a dead letter that names the stage and holds the stage's input, or
 * undoes the stages before it first (saga.h). No call begins while an undo function has no room.
 */
#ifndef FIT_ENGINE_PLAN_CHAIN_H
#define FIT_ENGINE_PLAN_CHAIN_H

#include "engine/engine.h"

enum {
    CHAIN_STRANDS = 4096,         /* of all jobs; then only the job whose turn it is gets more */
    CHAIN_HELD = 2 * 1024 * 1024, /* bytes of results that wait; then the last stage does */
    CHAIN_TURN = 1024,            /* calls begun before the descriptors are looked at again */
};

/* Where the events of the input begin. */
enum chain_from { CHAIN_FROM_START, CHAIN_FROM_STAGE, CHAIN_FROM_LETTER };

struct chain_settings {
    const char *const *functions; /* one string each */
    const char *const *undos;     /* of each function; NULL: it has none */
    size_t count;
    const unsigned *jobs; /* of each stage; NULL: as the options say */
    enum chain_from from; /* STAGE, LETTER: the input is dead letters, of one stage or of any */
    unsigned stage;       /* from 1 */
};

struct plan_chain;

/* Opens the functions. NULL with err. Freed before the engine. */
struct plan_chain *plan_chain_new(struct engine *engine, const struct chain_settings *settings,
                                  struct err *err);
void plan_chain_free(struct plan_chain *chain);
struct plan *plan_chain_plan(struct plan_chain *chain);

#endif
