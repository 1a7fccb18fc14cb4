/*
 * settle.c: from finished to settled: results into the sink in order, dead letters to their place,
 * outcomes to the source.
 *
 * A finished job waits on `order` until those before it are finished too (not with --unordered),
 * then on `emitting` until the sink has taken its results, then on `emitted` until they are
 * written. Only then does it count, and the source learns of it: what was not written has not
 * happened.
 */
#include "engine/internal.h"
#include "base/list.h"
#include "engine/recall.h"
#include "engine/reporting.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/msg.h"

#include <errno.h>
#include <stdlib.h>

/* Results are written after this long even while there is no idle moment: nanoseconds. */
#define SETTLE_LATENCY INT64_C(20000000)

/* ---- letters ---- */

/* What only letters that are kept say: who wants to redrive one need not know where it came from.
 */
static struct str origin(struct engine *engine)
{
    if (engine->letters_kept && !engine->origin.len)
        deadletter_origin(&engine->origin, engine->context.command, options_line());
    return buf_str(&engine->origin);
}

/* The source keeps the letter; takes the line then. */
static bool buried(struct engine_job *job, struct buf *line)
{
    struct engine *engine = job->job.engine;
    struct source *source = engine->source;
    if (!source->bury || engine->dead_sink ||
        !source->bury(source, job->token, (struct str){line->data, line->len - 1}))
        return false;
    engine->report.letters++;
    buf_free(line);
    return true;
}

void settle_add_letter(struct engine_job *job, struct str event, struct failure *failure,
                       const struct letter_way *way)
{
    struct engine *engine = job->job.engine;
    job->outcome = SOURCE_DEAD;
    if (job->asks)
        engine->source->refuse(engine->source, job->token, failure);
    if (job->asks || engine->options->no_letters) {
        failure_free(failure);
        return;
    }
    if (!failure->last_at) /* of no attempt */
        failure->last_at = clock_wall();
    bool malformed = failure->reason == FAILURE_BAD_JSON || failure->reason == FAILURE_TOO_LARGE;
    bool is_of_many = job->job.origin != engine->source->name;
    struct buf members = {0};
    if (engine->source->describe)
        engine->source->describe(engine->source, job->token, &members);
    struct letter_facts facts = {
        .event = event,
        .is_json = !malformed,
        .id = job_id(&job->job),
        .command = engine->context.command,
        .members = buf_str(&members),
        .source = malformed || is_of_many ? job->job.origin : NULL,
        .line = job->job.line,
        .length = job->length,
        .way = way,
        .origin = origin(engine),
    };
    struct buf line = {0};
    deadletter_format(&line, &facts, failure);
    failure_free(failure);
    buf_free(&members);
    if (buried(job, &line))
        return;
    struct letter *letter = deadletter_letter(&line, job);
    engine_add_cost(job, letter->call.event.len);
    if (job->last_letter)
        job->last_letter->next = letter;
    else
        job->letters = letter;
    job->last_letter = letter;
}

void settle_whole_letter(struct engine_job *job, struct failure *failure)
{
    struct plan *plan = job->job.engine->plan;
    struct buf event = {0};
    if (plan->letter_event && job->state != JOB_HELD)
        plan->letter_event(plan, &job->job, &event);
    settle_add_letter(job, event.len ? buf_str(&event) : slice_str(job->job.event), failure, NULL);
    buf_free(&event);
}

void settle_write_letters(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    while (job->letters) {
        struct letter *letter = job->letters;
        job->letters = letter->next;
        job->letters_open++;
        engine->report.letters++;
        deadletter_write(engine->deadletter, letter);
        loop_defer(engine->loop, &engine->turn);
    }
    job->last_letter = NULL;
}

void settle_letter_written(struct engine_job *job)
{
    if (--job->letters_open == 0 && job == job->job.engine->emitted.first)
        settle_progress(job->job.engine);
}

/* ---- results ---- */

static void drop_results(struct engine_job *job)
{
    slice_drop(&job->lines);
    while (job->more) {
        struct result *result = job->more;
        job->more = result->next;
        slice_drop(&result->lines);
        free(result);
    }
    job->last_more = NULL;
}

/* The next results move to the front. */
static void advance(struct engine_job *job)
{
    slice_drop(&job->lines);
    job->emitted = 0;
    if (job->more) {
        struct result *result = job->more;
        job->more = result->next;
        job->lines = result->lines;
        free(result);
    }
}

/* Hand results to the sink as far as it takes them. True: all of them. */
static bool emit_results(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    while (job->lines.len) {
        if (!engine_may_emit(engine))
            return false;
        size_t piece = job->lines.len - job->emitted;
        if (piece > ENGINE_OUTPUT)
            piece = ENGINE_OUTPUT;
        reporting_hide_for_output(engine);
        stream_add(&engine->out, (struct str){job->lines.data + job->emitted, piece});
        engine->report.bytes_out += piece;
        job->emitted += piece;
        if (job->emitted == job->lines.len)
            advance(job);
    }
    return true;
}

static void emit(struct engine *engine)
{
    struct engine_job *job;
    while ((job = engine->emitting.first)) {
        if (!emit_results(job))
            return;
        LIST_REMOVE(&engine->emitting, job);
        job->mark = engine->out.error ? UINT64_MAX : engine->out.accepted;
        job->state = JOB_EMITTED;
        LIST_APPEND(&engine->emitted, job);
        settle_write_letters(job);
    }
}

/* ---- outcomes ---- */

static void forget(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    if (engine->plan->release)
        engine->plan->release(engine->plan, &job->job);
    drop_results(job);
    slice_drop(&job->job.event);
    buf_free(&job->id);
    engine->window--;
    engine->window_bytes -= job->cost;
    job->next = engine->free;
    engine->free = job;
}

