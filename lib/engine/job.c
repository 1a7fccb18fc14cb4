/* job.c: what a plan says of a job: its results, its letters, its outcome. */
#include "engine/internal.h"
#include "base/list.h"
#include "engine/recall.h"
#include "engine/reporting.h"

#include "base/mem.h"

struct str job_id(struct job *job)
{
    struct engine *engine = job->engine;
    struct engine_job *own = engine_job_of(job);
    if (!own->id.len) {
        struct err err;
        struct buf given = {0};
        if (engine->source->identify)
            engine->source->identify(engine->source, own->token, &given);
        identity_of(engine->identity, slice_str(job->event), engine->wants_id, buf_str(&given),
                    &own->id, &err);
        buf_free(&given);
    }
    return buf_str(&own->id);
}

bool job_is_for(const struct job *job, const char *function)
{
    return !job->failed || strcmp(job->failed, function) == 0;
}

void job_identify(struct job *job, struct str id)
{
    struct engine_job *own = engine_job_of(job);
    buf_clear(&own->id);
    buf_add_str(&own->id, id);
    identity_make_presentable(&own->id);
}

void *job_data(struct job *job)
{
    return engine_job_of(job) + 1;
}

uint64_t job_token(const struct job *job)
{
    return ((const struct engine_job *)(const void *)job)->token;
}

struct job *job_of_data(void *data)
{
    return &((struct engine_job *)data - 1)->job;
}

void job_emit_take(struct job *job, struct slice lines, size_t count)
{
    struct engine_job *own = engine_job_of(job);
    struct source *source = job->engine->source;
    job->engine->report.results += count;
    if (own->asks) {
        engine_add_cost(own, lines.len);
        source->answer(source, own->token, lines, count);
        return;
    }
    if (!lines.len) {
        slice_drop(&lines);
        return;
    }
    own->has_results = true;
    engine_add_cost(own, lines.len);
    if (!own->lines.len) {
        own->lines = lines;
        return;
    }
    struct result *result = mem_zalloc(sizeof *result);
    result->lines = lines;
    if (own->more)
        own->last_more->next = result;
    else
        own->more = result;
    own->last_more = result;
}

void job_emit_event(struct job *job)
{
    job_emit_take(job, slice_line(job->event), 1);
}

void job_emit_now(struct job *job, struct str lines, size_t count)
{
    struct engine *engine = job->engine;
    if (engine_job_of(job)->asks) {
        job_emit_take(job, slice_dup(lines), count);
        return;
    }
    engine->report.results += count;
    engine->report.bytes_out += lines.len;
    engine_job_of(job)->has_results = true;
    reporting_hide_for_output(engine);
    stream_add(&engine->out, lines);
}

bool engine_may_emit(const struct engine *engine)
{
    return engine->out.error || stream_pending(&engine->out) < ENGINE_OUTPUT;
}

void job_silent(struct job *job)
{
    struct engine_job *own = engine_job_of(job);
    struct engine *engine = job->engine;
    if (own->silent)
        return;
    own->silent = true;
    LIST_REMOVE(&engine->order, own);
    if (engine->order.first && engine->order.first->state == JOB_FINISHED)
        settle_advance(engine); /* it was held back, and others stand behind it */
}

struct str job_known_id(struct job *job)
{
    return buf_str(&engine_job_of(job)->id);
}

void job_park(struct job *job, struct parked *parked)
{
    struct engine_job *own = engine_job_of(job);
    *parked = (struct parked){.token = own->token,
                              .origin = job->origin,
                              .line = job->line,
                              .made = own->made,
                              .open = 1};
    own->parked = parked;
    job->engine->parked++;
}

struct job *job_resume(struct engine *engine, struct parked *parked, struct slice event,
                       struct str id)
{
    struct engine_job *own = admit_new_job(engine, event, event.len);
    own->job.origin = parked->origin;
    own->job.line = parked->line;
    own->token = parked->token;
    own->made = parked->made;
    own->parked = parked;
    own->run_place = RECALL_NO_PLACE;
    own->state = JOB_STARTED;
    own->silent = true;
    buf_add_str(&own->id, id);
    return &own->job;
}

