/* plan_subscriber.c: the plan of a topic's subscriber. */
#include "engine/plan_subscriber.h"

/* The data of a job. */
struct subscriber_job {
    struct fn_call call; /* first */
    struct plan_subscriber *plan;
};

static struct plan_subscriber *of(struct plan *plan)
{
    return (struct plan_subscriber *)(void *)plan;
}

static void answered(struct fn_call *call)
{
    struct plan_subscriber *plan = ((struct subscriber_job *)(void *)call)->plan;
    plan->running--;
    job_end_with(call->owner, call);
    if (plan->alone)
        engine_room(plan->engine);
}

/* False: the job has been ended. */
static bool is_selected(struct plan_subscriber *plan, struct job *job, const struct jq_input *input)
{
    struct err err;
    int found = plan->filter ? jq_matches(plan->filter, input, &err) : 1;
    if (found == 0)
        job_drop(job);
    else if (found < 0)
        job_dead_take(job,
                      failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--filter %s", err.text));
    return found > 0;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_subscriber *own = of(plan);
    struct subscriber_job *data = job_data(job);
    if (!is_selected(own, job, input))
        return;
    own->running++;
    data->plan = own;
    data->call.done = answered;
    job_prepare(job, &data->call);
    job_call(job, own->fn, &data->call);
}

static bool has_room(struct plan *plan)
{
    const struct plan_subscriber *own = of(plan);
    return own->alone ? !own->running : fn_has_room(own->fn);
}

int plan_subscriber_init(struct plan_subscriber *subscriber, struct engine *engine, struct fn *fn,
                         const char *filter, bool alone, struct err *err)
{
    *subscriber = (struct plan_subscriber){
        .plan = {.start = start,
                 .has_room = has_room,
                 .silent = fn_is_silent(fn),
                 .job_size = sizeof(struct subscriber_job)},
        .engine = engine,
        .fn = fn,
        .alone = alone,
    };
    if (filter)
        subscriber->filter = jq_compile(filter, engine_paths(engine), err);
    return filter && !subscriber->filter ? -1 : 0;
}

void plan_subscriber_free(struct plan_subscriber *subscriber)
{
    jq_free(subscriber->filter);
}
