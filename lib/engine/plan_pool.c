/* plan_pool.c: the plan of a warm pool: each request is a call of the pool's function. */
#include "engine/plan_pool.h"

struct pool_call {       /* the data of a job */
    struct fn_call call; /* first */
    struct plan_pool *pool;
};

static void answered(struct fn_call *call)
{
    struct plan_pool *pool = ((struct pool_call *)(void *)call)->pool;
    struct job *job = call->owner;
    if (call->init)
        source_socket_note(pool->source, job_token(job), call->init);
    job_end_with(job, call);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct pool_call *own = job_data(job);
    struct fn_call *call = &own->call;
    (void)input;
    own->pool = (struct plan_pool *)(void *)plan;
    job_prepare(job, call);
    call->id = source_socket_id(job_token(job), &call->scope);
    call->aside = source_socket_is_ping(job_token(job));
    call->done = answered;
    fn_call(own->pool->fn, call);
}

/* What would wait, waits with the source, where it can be taken back. */
static bool has_room(struct plan *plan)
{
    return fn_has_slot(((struct plan_pool *)(void *)plan)->fn);
}

void plan_pool_init(struct plan_pool *pool, struct fn *fn, struct source_socket *source)
{
    *pool = (struct plan_pool){.plan = {.start = start,
                                        .has_room = has_room,
                                        .silent = true,
                                        .job_size = sizeof(struct pool_call)},
                               .fn = fn,
                               .source = source};
}
