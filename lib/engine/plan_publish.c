/* plan_publish.c: the plan that publishes each event to a durable topic. */
#include "engine/plan_publish.h"

#include <inttypes.h>

/* The data of a job. */
struct publish_job {
    struct topic_publish publish; /* first */
    struct plan_publish *plan;
};

static struct plan_publish *of(struct plan *plan)
{
    return (struct plan_publish *)(void *)plan;
}

static void give_receipt(struct job *job, uint64_t seq)
{
    struct buf line = {0};
    buf_addf(&line, "%" PRIu64 "\n", seq);
    size_t len = line.len;
    job_emit_take(job, slice_take(buf_take(&line), len), 1);
}

static void published(struct store_op *op)
{
    struct publish_job *own = (struct publish_job *)(void *)op;
    struct plan_publish *plan = own->plan;
    struct job *job = job_of_data(own);
    plan->on_their_way--;
    if (op->status == STORE_OK) {
        if (plan->receipts)
            give_receipt(job, own->publish.seq);
        job_done(job);
    } else {
        struct err err = *op->err;
        job_dead_take(job, failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "publish to %s: %s",
                                       plan->topic, err.text));
        engine_fail(plan->engine, &err);
    }
    engine_room(plan->engine);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_publish *publish = of(plan);
    struct publish_job *own = job_data(job);
    (void)input;
    if (!publish->receipts)
        job_silent(job);
    own->plan = publish;
    own->publish = (struct topic_publish){
        .own.op.done = published,
        .own.topic = str_of(publish->topic),
        .event = slice_str(job->event),
    };
    publish->on_their_way++;
    topic_publish(publish->store, &own->publish);
}

static bool has_room(struct plan *plan)
{
    return of(plan)->on_their_way < STORE_GROUP;
}

void plan_publish_init(struct plan_publish *publish, struct engine *engine, struct store *store,
                       const char *topic, bool receipts)
{
    *publish = (struct plan_publish){
        .plan = {.start = start,
                 .has_room = has_room,
                 .silent = !receipts,
                 .job_size = sizeof(struct publish_job)},
        .engine = engine,
        .store = store,
        .topic = topic,
        .receipts = receipts,
    };
}
