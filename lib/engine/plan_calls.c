/* plan_calls.c: the plan of one function: each event is a call, or up to so many events are one. */
#include "engine/plan_calls.h"

#include "base/hash.h"
#include "base/mem.h"
#include "engine/batch.h"

#include <stdlib.h>

/* ---- one event a call ---- */

static void answered(struct fn_call *call)
{
    job_end_with(call->owner, call);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_calls *calls = (struct plan_calls *)(void *)plan;
    struct fn_call *call = job_data(job);
    (void)input;
    call->done = answered;
    job_prepare(job, call);
    job_call(job, calls->fn, call);
}

/* ---- several events a call ---- */

struct batch_call {
    struct fn_call call; /* first */
    struct buf array;
    char id[HASH_TEXT];
    size_t count;
    struct job *jobs[];
};

/* A slice with a LF behind each element, so that each job can hold its own part of it. */
static void emit_each(struct batch_call *batch)
{
    struct buf lines = {0};
    struct json_iter iter;
    json_iter_init(&iter, str_trim(slice_str(batch->call.lines)));
    while (json_iter_next(&iter)) {
        buf_add_str(&lines, iter.value);
        buf_addc(&lines, '\n');
    }
    size_t len = lines.len;
    struct slice all = slice_take(buf_take(&lines), len);
    const char *next = all.data;
    for (size_t i = 0; i < batch->count; i++) {
        const char *end = memchr(next, '\n', len - (size_t)(next - all.data));
        struct slice line = slice_of(all.block, next, (size_t)(end + 1 - next));
        job_end_recorded_take(batch->jobs[i], line, 1);
        next = end + 1;
    }
    slice_drop(&all);
}

static void all_done(struct batch_call *batch)
{
    job_end_recorded_take(batch->jobs[0], slice_hold(batch->call.lines), batch->call.count);
    for (size_t i = 1; i < batch->count; i++)
        job_end_recorded_take(batch->jobs[i], (struct slice){0}, 0);
}

static void all_dead_take(struct batch_call *batch, struct failure *failure)
{
    for (size_t i = 0; i < batch->count; i++)
        job_dead_take(batch->jobs[i], failure_dup(failure));
    failure_free(failure);
}

static void batch_answered(struct fn_call *call)
{
    struct batch_call *batch = (struct batch_call *)(void *)call;
    if (call->failure) {
        all_dead_take(batch, call->failure);
    } else {
        switch (batch_answer(call, batch->count)) {
        case BATCH_EACH:
            emit_each(batch);
            break;
        case BATCH_NOTHING:
        case BATCH_WHOLE:
            all_done(batch);
            break;
        case BATCH_WRONG:
            all_dead_take(batch, batch_failure(call, batch->count));
            break;
        }
    }
    slice_drop(&call->lines);
    slice_drop(&call->event);
    free(batch);
}

static void send(struct plan_calls *calls)
{
    struct batch_call *batch = calls->open;
    struct fn_call *call = &batch->call;
    calls->open = NULL;
    call->event = batch_finish(&batch->array);
    call->id = str_of(hash_format(hash_128(slice_str(call->event)), batch->id));
    call->kept = job_kept(batch->jobs[batch->count - 1]); /* the last one that is settled */
    call->number = ++calls->batches;
    call->done = batch_answered;
    fn_call(calls->fn, call);
}

static void gather(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_calls *calls = (struct plan_calls *)(void *)plan;
    (void)input;
    if (job_recall(job))
        return;
    if (!calls->open)
        calls->open = mem_zalloc(sizeof *calls->open + calls->batch * sizeof(struct job *));
    batch_add(&calls->open->array, slice_str(job->event));
    calls->open->jobs[calls->open->count++] = job;
    if (calls->open->count == calls->batch)
        send(calls);
}

/* A batch that is begun is filled also while the function is busy. */
static bool has_room(struct plan *plan)
{
    const struct plan_calls *calls = (struct plan_calls *)(void *)plan;
    return calls->open || fn_has_room(calls->fn);
}

static void flush(struct plan *plan, bool end)
{
    struct plan_calls *calls = (struct plan_calls *)(void *)plan;
    if (calls->open && (end || fn_has_room(calls->fn)))
        send(calls);
}

void plan_calls_init(struct plan_calls *calls, struct fn *fn, size_t batch)
{
    *calls = (struct plan_calls){.fn = fn, .batch = batch};
    if (!batch) {
        calls->plan = (struct plan){.start = start, .job_size = sizeof(struct fn_call)};
    } else {
        calls->plan = (struct plan){.start = gather, .has_room = has_room, .flush = flush};
    }
    calls->plan.silent = fn_is_silent(fn);
}
