/* plan_pool.c: the plan of a warm pool: each request is a call of the pool's function. */
#include "engine/plan_pool.h"

static void answered(struct fn_call *call)
{
    job_end_with(call->owner, call);
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_pool *pool = (struct plan_pool *)(void *)plan;
    struct fn_call *call = job_data(job);
    (void)input;
    job_prepare(job, call);
    call->id = source_socket_id(job_token(job), &call->scope);
    call->done = answered;
    fn_call(pool->fn, call);
}

/* What would wait, waits with the source, where it can be taken back. */
static bool has_room(struct plan *plan)
{
    return fn_has_slot(((struct plan_pool *)(void *)plan)->fn);
}

static void attempted(void *owner, const struct fn_attempt *attempt)
{
    struct plan_pool *pool = owner;
    if (attempt->call->owner && attempt->init)
        source_socket_note(pool->source, job_token(attempt->call->owner), attempt->init);
}

void plan_pool_init(struct plan_pool *pool, struct engine *engine, struct fn *fn,
                    struct source_socket *source)
{
    *pool = (struct plan_pool){
        .plan = {.start = start, .has_room = has_room, .job_size = sizeof(struct fn_call)},
        .fn = fn,
        .source = source};
    engine_observe(engine, attempted, pool);
}