/* It was ended because nobody reads its results. */
static bool is_unread(const struct engine *engine, const struct failure *failure)
{
    return engine->reader_gone && failure->reason == FAILURE_INTERRUPTED;
}

void job_letter_take(struct job *job, struct str event, struct failure *failure)
{
    struct engine_job *own = engine_job_of(job);
    if (!is_unread(job->engine, failure)) {
        settle_add_letter(own, event, failure, NULL);
        return;
    }
    failure_free(failure);
    own->spared = true;
    if (job->engine->source->releases)
        own->outcome = SOURCE_RELEASED;
    else if (own->outcome == SOURCE_DONE)
        own->outcome = SOURCE_DROPPED;
}

void job_way_letter_take(struct job *job, struct str event, struct failure *failure,
                         const struct letter_way *way)
{
    settle_add_letter(engine_job_of(job), event, failure, way);
}

void job_part_letter_take(struct job *job, struct str part, struct failure *failure)
{
    struct engine_job *own = engine_job_of(job);
    enum source_outcome outcome = own->outcome;
    bool asks = own->asks;
    own->asks = false; /* that a part is missing is no answer */
    settle_add_letter(own, part, failure, NULL);
    own->outcome = outcome;
    own->asks = asks;
}

void job_done(struct job *job)
{
    settle_finish(engine_job_of(job));
}

void job_dead_take(struct job *job, struct failure *failure)
{
    struct engine *engine = job->engine;
    struct engine_job *own = engine_job_of(job);
    struct source *source = engine->source;
    own->spared = failure->reason == FAILURE_INTERRUPTED || failure->reason == FAILURE_HALTED;
    if (source->keeps && source->keeps(source, own->token, failure)) {
        failure_free(failure);
        own->outcome = SOURCE_RELEASED;
    } else if (is_unread(engine, failure)) {
        failure_free(failure);
        own->outcome = SOURCE_DROPPED;
    } else {
        settle_whole_letter(own, failure);
    }
    settle_finish(own);
}

void job_drop(struct job *job)
{
    struct engine_job *own = engine_job_of(job);
    if (own->outcome == SOURCE_DONE)
        own->outcome = SOURCE_DROPPED;
    settle_finish(own);
}

void job_prepare(struct job *job, struct fn_call *call)
{
    call->event = job->event;
    call->number = job->line;
    if (job->engine->wants_id)
        call->id = job_id(job);
    call->owner = job;
    call->kept = job_kept(job);
}

struct fn_kept **job_kept(struct job *job)
{
    return &engine_job_of(job)->kept;
}

void job_end_with(struct job *job, struct fn_call *call)
{
    if (call->failure) {
        job_dead_take(job, call->failure);
        return;
    }
    if (job_hides(job, call))
        slice_drop(&call->lines);
    else
        job_emit_take(job, call->lines, call->count);
    job_done(job);
}

void job_call(struct job *job, struct fn *fn, struct fn_call *call)
{
    if (job->engine->recall)
        recall_call(job->engine->recall, engine_job_of(job), fn, call);
    else
        fn_call(fn, call);
}

bool job_knows(struct job *job, struct str scope, struct buf *text)
{
    return job->engine->recall &&
           recall_knows(job->engine->recall, engine_job_of(job), scope, text);
}

void job_note(struct job *job, struct str scope, struct str text, void (*done)(void *owner),
              void *owner)
{
    if (job->engine->recall)
        recall_note(job->engine->recall, engine_job_of(job), scope, text, done, owner);
    else
        done(owner);
}

bool job_hides(const struct job *job, const struct fn_call *call)
{
    return recall_hides(job->engine->recall, call->shown);
}

bool job_recall(struct job *job)
{
    struct recall *recall = job->engine->recall;
    struct slice lines;
    size_t count;
    bool shown;
    if (!recall || !recall_find(recall, engine_job_of(job), &lines, &count, &shown))
        return false;
    if (recall_hides(recall, shown))
        slice_drop(&lines);
    else
        job_emit_take(job, lines, count);
    job_done(job);
    return true;
}

void job_end_recorded_take(struct job *job, struct slice lines, size_t count)
{
    if (job->engine->recall) {
        recall_end_take(job->engine->recall, engine_job_of(job), lines, count);
        return;
    }
    job_emit_take(job, lines, count);
    job_done(job);
}
