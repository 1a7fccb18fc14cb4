/*
 * aggregate_job.h: one event of `aggregate`: its calls, what they answer, and how it ends.
 *
 * Between plan_aggregate.c, which sets up, and aggregate_job.c.
 */
#ifndef FIT_ENGINE_AGGREGATE_JOB_H
#define FIT_ENGINE_AGGREGATE_JOB_H

#include "engine/good_answers.h"
#include "engine/named.h"
#include "engine/plan_aggregate.h"

struct member {
    struct named named;
    struct fn *fn; /* the engine's */
};

struct plan_aggregate {
    struct plan plan; /* first */
    struct engine *engine;
    const struct aggregate_settings *settings;
    struct member *members;
    struct jq_program *join, *cached_by; /* NULL: none */
    struct good_answers *good;           /* NULL: none are kept */
    bool warned;
};

/* Bytes of a job with so many parts. */
size_t aggregate_job_size(size_t count);

/* Make its calls. */
void aggregate_job_start(struct plan_aggregate *aggregate, struct job *job,
                         const struct jq_input *input);

#endif