static void count(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    struct report *report = &engine->report;
    struct report_made *made = &report->made;
    switch (job->outcome) {
    case SOURCE_DONE:
        ++*(job->made ? &made->done : &report->done);
        break;
    case SOURCE_DEAD:
        ++*(job->made ? &made->dead : &report->dead);
        break;
    case SOURCE_DROPPED:
        ++*(job->made ? &made->dropped : &report->dropped);
        break;
    case SOURCE_RELEASED:
        ++*(job->made ? &made->returned : &report->returned);
        break;
    }
    if (engine->unread)
        ending_check_reader(engine);
    if (engine->source->outcome)
        engine->source->outcome(engine->source, job->token, job->outcome);
}

/* What an event has come to when two jobs of it have ended so. */
static enum source_outcome worse(enum source_outcome one, enum source_outcome other)
{
    static const int rank[] = {
        [SOURCE_DONE] = 0, [SOURCE_DROPPED] = 1, [SOURCE_DEAD] = 2, [SOURCE_RELEASED] = 3};
    return rank[one] > rank[other] ? one : other;
}

/* Has its event ended with it? */
static bool is_last(struct engine_job *job)
{
    struct parked *parked = job->parked;
    if (!parked)
        return true;
    bool counted = parked->outcome == SOURCE_DEAD;
    job->outcome = worse(job->outcome, (enum source_outcome)parked->outcome);
    parked->outcome = (uint8_t)job->outcome;
    if (--parked->open)
        return false;
    job->job.engine->parked--;
    job->job.engine->finished += !counted;
    return true;
}

/* Nothing of it is left to be written. */
static void settle(struct engine_job *job)
{
    if (is_last(job))
        count(job);
    recall_settled(job->job.engine->recall, job, !job->unsaid);
    fn_kept_end(job->kept, job->outcome != SOURCE_RELEASED && !job->spared);
    struct plan *plan = job->job.engine->plan;
    if (plan->settled)
        plan->settled(plan, &job->job, !job->unsaid && job->outcome == SOURCE_DONE);
    forget(job);
}

/*
 * Its results can never be written: the reader is gone, who asked for no more, or the writing
 * failed, and then the event is dead, with its letter. True when the job can be settled now.
 */
static bool settle_unwritten(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    if (job->unsaid || !job->has_results)
        return true;
    job->unsaid = true;
    if (engine->source->releases) {
        job->outcome = SOURCE_RELEASED;
        return true;
    }
    if (engine->out.error == EPIPE) {
        if (job->outcome == SOURCE_DONE)
            job->outcome = SOURCE_DROPPED;
        return true;
    }
    job->spared = true;
    settle_whole_letter(job, failure_new(FAILURE_WRITE, FAILURE_PERMANENT,
                                         "its results could not be written: %s",
                                         strerror(engine->out.error)));
    settle_write_letters(job);
    return !job->letters_open;
}

static void settle_written(struct engine *engine)
{
    struct engine_job *job;
    while ((job = engine->emitted.first) && !job->letters_open) {
        if (job->mark > engine->out.written && (!engine->out.error || !settle_unwritten(job)))
            return;
        LIST_REMOVE(&engine->emitted, job);
        settle(job);
    }
}

/* Whatever is called from here may come back here: a written letter, a broken sink, --halt. One
 * level does the work. */
void settle_progress(struct engine *engine)
{
    engine->settle_again = true;
    if (engine->settling)
        return;
    engine->settling = true;
    size_t window = engine->window;
    while (engine->settle_again) {
        engine->settle_again = false;
        emit(engine);
        if (engine->emitted.first && loop_now(engine->loop) - engine->flushed_at > SETTLE_LATENCY) {
            engine->flushed_at = loop_now(engine->loop);
            stream_flush(&engine->out);
        }
        settle_written(engine);
    }
    engine->settling = false;
    /* Not when nothing was settled: idle moments come here too, and would follow each other without
     * end. */
    if (engine->window < window)
        admit_wake(engine);
    engine_check_end(engine);
}

void settle_flush(struct engine *engine)
{
    stream_flush(&engine->out);
    stream_flush(&engine->err);
    settle_progress(engine);
}

void settle_advance(struct engine *engine)
{
    struct engine_job *job;
    while ((job = engine->order.first) && job->state == JOB_FINISHED) {
        LIST_REMOVE(&engine->order, job);
        job->state = JOB_EMITTING;
        LIST_APPEND(&engine->emitting, job);
    }
    if (engine->emitting.first)
        settle_progress(engine);
}

/* An event of several jobs counts for --halt when it first dies, or else when it has ended. */
static void count_for_halt(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    struct parked *parked = job->parked;
    bool dies = job->outcome == SOURCE_DEAD && (!parked || parked->outcome != SOURCE_DEAD);
    engine->finished += !parked || dies;
    if (!dies)
        return;
    if (parked)
        parked->outcome = SOURCE_DEAD;
    engine->died++;
    engine_check_halt(engine);
}

void settle_finish(struct engine_job *job)
{
    struct engine *engine = job->job.engine;
    job->state = JOB_FINISHED;
    count_for_halt(job);
    if (job->place.entered)
        admit_next_of_key(engine, job);
    if (job->silent && !job->letters) {
        settle(job);
        admit_wake(engine);
        engine_check_end(engine);
        return;
    }
    if (job->silent) {
        job->state = JOB_EMITTING;
        LIST_APPEND(&engine->emitting, job);
    } else if (engine->options->unordered) {
        LIST_REMOVE(&engine->order, job);
        job->state = JOB_EMITTING;
        LIST_APPEND(&engine->emitting, job);
    }
    settle_advance(engine);
}
