/*
 * lambda_runtime.h: one environment of AWS Lambda: a process, and the server that it asks for
 * events. Internal to lib/fn.
 *
 * lambda_runtime.c starts, watches and ends the process; lambda_requests.c serves what it asks;
 * pool.c decides which environment gets an event. Each has a server of its own, so that it is known
 * whose a request is. An environment has one call at most. It is handed out when the process asks
 * for it, which may be long after the pool has sent it: first comes its initialisation.
 */
#ifndef FIT_FN_LAMBDA_RUNTIME_H
#define FIT_FN_LAMBDA_RUNTIME_H

#include "base/num.h"
#include "base/rng.h"
#include "fn/environment.h"
#include "fn/errlines.h"
#include "fn/lambda_api.h"
#include "fn/lambda_variables.h"
#include "fn/pool.h"
#include "sys/http_server.h"

/* The longest time for which a deadline is told to a function that has none, nanoseconds: a day.
 * Runtimes make timers of it, and some of them hold no more than 24 days. */
#define LAMBDA_NO_DEADLINE (INT64_C(86400) * NUM_SECOND)

enum { LAMBDA_ID = 37 }; /* a request id, with its NUL: a random UUID (RFC 9562, version 4) */

struct lambda {       /* fn->state */
    struct pool pool; /* first */
    struct lambda_names names;
    struct environment *environment; /* knows the trace that was inherited */
    bool warned;                     /* of an environment that nobody waited for */
    struct rng rng;                  /* of its own, seeded by the kernel: ids must not be guessed */
};

struct lambda_runtime {
    struct pool_worker base; /* first */
    enum lambda_state state;
    struct errlines output; /* its stdout and stderr */
    struct http_server *server;
    struct http_request *next; /* the open one that an event is for; NULL: none */
    char id[LAMBDA_ID];        /* of the last event that was handed out; empty: none */
    bool handed;               /* the call in flight was handed out */
    int64_t deadline;          /* of the call in flight, on the wall clock */
    struct failure *reported;  /* what it says is wrong with its initialisation */
};

static inline struct loop *lambda_loop(const struct lambda_runtime *runtime)
{
    return runtime->base.fn->context->loop;
}

/* ---- lambda_runtime.c ---- */

/* As struct pool_kind asks for. */
struct pool_worker *lambda_runtime_start(struct fn *fn, unsigned slot, struct err *err);
void lambda_runtime_send(struct pool_worker *base, struct fn_call *call);
void lambda_runtime_finish(struct pool_worker *base);
void lambda_runtime_cancel(struct pool_worker *base, enum failure_reason reason, bool now);
bool lambda_runtime_take_back(struct pool_worker *base, struct fn_list *calls);
void lambda_runtime_free(struct pool_worker *base);

/* The call in flight has ended; failure (taken over) NULL: with its result. */
void lambda_runtime_end_call(struct lambda_runtime *runtime, struct failure *failure,
                             size_t bytes_out);
/* Its initialisation has failed, as it says itself: it is given the grace to exit. */
void lambda_runtime_give_up(struct lambda_runtime *runtime, struct failure *reported);
/* It is through with the last event that it gets. */
void lambda_runtime_leave(struct lambda_runtime *runtime);
/* It has asked for an event. */
void lambda_runtime_ready(struct lambda_runtime *runtime);

/* ---- lambda_requests.c ---- */

int lambda_requests_open(struct lambda_runtime *runtime, struct err *err);
/* Hand the call in flight out, if it is asked for. */
void lambda_requests_hand_out(struct lambda_runtime *runtime);

#endif
