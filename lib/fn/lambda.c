/*
 * lambda.c: functions that speak the AWS Lambda Runtime API: a pool of environments.
 *
 * "lambda:./bootstrap" is a program that would run on AWS Lambda in a custom runtime. Each
 * environment has one event at a time, stays for the next, and is ended when it was too late.
 */
#include "base/mem.h"
#include "base/num.h"
#include "fn/lambda_runtime.h"

#include <stdlib.h>

static const struct pool_kind pool_kind = {
    .start = lambda_runtime_start,
    .send = lambda_runtime_send,
    .finish = lambda_runtime_finish,
    .cancel = lambda_runtime_cancel,
    .take_back = lambda_runtime_take_back,
    .free = lambda_runtime_free,
};

static int lambda_open(struct fn *fn, struct err *err)
{
    if (http_server_load(err) < 0) {
        struct err why = *err;
        return err_set(err, ERR_NOT_USABLE, "'%s': %s", fn->name, why.text);
    }
    struct lambda *lambda = mem_zalloc(sizeof *lambda);
    fn->settings.pipeline = 1; /* an environment has one event at a time, whatever is said */
    lambda->environment = environment_new(fn->context);
    rng_seed_random(&lambda->rng);
    lambda_names_init(&lambda->names, fn);
    pool_init(&lambda->pool, fn, &pool_kind);
    fn->state = lambda;
    return 0;
}

/* AWS does not invoke with a larger event; neither is an environment bothered with one. */
static void lambda_begin(struct fn *fn, struct fn_call *call)
{
    if (call->event.len <= LAMBDA_API_EVENT) {
        pool_begin(fn, call);
        return;
    }
    attempt_end(call,
                failure_new(FAILURE_TOO_LARGE, FAILURE_PERMANENT,
                            "an event of more than %d bytes, which AWS Lambda refuses",
                            LAMBDA_API_EVENT),
                &(struct attempt_report){0});
}

static void lambda_free(struct fn *fn)
{
    struct lambda *lambda = fn->state;
    pool_free(&lambda->pool);
    environment_free(lambda->environment);
    lambda_names_free(&lambda->names);
    free(lambda);
}

const struct fn_kind lambda_kind = {
    .scheme = "lambda:",
    .program = true,
    .wants_id = true, /* for the trace */
    .open = lambda_open,
    .has_slot = pool_has_slot,
    .begin = lambda_begin,
    .prepare = pool_prepare,
    .workers = pool_workers,
    .crash = pool_crash,
    .forsake = pool_forsake,
    .cancel = pool_cancel,
    .close = pool_close,
    .free = lambda_free,
};
