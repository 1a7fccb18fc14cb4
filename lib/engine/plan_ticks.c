/* plan_ticks.c: the plan of `every`: a call for each time that begins. */
#include "engine/plan_ticks.h"

#include "base/list.h"

/* The data of a job. */
struct ticks_job {
    struct fn_call call; /* first */
    struct plan_ticks *plan;
    struct job *job; /* the call's owner is another one while its answer is recorded */
    struct ticks_job *next, *prev;
    bool replaced;
};

static void answered(struct fn_call *call)
{
    struct ticks_job *own = (struct ticks_job *)(void *)call;
    LIST_REMOVE(&own->plan->running, own);
    if (!own->replaced || !call->failure) {
        job_end_with(own->job, call);
        return;
    }
    failure_free(call->failure);
    job_drop(own->job);
}

/* One that is not to be ended any more ends by itself, at once. */
static void end_running(struct plan_ticks *plan)
{
    struct ticks_job *next;
    for (struct ticks_job *own = plan->running.first; own; own = next) {
        next = own->next;
        own->replaced = true;
        fn_end(&own->call, FAILURE_NOT_NEEDED);
    }
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_ticks *own = (struct plan_ticks *)(void *)plan;
    struct ticks_job *data = job_data(job);
    (void)input;
    if (own->replaces)
        end_running(own);
    data->plan = own;
    data->job = job;
    data->call.done = answered;
    LIST_APPEND(&own->running, data);
    job_prepare(job, &data->call);
    job_call(job, own->fn, &data->call);
}

/* The source hands out no more than may be under way, and one that takes another's place must not
 * wait for it. */
static bool has_room(struct plan *plan)
{
    (void)plan;
    return true;
}

void plan_ticks_init(struct plan_ticks *ticks, struct fn *fn, bool replaces)
{
    *ticks = (struct plan_ticks){
        .plan = {.start = start,
                 .has_room = has_room,
                 .silent = fn_is_silent(fn),
                 .job_size = sizeof(struct ticks_job)},
        .fn = fn,
        .replaces = replaces,
    };
}
