/*
 * chain_job.h: one event of a chain: what of it is under way, what is written, how it ends.
 *
 * Results go out as soon as nothing before them is missing: of the job whose turn it is to write,
 * or of any job with --unordered, those at the head of its strands. Letters go out early when a job
 * has many of them. So neither an event that becomes a hundred thousand nor one of which a hundred
 * thousand fail has to fit in memory. Which strands are begun when is for plan_chain.c to say.
 */
#ifndef FIT_ENGINE_CHAIN_JOB_H
#define FIT_ENGINE_CHAIN_JOB_H

#include "engine/deadletter.h"
#include "engine/engine.h"
#include "engine/strand.h"

enum {
    CHAIN_SPAN = 1024,  /* strands of one job; then its others wait */
    CHAIN_LETTERS = 64, /* letters of one job in memory; then they are written early */
};

/* What the jobs of a chain share. */
struct chain_flow {
    struct engine *engine;
    struct strand_pool pool;
    struct fn *sink; /* NULL: results are written to stdout */
    void (*begin)(struct chain_flow *flow, struct strand *called); /* make a call of the sink */
    struct chain_job *first, *last; /* with a sink: jobs that may still give it results, in order */
    struct chain_job *waiting;      /* with --unordered: jobs whose results the sink did not take */
    bool moved;                     /* something was begun or written; for the owner to clear */
};

struct chain_job {           /* a plan's job_data */
    struct strand_list list; /* first: a strand knows its list */
    struct chain_flow *flow;
    struct job *job;
    unsigned letters; /* in memory */
    unsigned undoing; /* what must end before the job does, though no strand is open (saga.h) */
    bool dropped;     /* nobody wants its results any more */
    struct chain_job *next_waiting, **waits; /* waits: what points to it; NULL: not on the list */
    struct chain_job *next, *prev;           /* of flow->first */
    bool gives;                              /* is on that list */
};

static inline struct chain_job *chain_job_of(const struct strand *strand)
{
    return (struct chain_job *)(void *)strand->list;
}

void chain_job_begin(struct chain_job *own, struct chain_flow *flow, struct job *job);

/* Is it this job's turn to give results? */
bool chain_job_has_turn(const struct chain_job *own);

/* A letter about something in it, with the way on; takes over the failure. */
void chain_job_letter_take(struct chain_job *own, struct str event, struct failure *failure,
                           const struct letter_way *way);
/* The letter of a call that has failed. The strand is still to be ended. */
void chain_job_fail_take(struct strand *called, struct failure *failure);

/* Strands have changed: write what can be written, end the job when nothing is under way. */
void chain_job_settle(struct chain_job *own);

/* The sink took bytes, or the turn came to another job: write or hand over what waited. */
void chain_job_settle_waiting(struct chain_flow *flow);

#endif
