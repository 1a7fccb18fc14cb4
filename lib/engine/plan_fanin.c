/* plan_fanin.c: the plan that collects parts into groups. */
#include "engine/plan_fanin.h"

#include "base/msg.h"
#include "engine/source_fanin.h"

/* The data of a job that is a line. */
struct fanin_job {
    struct fanin_incoming only; /* of a line with one */
    struct plan_fanin *plan;
    struct fanin_incoming *waiting; /* not yet sent */
    size_t open;                    /* sent, and not answered */
    bool sending;
    struct failure *failure; /* of the only one */
};

static struct plan_fanin *of(struct plan *plan)
{
    return (struct plan_fanin *)(void *)plan;
}

/* ---- lines ---- */

static void part_failed_take(struct fanin_job *own, const struct fanin_incoming *part,
                             struct failure *failure)
{
    struct buf array = {0};
    if (part == &own->only) {
        own->failure = failure;
        return;
    }
    buf_addc(&array, '['); /* as the line was: to be redriven as that */
    buf_add_str(&array, part->text);
    buf_addc(&array, ']');
    job_letter_take(job_of_data(own), buf_str(&array), failure);
    buf_free(&array);
}

static void judge(struct fanin_job *own, const struct fanin_incoming *part)
{
    struct plan_fanin *plan = own->plan;
    switch (part->add.verdict) {
    case GROUP_TAKEN:
        break;
    case GROUP_DUPLICATE:
        plan->duplicates++;
        break;
    case GROUP_LATE:
        plan->late++;
        part_failed_take(own, part, fanin_incoming_failure(part));
        break;
    case GROUP_WRONG:
        part_failed_take(own, part, fanin_incoming_failure(part));
        break;
    }
}

static void send(struct fanin_job *own);

static void added(struct store_op *op)
{
    struct fanin_incoming *part = (struct fanin_incoming *)(void *)op;
    struct fanin_job *own = part->owner;
    struct plan_fanin *plan = own->plan;
    plan->on_their_way--;
    own->open--;
    if (op->status == STORE_OK) {
        judge(own, part);
    } else {
        struct err err = *op->err;
        part_failed_take(
            own, part, failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "keep a part: %s", err.text));
        engine_fail(plan->engine, &err);
    }
    fanin_incoming_free(part);
    send(own); /* it may be gone then */
    engine_room(plan->engine);
}

/* Parts beyond a commit wait for it, also those of one line. */
static void send(struct fanin_job *own)
{
    if (own->sending)
        return;
    own->sending = true;
    while (own->waiting && own->plan->on_their_way < STORE_GROUP) {
        struct fanin_incoming *part = own->waiting;
        own->waiting = part->next;
        own->plan->on_their_way++;
        own->open++;
        part->owner = own;
        part->add.own.op.done = added;
        fanin_add(own->plan->store, &part->add);
    }
    own->sending = false;
    if (own->waiting || own->open)
        return;
    if (own->failure)
        job_dead_take(job_of_data(own), own->failure);
    else
        job_done(job_of_data(own));
}

static void start_line(struct plan_fanin *plan, struct job *job, const struct jq_input *input)
{
    struct fanin_job *own = job_data(job);
    own->plan = plan;
    job_silent(job);
    own->failure = fanin_incoming_read(&plan->reader, job, input, &own->only, &own->waiting);
    send(own);
}

/* ---- groups ---- */

static void warn_of_digits(struct plan_fanin *plan)
{
    if (plan->warned || !plan->join.program || !jq_lost_digits(plan->join.program))
        return;
    plan->warned = true;
    msg_warn("jq has changed numbers of more than 15 digits");
}

/* Lines that who held it before has written are not written again. */
static void emit_rest(struct job *job, struct fanin_held *held, struct slice *lines, size_t count)
{
    struct str rest = fanin_held_rest(held, slice_str(*lines));
    for (const char *at = lines->data; at < rest.data; at++)
        count -= *at == '\n';
    job_emit_take(job, slice_of(lines->block, rest.data, rest.len), count);
    slice_drop(lines);
}

static void start_group(struct plan_fanin *plan, struct job *job, struct fanin_held *held)
{
    const struct fanin_rules *rules = &plan->settings.rules;
    struct failure *failure = fanin_result_failure(rules, held->group, held->batch->interrupted);
    struct slice lines;
    size_t count;
    struct err err;
    if (!failure &&
        fanin_result_lines(rules, &plan->join, held->group, job->event, &lines, &count, &err) < 0)
        failure = failure_new(FAILURE_BAD_RESULT, FAILURE_PERMANENT, "--join %s", err.text);
    warn_of_digits(plan);
    if (failure) {
        job_dead_take(job, failure);
        return;
    }
    emit_rest(job, held, &lines, count);
    job_done(job);
}

/* ---- the plan ---- */

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct fanin_held *held = source_fanin_held(job_token(job));
    if (held)
        start_group(of(plan), job, held);
    else
        start_line(of(plan), job, input);
}

static bool has_room(struct plan *plan)
{
    return of(plan)->on_their_way < STORE_GROUP;
}

static void letter_event(struct plan *plan, struct job *job, struct buf *event)
{
    struct fanin_held *held = source_fanin_held(job_token(job));
    (void)plan;
    if (held)
        fanin_result_letter(held->group, event);
}

int plan_fanin_init(struct plan_fanin *fanin, struct engine *engine, struct store *store,
                    const struct fanin_settings *settings, struct err *err)
{
    *fanin = (struct plan_fanin){
        .plan = {.start = start,
                 .has_room = has_room,
                 .letter_event = letter_event,
                 .job_size = sizeof(struct fanin_job)},
        .engine = engine,
        .store = store,
        .settings = *settings,
    };
    engine_count(engine, &(struct report_count){"duplicates", "Parts that were there already.",
                                                &fanin->duplicates});
    engine_count(engine,
                 &(struct report_count){"late", "Parts of groups that had closed.", &fanin->late});
    if (fanin_reader_init(&fanin->reader, &fanin->settings, engine, err) < 0)
        return -1;
    return fanin_result_join_init(&fanin->join, settings->join, err);
}

void plan_fanin_free(struct plan_fanin *fanin)
{
    fanin_reader_free(&fanin->reader);
    fanin_result_join_free(&fanin->join);
    *fanin = (struct plan_fanin){0};
}
