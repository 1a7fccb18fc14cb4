/* plan_split.c: the plan that splits each event into parts, and joins their results. */
#include "engine/plan_split.h"

#include "base/list.h"
#include "base/mem.h"
#include "engine/batch.h"
#include "engine/split_job.h"

#include <stdio.h>
#include <stdlib.h>

static struct plan_split *split_of(struct plan *plan)
{
    return (struct plan_split *)(void *)plan;
}

/* ---- the ring ---- */

static void enter_ring(struct plan_split *split, struct split_job *own)
{
    LIST_APPEND(split, own);
    own->waiting = true;
    split->waiting++;
}

static void leave_ring(struct plan_split *split, struct split_job *own)
{
    if (!own->waiting)
        return;
    LIST_REMOVE(split, own);
    own->waiting = false;
    if (split->waiting-- == SPLIT_JOBS)
        engine_room(split->engine);
}

static bool may_begin(const struct split_job *own)
{
    return !own->stopped && own->begun < own->parts.count &&
           (!own->window || window_open(own->window) < SPLIT_AHEAD);
}

/* ---- calls ---- */

static void feed(struct plan_split *split);

static void go_on(struct plan_split *split, struct split_job *own)
{
    if (own->stopped)
        leave_ring(split, own);
    if (!own->running && (own->stopped || own->begun == own->parts.count)) {
        split_job_end(own);
    } else if (!own->waiting && may_begin(own)) {
        enter_ring(split, own);
        loop_defer(engine_loop(split->engine), &split->again);
    }
}

static void answered(struct fn_call *call)
{
    struct split_call *part = (struct split_call *)(void *)call;
    struct split_job *own = part->owner;
    struct plan_split *split = own->split;
    struct failure *failure = call->failure;
    own->running--;
    slice_drop(&call->event);
    if (!failure && split->settings.batch && batch_answer(call, part->count) == BATCH_WRONG)
        failure = batch_failure(call, part->count);
    split_job_answer_take(own, part, failure);
    go_on(split, own);
}

static struct split_call *new_call(struct plan_split *split)
{
    struct split_call *part = split->free;
    if (part)
        split->free = part->next;
    else
        part = mem_alloc(sizeof *part);
    memset(part, 0, sizeof *part);
    return part;
}

static struct slice call_event(const struct plan_split *split, const struct split_call *part)
{
    const struct parts *parts = &part->owner->parts;
    if (!split->settings.batch)
        return parts_hold(parts, part->first);
    struct buf array = {0};
    for (size_t i = part->first; i < part->first + part->count; i++)
        batch_add(&array, parts_text(parts, i));
    return batch_finish(&array);
}

static void begin_call(struct plan_split *split, struct split_job *own)
{
    struct split_call *part = new_call(split);
    size_t left = own->parts.count - own->begun;
    size_t most = split->settings.batch ? split->settings.batch : 1;
    part->owner = own;
    part->first = own->begun;
    part->count = left < most ? left : most;
    own->begun += part->count;
    own->running++;
    if (own->window)
        window_take(own->window, &part->seq);
    job_prepare(own->job, &part->call);
    int len = split->settings.batch
                  ? snprintf(part->scope, sizeof part->scope, "%zu+%zu", own->before + part->first,
                             part->count)
                  : snprintf(part->scope, sizeof part->scope, "%zu", own->before + part->first);
    part->call.scope = (struct str){part->scope, (size_t)len};
    part->call.event = call_event(split, part);
    part->call.number = ++split->calls;
    part->call.done = answered;
    if (may_begin(own))
        enter_ring(split, own);
    job_call(own->job, split->fn, &part->call); /* own may be over when it returns */
}

static void feed(struct plan_split *split)
{
    if (split->feeding)
        return;
    split->feeding = true;
    for (int begun = 0; split->first && fn_has_room(split->fn); begun++) {
        if (split->settings.envelopes && !engine_may_emit(split->engine))
            break; /* the room hook comes when stdout has taken some */
        if (begun == SPLIT_TURN) {
            loop_defer(engine_loop(split->engine), &split->again);
            break;
        }
        struct split_job *own = split->first;
        leave_ring(split, own);
        begin_call(split, own);
    }
    split->feeding = false;
}

static void feed_again(struct loop_task *task)
{
    feed(CONTAINER_OF(task, struct plan_split, again));
}

/* ---- the plan ---- */

static int find_parts(struct split_job *own, const struct jq_input *input, struct err *err)
{
    const struct job *job = own->job;
    if (!job->part)
        return parts_split(&own->parts, own->split->program, input, job->event, err);
    own->before = (size_t)job->part - 1;
    parts_single(&own->parts, job->event);
    return 0;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_split *split = split_of(plan);
    struct split_job *own = job_data(job);
    struct err err;
    own->split = split;
    own->job = job;
    if (find_parts(own, input, &err) < 0) {
        parts_free(&own->parts);
        job_dead_take(job,
                      failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--split %s", err.text));
        return;
    }
    if (!own->parts.count) {
        parts_free(&own->parts); /* the job may be gone when it is recalled */
        if (split->settings.envelopes || !job_recall(job))
            split_job_end(own);
        return;
    }
    if (!split->settings.envelopes)
        own->window = window_new(SPLIT_AHEAD);
    enter_ring(split, own);
    feed(split);
}

static bool has_room(struct plan *plan)
{
    return split_of(plan)->waiting < SPLIT_JOBS;
}

static void room(struct plan *plan)
{
    feed(split_of(plan));
}

void plan_split_init(struct plan_split *split, struct engine *engine, struct fn *fn,
                     const struct split_settings *settings)
{
    *split = (struct plan_split){
        .plan = {.start = start,
                 .has_room = has_room,
                 .room = room,
                 .job_size = sizeof(struct split_job)},
        .engine = engine,
        .fn = fn,
        .settings = *settings,
    };
    split->again.run = feed_again;
    if (settings->envelopes)
        engine_want_ids(engine); /* events of the same content are groups of their own */
}

int plan_split_compile(struct plan_split *split, const char *program, const char *join,
                       struct err *err)
{
    split->program = jq_compile(program, engine_paths(split->engine), err);
    if (split->program && join)
        split->join = jq_compile(join, NULL, err);
    split->plan.silent = !split->settings.envelopes && !join && fn_is_silent(split->fn);
    return split->program && (!join || split->join) ? 0 : -1;
}

void plan_split_free(struct plan_split *split)
{
    while (split->free) {
        struct split_call *part = split->free;
        split->free = part->next;
        free(part);
    }
    buf_free(&split->line);
    jq_free(split->program);
    jq_free(split->join);
    *split = (struct plan_split){0};
}
