/* aggregate_job.c: one event of `aggregate`: its calls, what they answer, and how it ends. */
#include "engine/aggregate_job.h"

#include "base/mem.h"
#include "base/msg.h"
#include "engine/aggregate_answer.h"
#include "engine/split_result.h"

#include <stdlib.h>

/* What a job keeps of a part. */
struct part {
    struct fn_call call; /* first */
    struct aggregate_job *own;
    struct failure *failure;
    struct buf older;
};

struct aggregate_job {
    struct plan_aggregate *aggregate;
    struct job *job;
    enum aggregate_verdict verdict;
    unsigned busy;               /* somebody goes through the parts: it does not end now */
    size_t open;                 /* calls and looks that have not ended */
    struct failure *interrupted; /* the run ends before the job does */
    struct buf key;
    struct part_answer *answers;
    struct part *parts;
};

/* A look for the last good answer of a part that has failed. */
struct look {
    struct good_look good; /* first */
    struct part *part;
};

static struct part_answer *answer_of(const struct part *part)
{
    return &part->own->answers[part - part->own->parts];
}

/* ---- the end of a job ---- */

static void free_parts(struct aggregate_job *own)
{
    for (size_t i = 0; i < own->aggregate->settings->count; i++) {
        struct part *part = &own->parts[i];
        slice_drop(&part->call.lines);
        failure_free(part->failure);
        buf_free(&part->older);
    }
    buf_free(&own->key);
}

struct joined {
    struct buf lines;
    size_t count;
};

static int add_line(void *context, struct str json)
{
    struct joined *joined = context;
    buf_add_str(&joined->lines, json);
    buf_addc(&joined->lines, '\n');
    joined->count++;
    return 0;
}

/* What is printed of the object. -1 with err. */
static int join(struct aggregate_job *own, struct str object, struct joined *joined,
                struct err *err)
{
    struct plan_aggregate *aggregate = own->aggregate;
    if (!aggregate->join)
        return add_line(joined, object);
    int status =
        jq_each_given(aggregate->join, object, slice_str(own->job->event), add_line, joined, err);
    if (!aggregate->warned && jq_lost_digits(aggregate->join)) {
        aggregate->warned = true;
        msg_warn("jq has changed numbers of more than 15 digits");
    }
    return status;
}

static void end_answered(struct aggregate_job *own)
{
    const struct aggregate_settings *settings = own->aggregate->settings;
    struct job *job = own->job;
    struct joined joined = {0};
    struct buf object = {0};
    struct err err;
    aggregate_write(&object, own->answers, settings->count, settings->need);
    free_parts(own);
    int status = join(own, buf_str(&object), &joined, &err);
    buf_free(&object);
    if (status < 0) {
        buf_free(&joined.lines);
        job_dead_take(job,
                      failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "--join %s", err.text));
        return;
    }
    size_t len = joined.lines.len;
    struct slice lines = len ? slice_take(buf_take(&joined.lines), len) : (struct slice){0};
    buf_free(&joined.lines);
    job_end_recorded_take(job, lines, joined.count);
}

static void end_dead(struct aggregate_job *own)
{
    const struct aggregate_settings *settings = own->aggregate->settings;
    struct failure *failure = own->interrupted;
    if (!failure)
        failure = aggregate_failure(own->answers, settings->count, settings->need);
    free_parts(own);
    job_dead_take(own->job, failure);
}

/* The parts that still run. A call that is not to be ended any more ends by itself, at once: its
 * answer is being recorded. */
static void end_others(struct aggregate_job *own)
{
    for (size_t i = 0; i < own->aggregate->settings->count; i++)
        fn_end(&own->parts[i].call, FAILURE_NOT_NEEDED);
}

static void go_on(struct aggregate_job *own)
{
    const struct aggregate_settings *settings = own->aggregate->settings;
    if (own->verdict == AGGREGATE_WAIT) {
        own->verdict = own->interrupted
                           ? AGGREGATE_DEAD
                           : aggregate_judge(own->answers, settings->count, settings->need);
        if (own->verdict == AGGREGATE_WAIT)
            return;
        own->busy++;
        end_others(own);
        own->busy--;
    }
    if (own->open || own->busy)
        return;
    if (own->verdict == AGGREGATE_ANSWER)
        end_answered(own);
    else
        end_dead(own);
}

/* ---- what comes of a part ---- */

static void part_failed(struct part *part)
{
    struct part_answer *answer = answer_of(part);
    answer->state = PART_FAILED;
    answer->failure = part->failure;
}

