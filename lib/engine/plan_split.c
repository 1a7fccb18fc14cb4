/* plan_split.c: the plan that splits each event into parts, and joins their results. */
#include "engine/plan_split.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/batch.h"
#include "engine/parts.h"
#include "engine/split_result.h"
#include "pattern/window.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCOPE_TEXT = 48 };

/* What the plan keeps of a job. */
struct split_job {
    struct plan_split *split;
    struct job *job;
    struct split_job *next, *prev; /* in the ring */
    bool waiting;                  /* it is there */
    bool stopped;                  /* no more parts begin */
    struct parts parts;
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

static struct plan_split *split_of(struct plan *plan)
{
    return (struct plan_split *)(void *)plan;
}

/* ---- the ring ---- */

static void enter_ring(struct plan_split *split, struct split_job *own)
{
    own->next = NULL;
    own->prev = split->last;
    if (split->last)
        split->last->next = own;
    else
        split->first = own;
    split->last = own;
    own->waiting = true;
    split->waiting++;
}

static void leave_ring(struct plan_split *split, struct split_job *own)
{
    if (!own->waiting)
        return;
    if (own->prev)
        own->prev->next = own->next;
    else
        split->first = own->next;
    if (own->next)
        own->next->prev = own->prev;
    else
        split->last = own->prev;
    own->waiting = false;
    if (split->waiting-- == SPLIT_JOBS)
        engine_room(split->engine);
}

static bool may_begin(const struct split_job *own)
{
    return !own->stopped && own->begun < own->parts.count &&
           (!own->window || window_open(own->window) < SPLIT_AHEAD);
}

/* ---- the end of a job ---- */

static void warn_of_digits(struct plan_split *split)
{
    if (split->warned ||
        (!jq_lost_digits(split->program) && !(split->join && jq_lost_digits(split->join))))
        return;
    split->warned = true;
    msg_warn("jq has changed numbers of more than 15 digits");
}

struct joined {
    struct buf lines;
    size_t count;
};

static int add_joined(void *context, struct str json)
{
    struct joined *joined = context;
    buf_add_str(&joined->lines, json);
    buf_addc(&joined->lines, '\n');
    joined->count++;
    return 0;
}

static int run_join(struct jq_program *join, struct str array, struct joined *joined,
                    struct err *err)
{
    struct json_scan scan;
    if (json_scan(array, NULL, NULL, &scan) < 0)
        return err_set(err, ERR_INPUT, "%s at byte %zu", scan.reason, scan.at + 1);
    struct jq_input input = {array, NULL, scan.depth};
    return jq_each(join, &input, add_joined, joined, err);
}

/* Emit the array, which is emptied, or what the join program makes of it, and end the job. */
static void emit_joined(struct plan_split *split, struct job *job, struct buf *array)
{
    struct joined joined = {.lines = *array, .count = 1};
    struct err err;
    split_close(&joined.lines);
    if (split->join) {
        *array = joined.lines;
        joined = (struct joined){0};
        int status = run_join(split->join, buf_str(array), &joined, &err);
        buf_free(array);
        if (status < 0) {
            buf_free(&joined.lines);
            job_dead_take(
                job, failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "--join %s", err.text));
            return;
        }
    } else {
        buf_addc(&joined.lines, '\n');
    }
    *array = (struct buf){0};
    warn_of_digits(split);
    size_t len = joined.lines.len;
    if (len)
        job_emit_take(job, slice_take(buf_take(&joined.lines), len), joined.count);
    job_done(job);
}

static void emit_envelope(struct plan_split *split, struct split_job *own, size_t index,
                          struct str value, const struct failure *failure)
{
    struct split_envelope envelope = {
        .group = job_id(own->job),
        .index = index,
        .count = own->parts.count,
        .value = value,
        .failure = failure,
    };
    buf_clear(&split->line);
    split_envelope(&split->line, &envelope);
    job_emit_now(own->job, buf_str(&split->line), 1);
}

/* The parts that did not run because others failed: who collects them must not wait for them. */
static void emit_not_run(struct plan_split *split, struct split_job *own)
{
    struct failure *failure = failure_new(FAILURE_PARTS, FAILURE_PERMANENT,
                                          "it did not run, because another part failed");
    for (size_t i = own->begun; i < own->parts.count; i++)
        emit_envelope(split, own, i, (struct str){0}, failure);
    failure_free(failure);
}

static void end(struct plan_split *split, struct split_job *own)
{
    struct failure *failure =
        split_failures_end(&own->failures, own->parts.count, own->parts.count - own->begun);
    if (own->ended) {
        failure_free(failure);
        failure = own->ended;
    } else if (failure && split->settings.envelopes) {
        emit_not_run(split, own);
    }
    parts_free(&own->parts);
    window_free(own->window);
    if (!failure && !split->settings.envelopes) {
        emit_joined(split, own->job, &own->array);
        return;
    }
    buf_free(&own->array);
    if (failure)
        job_dead_take(own->job, failure);
    else
        job_done(own->job);
}

/* ---- results ---- */

static void free_call(struct plan_split *split, struct split_call *part)
{
    slice_drop(&part->call.lines);
    part->next = split->free;
    split->free = part;
}

