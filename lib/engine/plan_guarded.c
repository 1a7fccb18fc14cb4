/* plan_guarded.c: one call for each event, and what becomes of those that a policy refuses. */
#include "engine/plan_guarded.h"

#include "base/hash.h"

static struct plan_guarded *guarded_of(struct plan *plan)
{
    return (struct plan_guarded *)(void *)plan;
}

/* What a job keeps. */
struct guarded_job {
    struct fn_call call;
    struct plan_guarded *guarded;
};

static bool is_refusal(const struct failure *failure)
{
    return failure &&
           (failure->reason == FAILURE_BREAKER_OPEN || failure->reason == FAILURE_THROTTLED ||
            failure->reason == FAILURE_BULKHEAD_FULL);
}

static void fell_back(struct fn_call *call)
{
    job_end_with(call->owner, call);
}

static void fall_back(struct guarded_job *own, struct job *job)
{
    own->call = (struct fn_call){.done = fell_back};
    job_prepare(job, &own->call);
    fn_call(own->guarded->fallback, &own->call);
}

static void answered(struct fn_call *call)
{
    struct job *job = call->owner;
    struct guarded_job *own = job_data(job);
    enum guarded_refusal refusal = own->guarded->refusal;
    if (!is_refusal(call->failure) || refusal == GUARDED_DEAD) {
        job_end_with(job, call);
        return;
    }
    failure_free(call->failure);
    if (refusal == GUARDED_FALLBACK) {
        fall_back(own, job);
    } else if (refusal == GUARDED_PASS) {
        job_emit_event(job);
        job_done(job);
    } else {
        job_drop(job);
    }
}

/* The key of a job, never 0. -1: the job has been ended. */
static int find_key(struct plan_guarded *guarded, struct job *job, const struct jq_input *input,
                    uint64_t *key)
{
    struct buf value = {0};
    struct err err;
    int found = jq_first(guarded->key, input, &value, &err);
    if (found < 0)
        job_dead_take(job, failure_new(FAILURE_BAD_EVENT, FAILURE_PERMANENT, "--key %s", err.text));
    *key = hash_64(buf_str(&value));
    if (*key == 0)
        *key = 1;
    buf_free(&value);
    return found < 0 ? -1 : 0;
}

static void start(struct plan *plan, struct job *job, const struct jq_input *input)
{
    struct plan_guarded *guarded = guarded_of(plan);
    struct guarded_job *own = job_data(job);
    if (guarded->key && find_key(guarded, job, input, &own->call.key) < 0)
        return;
    own->guarded = guarded;
    own->call.done = answered;
    job_prepare(job, &own->call);
    fn_call(guarded->fn, &own->call);
}

int plan_guarded_init(struct plan_guarded *guarded, struct engine *engine, struct fn *fn,
                      const char *key, enum guarded_refusal refusal, struct err *err)
{
    *guarded = (struct plan_guarded){.fn = fn, .refusal = refusal};
    guarded->plan = (struct plan){.start = start,
                                  .silent = fn_is_silent(fn) && refusal != GUARDED_FALLBACK &&
                                            refusal != GUARDED_PASS,
                                  .job_size = sizeof(struct guarded_job)};
    if (!key)
        return 0;
    guarded->key = jq_compile(key, engine_paths(engine), err);
    return guarded->key ? 0 : -1;
}

int plan_guarded_fall_back(struct plan_guarded *guarded, struct engine *engine, const char *text,
                           struct err *err)
{
    struct fn_settings settings = *engine_settings(engine);
    settings.policy = NULL;
    guarded->fallback = fn_open_string(engine_functions(engine), &settings, text, err);
    if (!guarded->fallback)
        return -1;
    engine_add(engine, guarded->fallback);
    return 0;
}

void plan_guarded_free(struct plan_guarded *guarded)
{
    jq_free(guarded->key);
}
