/* split_job.c: one event that is split: its parts, what they gave, and how it ends. */
#include "engine/split_job.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/batch.h"

/* ---- results ---- */

static size_t parts_of_event(const struct split_job *own)
{
    return own->job->part ? (size_t)own->job->parts : own->parts.count;
}

static void emit_envelope(struct plan_split *split, struct split_job *own, size_t index,
                          struct str value, const struct failure *failure)
{
    struct split_envelope envelope = {
        .group = job_id(own->job),
        .index = own->before + index,
        .count = parts_of_event(own),
        .value = value,
        .failure = failure,
    };
    buf_clear(&split->line);
    split_envelope(&split->line, &envelope);
    job_emit_now(own->job, buf_str(&split->line), 1);
}

/* To the calls that can be used again. */
static void give_back(struct split_call *part)
{
    struct plan_split *split = part->owner->split;
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
        give_back(part);
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
        copy->part = own->before + i + 1;
        copy->parts = parts_of_event(own);
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

void split_job_answer_take(struct split_job *own, struct split_call *part, struct failure *failure)
{
    struct plan_split *split = own->split;
    bool printed = !failure && job_hides(own->job, &part->call);
    own->fresh = own->fresh || !printed;
    if (failure)
        part_failed_take(split, own, part, failure);
    else if (split->settings.envelopes && !printed)
        emit_parts(split, own, part, NULL);
    if (own->window) {
        window_put(own->window, part->seq, part);
        join_ready(split, own);
    } else {
        give_back(part);
    }
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
static void emit_joined(struct plan_split *split, struct split_job *own)
{
    struct job *job = own->job;
    struct buf *array = &own->array;
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
    struct slice lines = len ? slice_take(buf_take(&joined.lines), len) : (struct slice){0};
    if (!own->begun) { /* no part has a record that tells of this event */
        job_end_recorded_take(job, lines, joined.count);
        return;
    }
    if (own->fresh)
        job_emit_take(job, lines, joined.count);
    else
        slice_drop(&lines);
    job_done(job);
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

void split_job_end(struct split_job *own)
{
    struct plan_split *split = own->split;
    struct failure *failure =
        split_failures_end(&own->failures, own->parts.count, own->parts.count - own->begun);
    if (own->ended) {
        failure_free(failure);
        failure = own->ended;
    } else if (failure && split->settings.envelopes) {
        emit_not_run(split, own);
    }
    if (!own->parts.count && !own->ended && split->settings.envelopes)
        emit_envelope(split, own, 0, (struct str){0}, NULL);
    warn_of_digits(split);
    parts_free(&own->parts);
    window_free(own->window);
    bool says_something = !fn_is_silent(split->fn) || split->join;
    if (!failure && !split->settings.envelopes && says_something) {
        emit_joined(split, own);
    } else {
        buf_free(&own->array);
        if (failure)
            job_dead_take(own->job, failure);
        else
            job_done(own->job);
    }
    warn_of_digits(split);
}