static void looked(struct good_look *good)
{
    struct look *look = (struct look *)(void *)good;
    struct part *part = look->part;
    struct aggregate_job *own = part->own;
    struct part_answer *answer = answer_of(part);
    part_failed(part);
    if (good->found) {
        answer->state = PART_CACHED;
        answer->age = good->age;
        part->older = good->value;
        answer->older = buf_str(&part->older);
    }
    free(look);
    own->open--;
    go_on(own);
}

/* A program without an output gives the empty key, which is not to have none. */
static struct str key_of(const struct aggregate_job *own)
{
    if (!own->aggregate->cached_by)
        return (struct str){0};
    return own->key.len ? buf_str(&own->key) : STR("");
}

static void look_for_older(struct part *part)
{
    struct aggregate_job *own = part->own;
    struct look *look = mem_zalloc(sizeof *look);
    look->part = part;
    look->good.done = looked;
    own->open++;
    good_answers_look(own->aggregate->good, answer_of(part)->name, key_of(own), &look->good);
}

/* Of an answer of the ledger nobody knows how old it is. */
static void keep(struct part *part)
{
    const struct fn_call *call = &part->call;
    struct aggregate_job *own = part->own;
    struct buf value = {0};
    if (!own->aggregate->good || !call->attempts)
        return;
    split_value(&value, slice_str(call->lines), call->count);
    good_answers_note(own->aggregate->good, answer_of(part)->name, key_of(own), buf_str(&value));
    buf_free(&value);
}

static void take_answer(struct part *part)
{
    struct part_answer *answer = answer_of(part);
    answer->state = PART_HERE;
    answer->lines = slice_str(part->call.lines);
    answer->count = part->call.count;
    keep(part);
}

static void take_failure(struct part *part)
{
    struct aggregate_job *own = part->own;
    part->failure = part->call.failure;
    part->call.failure = NULL;
    if (part->failure->reason == FAILURE_INTERRUPTED || part->failure->reason == FAILURE_HALTED) {
        own->interrupted = part->failure;
        part->failure = NULL;
    } else if (own->aggregate->good) {
        look_for_older(part);
    } else {
        part_failed(part);
    }
}

static void answered(struct fn_call *call)
{
    struct part *part = (struct part *)(void *)call;
    struct aggregate_job *own = part->own;
    slice_drop(&call->event);
    own->open--;
    own->busy++;
    if (own->verdict != AGGREGATE_WAIT) {
        failure_free(call->failure);
        call->failure = NULL;
        answer_of(part)->state = PART_ENDED;
    } else if (call->failure) {
        take_failure(part);
    } else {
        take_answer(part);
    }
    own->busy--;
    go_on(own);
}

/* ---- its beginning ---- */

/* Of the event: what the answers that are kept are told apart by. -1: the job has been ended. */
static int find_key(struct aggregate_job *own, const struct jq_input *input)
{
    struct err err;
    if (jq_first(own->aggregate->cached_by, input, &own->key, &err) >= 0)
        return 0;
    buf_free(&own->key);
    job_dead_take(own->job,
                  failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--cached-by %s", err.text));
    return -1;
}

static void begin(struct aggregate_job *own, size_t i)
{
    const struct member *member = &own->aggregate->members[i];
    struct part *part = &own->parts[i];
    part->own = own;
    job_prepare(own->job, &part->call);
    part->call.event = slice_hold(own->job->event);
    part->call.scope = member->named.name;
    part->call.done = answered;
    own->open++;
    job_call(own->job, member->fn, &part->call);
}

size_t aggregate_job_size(size_t count)
{
    return sizeof(struct aggregate_job) +
           count * (sizeof(struct part) + sizeof(struct part_answer));
}

void aggregate_job_start(struct plan_aggregate *aggregate, struct job *job,
                         const struct jq_input *input)
{
    size_t count = aggregate->settings->count;
    struct aggregate_job *own = job_data(job);
    if (job_recall(job))
        return;
    own->aggregate = aggregate;
    own->job = job;
    own->parts = (struct part *)(own + 1);
    own->answers = (struct part_answer *)(own->parts + count);
    if (aggregate->cached_by && find_key(own, input) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct named *named = &aggregate->members[i].named;
        own->answers[i] = (struct part_answer){.name = named->name, .optional = named->optional};
    }
    own->busy++;
    for (size_t i = 0; i < count && own->verdict == AGGREGATE_WAIT; i++)
        begin(own, i);
    own->busy--;
    go_on(own);
}
