/* lambda_api.c: the AWS Lambda Runtime API, version 2018-06-01, as a pure state machine. */
#include "fn/lambda_api.h"

#include <string.h>

#define PREFIX     "/2018-06-01/runtime/"
#define INVOCATION PREFIX "invocation/"

static const char *method_of(enum lambda_ask ask)
{
    return ask == LAMBDA_NEXT ? "GET" : "POST";
}

/* What stands behind the prefix, or NULL. */
static const char *behind(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

/* "ID/response" or "ID/error". */
static bool is_answer(const char *rest, enum lambda_ask *ask, struct str *id)
{
    const char *slash = strchr(rest, '/');
    if (!slash || slash == rest)
        return false;
    *id = (struct str){rest, (size_t)(slash - rest)};
    *ask = strcmp(slash, "/response") == 0 ? LAMBDA_RESPONSE : LAMBDA_ERROR;
    return *ask == LAMBDA_RESPONSE || strcmp(slash, "/error") == 0;
}

unsigned lambda_api_route(const char *method, const char *path, enum lambda_ask *ask,
                          struct str *id)
{
    const char *rest = behind(path, INVOCATION);
    *id = (struct str){0};
    if (strcmp(path, INVOCATION "next") == 0)
        *ask = LAMBDA_NEXT;
    else if (strcmp(path, PREFIX "init/error") == 0)
        *ask = LAMBDA_INIT_ERROR;
    else if (!rest || !is_answer(rest, ask, id))
        return 404;
    return strcmp(method, method_of(*ask)) == 0 ? 0 : 405;
}

static struct lambda_verdict refuse(enum lambda_state state, unsigned status, const char *type)
{
    return (struct lambda_verdict){LAMBDA_NOTHING, state, status, type};
}

static struct lambda_verdict out_of_turn(enum lambda_state state)
{
    return refuse(state, 403, "InvalidStateTransition");
}

static struct lambda_verdict judge_next(enum lambda_state state)
{
    switch (state) {
    case LAMBDA_STARTING:
    case LAMBDA_ANSWERED:
        return (struct lambda_verdict){LAMBDA_OPEN, LAMBDA_WAITING, 0, NULL};
    case LAMBDA_LEAVING:
        return (struct lambda_verdict){LAMBDA_LEAVES, LAMBDA_OVER, 0, NULL};
    case LAMBDA_INVOKED:
        return (struct lambda_verdict){LAMBDA_AGAIN, LAMBDA_INVOKED, 0, NULL};
    default:
        return out_of_turn(state);
    }
}

static struct lambda_verdict judge_answer(enum lambda_state state, enum lambda_ask ask, bool known,
                                          bool too_large)
{
    if (!known || state == LAMBDA_OVER)
        return refuse(state, 400, "InvalidRequestID");
    if (state != LAMBDA_INVOKED)
        return out_of_turn(state);
    if (too_large)
        return (struct lambda_verdict){LAMBDA_OVERSIZED, LAMBDA_ANSWERED, 413,
                                       "RequestEntityTooLarge"};
    return (struct lambda_verdict){ask == LAMBDA_RESPONSE ? LAMBDA_SUCCEEDS : LAMBDA_FAILS,
                                   LAMBDA_ANSWERED, 202, NULL};
}

/* The environment is of no use however large its error is. */
static struct lambda_verdict judge_init_error(enum lambda_state state, bool too_large)
{
    if (state != LAMBDA_STARTING)
        return out_of_turn(state);
    if (too_large)
        return (struct lambda_verdict){LAMBDA_INIT_FAILS, LAMBDA_FAILED, 413,
                                       "RequestEntityTooLarge"};
    return (struct lambda_verdict){LAMBDA_INIT_FAILS, LAMBDA_FAILED, 202, NULL};
}

struct lambda_verdict lambda_api_judge(enum lambda_state state, enum lambda_ask ask, bool known,
                                       bool too_large)
{
    switch (ask) {
    case LAMBDA_NEXT:
        return judge_next(state);
    case LAMBDA_INIT_ERROR:
        return judge_init_error(state, too_large);
    default:
        return judge_answer(state, ask, known, too_large);
    }
}

const char *lambda_api_state_name(enum lambda_state state)
{
    static const char *const names[LAMBDA_STATES] = {
        [LAMBDA_STARTING] = "starting", [LAMBDA_WAITING] = "waiting",  [LAMBDA_INVOKED] = "invoked",
        [LAMBDA_ANSWERED] = "answered", [LAMBDA_LEAVING] = "answered", /* as far as it knows */
        [LAMBDA_FAILED] = "failed",     [LAMBDA_OVER] = "over",
    };
    return names[state];
}
