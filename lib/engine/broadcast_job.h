/*
 * broadcast_job.h: one event on its way to subscribers, what they gave, and how it ends.
 *
 * A job sends the event to some or all of the subscribers and ends when all of these have ended
 * with it: each that failed has a letter, and what the others gave is printed in any case. Which
 * subscribers get it when, and whether the event has other jobs, is for plan_broadcast.c to say.
 */
#ifndef FIT_ENGINE_BROADCAST_JOB_H
#define FIT_ENGINE_BROADCAST_JOB_H

#include "engine/subscribers.h"

struct sent_call;

/* What the jobs of a broadcast share. */
struct broadcast_flow {
    struct subscribers all;
    struct subscriber *chosen; /* only its results are wanted; NULL: those of all, or none */
    bool silent;               /* no results are wanted, or no subscriber gives any */
    struct sent_call *free;
    void (*moved)(struct broadcast_flow *flow); /* a subscriber has ended with an event */
};

/* The event on its way to one of them. Small, as there may be many that only put it into a file. */
struct send {
    struct fn_put put;      /* first */
    struct job *job;        /* NULL: not of this job */
    struct sent_call *call; /* NULL: none was needed */
};

struct broadcast_job { /* the plan's job_data */
    struct broadcast_flow *flow;
    struct spill_place place; /* of its event in the log; else zeroed */
    struct parked *parked;    /* of an event with several jobs that is not there; else NULL */
    size_t open;              /* sends that have not ended, and one while they are begun */
    struct send sends[];      /* one for each subscriber */
};

/* In this order; the job may be over when the last returns. */
void broadcast_job_begin(struct job *job, struct broadcast_flow *flow);
void broadcast_job_send(struct job *job, const struct subscriber *subscriber);
void broadcast_job_begun(struct job *job);

void broadcast_flow_free(struct broadcast_flow *flow); /* before the engine */

#endif
