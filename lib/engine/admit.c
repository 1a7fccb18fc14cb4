/*
 * admit.c: events from the source become jobs, and jobs are started.
 *
 * Events are taken only while there is room: in the window, and in the functions, so that nothing
 * is read that would only wait. Each is validated and its paths are looked up in one scan; what is
 * not JSON dies here.
 */
#include "engine/internal.h"

#include "base/list.h"
#include "engine/recall.h"
#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>

static bool letters_have_room(const struct engine *engine)
{
    return !engine->dead_sink || fn_has_room(engine->dead_sink);
}

static bool plan_has_room(struct engine *engine)
{
    if (engine->plan->has_room)
        return engine->plan->has_room(engine->plan) && letters_have_room(engine);
    for (size_t i = 0; i < engine->fn_count; i++) {
        if (!fn_has_room(engine->fns[i]))
            return false;
    }
    return true;
}

bool admit_window_full(const struct engine *engine)
{
    return engine->window >= ENGINE_WINDOW || engine->window_bytes >= ENGINE_WINDOW_BYTES;
}

static bool has_room(struct engine *engine)
{
    return !admit_window_full(engine) && plan_has_room(engine);
}

bool engine_may_resume(const struct engine *engine)
{
    return !admit_window_full(engine) && letters_have_room(engine);
}

struct engine_job *admit_new_job(struct engine *engine, struct slice event, uint64_t length)
{
    struct engine_job *job = engine->free;
    size_t size = sizeof *job + engine->plan->job_size;
    if (job)
        engine->free = job->next;
    else
        job = mem_alloc(size);
    memset(job, 0, size);
    job->job.engine = engine;
    job->job.event = event;
    job->cost = length < ENGINE_EVENT_BYTES ? length : ENGINE_EVENT_BYTES;
    engine->window++;
    engine->window_bytes += job->cost;
    return job;
}

static struct engine_job *new_job(struct engine *engine, const struct source_event *event)
{
    struct engine_job *job = admit_new_job(engine, event->bytes, event->length);
    job->job.origin = event->origin ? event->origin : engine->source->name;
    job->job.line = event->number;
    job->job.part = event->part;
    job->job.parts = event->parts;
    job->job.failed = event->failed;
    job->token = event->token;
    job->made = event->made;
    if (event->made) {
        engine->report.made.read++;
    } else {
        engine->report.read++;
        engine->report.bytes_in += event->length;
    }
    recall_admitted(engine->recall, job);
    LIST_APPEND(&engine->order, job);
    job->asks = event->asks;
    if (job->asks)
        job_silent(&job->job); /* its results have no place in the order */
    return job;
}

static struct failure *bad_json(const struct job *job, const struct json_scan *scan)
{
    return failure_new(FAILURE_BAD_JSON, FAILURE_PERMANENT, "%s:%llu: %s at byte %zu", job->origin,
                       (unsigned long long)job->line, scan->reason, scan->at + 1);
}

/* The value of --serial-by, as JSON text. -1: the job has been ended. */
static int serial_key(struct engine *engine, struct engine_job *job, const struct jq_input *input,
                      struct buf *key)
{
    struct err err;
    int found = jq_first(engine->serial_by, input, key, &err);
    if (found >= 0)
        return 0;
    job_dead_take(&job->job,
                  failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--serial-by %s", err.text));
    return -1;
}

static bool must_wait(struct engine *engine, struct engine_job *job, const struct jq_input *input)
{
    struct buf key = {0};
    bool waits = serial_key(engine, job, input, &key) < 0 ||
                 !serial_enter(engine->serial, &job->place, buf_str(&key));
    buf_free(&key);
    return waits;
}

static void start(struct engine *engine, struct engine_job *job, const struct jq_input *input)
{
    job->state = JOB_STARTED;
    engine->plan->start(engine->plan, &job->job, input);
}

static void admit(struct engine *engine, const struct source_event *event)
{
    struct engine_job *job = new_job(engine, event);
    struct json_scan scan;
    if (json_scan(slice_str(event->bytes), engine->paths, engine->values, &scan) < 0) {
        job_dead_take(&job->job, bad_json(&job->job, &scan));
        return;
    }
    struct jq_input input = {slice_str(event->bytes), engine->values, scan.depth};
    if (engine->wants_id)
        job_id(&job->job);
    if (engine->serial && must_wait(engine, job, &input))
        return;
    start(engine, job, &input);
}

static void admit_too_large(struct engine *engine, struct source_event *event)
{
    uint64_t length = event->length;
    event->length = event->bytes.len; /* what it holds of the window */
    struct engine_job *job = new_job(engine, event);
    char limit[NUM_TEXT];
    job->length = length;
    job_dead_take(&job->job,
                  failure_new(FAILURE_TOO_LARGE, FAILURE_PERMANENT,
                              "%s:%llu: %llu bytes, more than %s (--max-event)", job->job.origin,
                              (unsigned long long)event->number, (unsigned long long)length,
                              num_format_size(engine->options->max_event, limit)));
}

/* Start a job that was held back; its values have to be looked up again. */
static void start_held(struct engine *engine, struct engine_job *job)
{
    struct json_scan scan;
    json_scan(slice_str(job->job.event), engine->paths, engine->values, &scan);
    struct jq_input input = {slice_str(job->job.event), engine->values, scan.depth};
    start(engine, job, &input);
}

static void start_released(struct loop_task *task)
{
    struct engine *engine = CONTAINER_OF(task, struct engine, start_held);
    struct engine_job *job;
    while ((job = engine->released)) {
        engine->released = job->next_released;
        start_held(engine, job);
    }
}

void admit_next_of_key(struct engine *engine, struct engine_job *job)
{
    struct serial_place *place = serial_leave(engine->serial, &job->place);
    if (!place)
        return;
    /* Not from here: thousands of short jobs of one key would nest as deep. */
    struct engine_job *next = CONTAINER_OF(place, struct engine_job, place);
    next->next_released = engine->released;
    engine->released = next;
    engine->start_held.run = start_released;
    loop_defer(engine->loop, &engine->start_held);
}

void admit_wake(struct engine *engine)
{
    if (engine->started && engine_takes(engine))
        loop_defer(engine->loop, &engine->take);
}

/* One event, if there is one. False: no more now. */
static bool take_one(struct engine *engine)
{
    struct source_event event;
    struct err err;
    switch (engine->source->next(engine->source, &event, &err)) {
    case SOURCE_EVENT:
        admit(engine, &event);
        return true;
    case SOURCE_TOO_LARGE:
        admit_too_large(engine, &event);
        return true;
    case SOURCE_LATER:
        return false;
    case SOURCE_FAILED:
        engine->source_ended = true;
        engine_fail(engine, &err);
        break;
    case SOURCE_END:
        engine->source_ended = true;
        break;
    }
    engine_ended(engine);
    return false;
}

void admit_task(struct loop_task *task)
{
    struct engine *engine = CONTAINER_OF(task, struct engine, take);
    for (int taken = 0; taken < ENGINE_TURN; taken++) {
        if (!engine_takes(engine) || !has_room(engine) || !take_one(engine))
            return;
    }
    admit_wake(engine);
}