static void join_batch(struct split_job *own, const struct split_call *part)
{
    const struct fn_call *call = &part->call;
    struct json_iter iter;
    switch (batch_answer(call, part->count)) {
    case BATCH_NOTHING:
        for (size_t i = 0; i < part->count; i++)
            split_add(&own->array, STR("null"));
        break;
    case BATCH_EACH:
        json_iter_init(&iter, str_trim(slice_str(call->lines)));
        while (json_iter_next(&iter))
            split_add(&own->array, iter.value);
        break;
    case BATCH_WHOLE:
    case BATCH_WRONG: /* was made a failure */
        split_add_lines(&own->array, slice_str(call->lines), call->count);
        break;
    }
}

static void join_call(struct plan_split *split, struct split_job *own, struct split_call *part)
{
    if (part->failed) {
        for (size_t i = 0; i < part->count && split->settings.failed == SPLIT_NULL; i++)
            split_add(&own->array, STR("null"));
    } else if (split->settings.batch) {
        join_batch(own, part);
    } else {
        split_add_lines(&own->array, slice_str(part->call.lines), part->call.count);
    }
}

static void join_ready(struct plan_split *split, struct split_job *own)
{
    struct split_call *part;
    while ((part = window_pop_ready(own->window))) {
        join_call(split, own, part);
        free_call(split, part);
    }
}

static void emit_value(struct plan_split *split, struct split_job *own, size_t index,
                       const struct fn_call *call)
{
    struct buf value = {0};
    split_value(&value, slice_str(call->lines), call->count);
    emit_envelope(split, own, index, buf_str(&value), NULL);
    buf_free(&value);
}

static void emit_batch(struct plan_split *split, struct split_job *own,
                       const struct split_call *part)
{
    const struct fn_call *call = &part->call;
    enum batch_answer answer = batch_answer(call, part->count);
    struct json_iter iter;
    json_iter_init(&iter, answer == BATCH_EACH ? str_trim(slice_str(call->lines)) : STR("[]"));
    for (size_t i = 0; i < part->count; i++) {
        size_t index = part->first + i;
        if (answer == BATCH_EACH && json_iter_next(&iter))
            emit_envelope(split, own, index, iter.value, NULL);
        else if (answer == BATCH_NOTHING || i == 0)
            emit_value(split, own, index, call);
        else
            emit_envelope(split, own, index, (struct str){0}, NULL);
    }
}

static void emit_parts(struct plan_split *split, struct split_job *own,
                       const struct split_call *part, const struct failure *failure)
{
    if (failure) {
        for (size_t i = 0; i < part->count; i++)
            emit_envelope(split, own, part->first + i, (struct str){0}, failure);
    } else if (split->settings.batch) {
        emit_batch(split, own, part);
    } else {
        emit_value(split, own, part->first, &part->call);
    }
}

/* ---- failures ---- */

static void write_part_letters(struct split_job *own, const struct split_call *part,
                               const struct failure *failure)
{
    for (size_t i = part->first; i < part->first + part->count; i++) {
        struct failure *copy = failure_dup(failure);
        copy->part = i + 1;
        job_part_letter_take(own->job, parts_text(&own->parts, i), copy);
    }
}

static void part_failed_take(struct plan_split *split, struct split_job *own,
                             struct split_call *part, struct failure *failure)
{
    part->failed = true;
    if (failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED) {
        own->stopped = true;
        if (own->ended)
            failure_free(failure);
        else
            own->ended = failure;
        return;
    }
    if (split->settings.envelopes && split->settings.failed != SPLIT_NULL)
        emit_parts(split, own, part, failure);
    if (split->settings.failed == SPLIT_FAIL) {
        own->stopped = true;
        split_failures_take(&own->failures, part->first, part->count, SPLIT_NAMED, failure);
        return;
    }
    if (split->settings.envelopes && split->settings.failed == SPLIT_NULL) {
        for (size_t i = 0; i < part->count; i++)
            emit_envelope(split, own, part->first + i, STR("null"), NULL);
    }
    write_part_letters(own, part, failure);
    failure_free(failure);
}

/* ---- calls ---- */

static void feed(struct plan_split *split);

static void go_on(struct plan_split *split, struct split_job *own)
{
    if (own->stopped)
        leave_ring(split, own);
    if (!own->running && (own->stopped || own->begun == own->parts.count)) {
        end(split, own);
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
    if (failure)
        part_failed_take(split, own, part, failure);
    else if (split->settings.envelopes)
        emit_parts(split, own, part, NULL);
    if (own->window) {
        window_put(own->window, part->seq, part);
        join_ready(split, own);
    } else {
        free_call(split, part);
    }
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
                  ? snprintf(part->scope, sizeof part->scope, "%zu+%zu", part->first, part->count)
                  : snprintf(part->scope, sizeof part->scope, "%zu", part->first);
    part->call.scope = (struct str){part->scope, (size_t)len};
    part->call.event = call_event(split, part);
    part->call.number = ++split->calls;
    part->call.done = answered;
    if (may_begin(own))
        enter_ring(split, own);
    fn_call(split->fn, &part->call); /* own may be over when it returns */
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
    feed((struct plan_split *)(void *)((char *)task - offsetof(struct plan_split, again)));
}

/* ---- the plan ---- */

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_split *split = split_of(plan);
    struct split_job *own = job_data(job);
    struct err err;
    own->split = split;
    own->job = job;
    if (parts_split(&own->parts, split->program, input, job->event, &err) < 0) {
        parts_free(&own->parts);
        job_dead_take(job,
                      failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--split %s", err.text));
        return;
    }
    warn_of_digits(split);
    if (!own->parts.count) {
        if (split->settings.envelopes)
            emit_envelope(split, own, 0, (struct str){0}, NULL);
        end(split, own);
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
