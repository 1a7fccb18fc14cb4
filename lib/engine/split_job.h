/*
 * split_job.h: one event that is split: its parts, what they gave, and how it ends.
 *
 * Between plan_split.c, which begins the calls, and split_job.c, which takes what they answer.
 */
#ifndef FIT_ENGINE_SPLIT_JOB_H
#define FIT_ENGINE_SPLIT_JOB_H

#include "engine/parts.h"
#include "engine/plan_split.h"
#include "engine/split_result.h"
#include "pattern/window.h"

enum { SCOPE_TEXT = 48 };

/* What the plan keeps of a job. */
struct split_job {
    struct plan_split *split;
    struct job *job;
    struct split_job *next, *prev; /* in the ring */
    bool waiting;                  /* it is there */
    bool fresh;                    /* a part has an answer that is to be printed (--new) */
    bool stopped;                  /* no more parts begin */
    struct parts parts;
    size_t before;         /* parts of the event before the first here: of one that is redriven */
    size_t begun;          /* parts */
    size_t running;        /* calls */
    struct window *window; /* of the calls that are not yet in the array */
    struct buf array;
    struct split_failures failures; /* of parts that were to succeed */
    struct failure *ended;          /* the run was ended before the job was */
};

/* One call: of one part, or of a batch of them. */
struct split_call {
    struct fn_call call; /* first */
    struct split_call *next;
    struct split_job *owner;
    uint64_t seq; /* in the window */
    size_t first, count;
    bool failed;
    char scope[SCOPE_TEXT];
};

/* A call of the job has ended. The failure (taken over; NULL: none) may stop it. */
void split_job_answer_take(struct split_job *own, struct split_call *part, struct failure *failure);

/* Nothing of it runs, and no part will begin: it ends, and with it what is kept of it. */
void split_job_end(struct split_job *own);

#endif
