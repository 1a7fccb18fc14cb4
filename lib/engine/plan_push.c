/* plan_push.c: the plan that pushes each event into a durable queue. */
#include "engine/plan_push.h"

#include "base/list.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

/* The data of a job. */
struct push_job {
    struct queue_push push; /* first */
    struct plan_push *plan;
    struct buf group, dedup; /* values of --group and --dedup */
    struct push_job *next;
};

static struct plan_push *of(struct plan *plan)
{
    return (struct plan_push *)(void *)plan;
}

static void give_receipt(struct job *job, uint64_t seq)
{
    struct buf line = {0};
    buf_addf(&line, "%" PRIu64 "\n", seq);
    size_t len = line.len;
    job_emit_take(job, slice_take(buf_take(&line), len), 1);
}

static void wait_for_room(struct push_job *own)
{
    struct plan_push *plan = own->plan;
    own->next = NULL;
    if (plan->waiting)
        plan->last_waiting->next = own;
    else
        plan->waiting = own;
    plan->last_waiting = own;
}

static void pushed(struct store_op *op)
{
    struct push_job *own = (struct push_job *)(void *)op;
    struct plan_push *plan = own->plan;
    struct job *job = job_of_data(own);
    plan->on_their_way--;
    if (op->status == STORE_OK) {
        if (plan->settings.receipts)
            give_receipt(job, own->push.seq);
        job_done(job);
    } else if (op->status == STORE_FULL && plan->settings.full == PUSH_BLOCK) {
        wait_for_room(own);
        return;
    } else if (op->status == STORE_FULL) {
        job_dead_take(job, failure_new(FAILURE_QUEUE_FULL, FAILURE_PERMANENT,
                                       "%s: %" PRIu64 " messages wait (--max-length)",
                                       plan->settings.queue, plan->settings.max_length));
    } else {
        struct err err = *op->err;
        job_dead_take(job, failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "push to %s: %s",
                                       plan->settings.queue, err.text));
        engine_fail(plan->engine, &err);
    }
    engine_room(plan->engine);
}

static void send(struct push_job *own)
{
    own->plan->on_their_way++;
    queue_push(own->plan->store, &own->push);
}

/* Those that wait are pushed again, in their order; a commit takes them all. */
static void push_again(struct loop_task *task)
{
    struct plan_push *plan = CONTAINER_OF(task, struct plan_push, again);
    struct push_job *own = plan->waiting;
    plan->waiting = NULL;
    while (own) {
        struct push_job *next = own->next;
        send(own);
        own = next;
    }
    engine_room(plan->engine);
}

static void room_made(void *owner)
{
    struct plan_push *plan = owner;
    if (plan->waiting)
        loop_defer(store_loop(plan->store), &plan->again);
}

/* ---- jobs ---- */

/* The value of a program, as JSON text; it must give one. -1: the job has been ended. */
static int value_of(struct job *job, struct jq_program *program, const char *option,
                    const struct jq_input *input, struct buf *value)
{
    struct err err;
    if (!program)
        return 0;
    int found = jq_first(program, input, value, &err);
    if (found == 0)
        err_set(&err, ERR_INPUT, "%s: gives nothing", jq_text(program));
    if (found > 0)
        return 0;
    job_dead_take(job,
                  failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "%s %s", option, err.text));
    return -1;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_push *push = of(plan);
    const struct push_settings *settings = &push->settings;
    struct push_job *own = job_data(job);
    own->plan = push;
    if (!settings->receipts)
        job_silent(job);
    if (value_of(job, push->group, "--group", input, &own->group) < 0 ||
        value_of(job, push->dedup, "--dedup", input, &own->dedup) < 0)
        return;
    own->push = (struct queue_push){
        .own.op.done = pushed,
        .own.queue = str_of(settings->queue),
        .event = slice_str(job->event),
        .group = buf_str(&own->group),
        .dedup = buf_str(&own->dedup),
        .dedup_window = settings->dedup_window,
        .delay = settings->delay,
        .expire = settings->expire,
        .priority = settings->priority,
        .max_length = settings->max_length,
        .drop_oldest = settings->full == PUSH_DROP_OLDEST,
        .waits = settings->full == PUSH_BLOCK,
    };
    send(own);
}

static bool has_room(struct plan *plan)
{
    const struct plan_push *push = of(plan);
    return !push->waiting && push->on_their_way < STORE_GROUP;
}

/* What waits for room waits no longer. */
static void cancel(struct plan *plan, enum failure_reason reason)
{
    struct plan_push *push = of(plan);
    while (push->waiting) {
        struct push_job *own = push->waiting;
        push->waiting = own->next;
        job_dead_take(job_of_data(own),
                      failure_new(reason, FAILURE_PERMANENT, "%s is full, and was waited for: %s",
                                  push->settings.queue, failure_name(reason)));
    }
}

static void release(struct plan *plan, struct job *job)
{
    struct push_job *own = job_data(job);
    (void)plan;
    buf_free(&own->group);
    buf_free(&own->dedup);
}

int plan_push_init(struct plan_push *push, struct engine *engine, struct store *store,
                   const struct push_settings *settings, struct err *err)
{
    *push = (struct plan_push){
        .plan = {.start = start,
                 .has_room = has_room,
                 .release = release,
                 .cancel = cancel,
                 .silent = !settings->receipts,
                 .job_size = sizeof(struct push_job)},
        .engine = engine,
        .store = store,
        .settings = *settings,
        .again.run = push_again,
    };
    struct json_paths *paths = engine_paths(engine);
    if (settings->group && !(push->group = jq_compile(settings->group, paths, err)))
        return -1;
    if (settings->dedup && !(push->dedup = jq_compile(settings->dedup, paths, err)))
        return -1;
    if (!settings->max_length || settings->full != PUSH_BLOCK)
        return 0;
    push->room = (struct store_ear){
        .kind = "room", .name = str_of(settings->queue), .heard = room_made, .owner = push};
    return store_listen(store, &push->room, err);
}

void plan_push_free(struct plan_push *push)
{
    if (push->store) {
        loop_undefer(store_loop(push->store), &push->again);
        store_deafen(push->store, &push->room);
    }
    jq_free(push->group);
    jq_free(push->dedup);
}
