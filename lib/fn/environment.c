/* environment.c: the environment of a function: what the fitting inherited, and the FIT_ variables.
 */
#include "fn/environment.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Variables that depend on the event come last, so that a worker's environment ends before them. */
enum variable {
    VAR_COMMAND,
    VAR_SLOT,
    VAR_ID,
    VAR_KEY,
    VAR_ATTEMPT,
    VAR_TRACE,
    VAR_CURSOR,
    VAR_DEADLINE,
    VARS,
    VARS_OF_WORKER = VAR_ID
};

static const char *const names[VARS] = {
    [VAR_COMMAND] = "FIT_COMMAND=", [VAR_SLOT] = "FIT_SLOT=",
    [VAR_ID] = "FIT_ID=",           [VAR_KEY] = "FIT_IDEMPOTENCY_KEY=",
    [VAR_ATTEMPT] = "FIT_ATTEMPT=", [VAR_TRACE] = "TRACEPARENT=",
    [VAR_CURSOR] = "FIT_CURSOR=",   [VAR_DEADLINE] = "FIT_DEADLINE_MS=",
};

static const char state_name[] =
    "FIT_STATE="; /* the same for all, so it stands with the inherited */

enum { TRACEPARENT = 55, TRACE_ID_AT = 3, TRACE_ID = 32 }; /* W3C Trace Context, version 00 */

struct environment {
    char **list; /* inherited variables, then VARS of ours, then NULL */
    size_t inherited;
    struct buf values[VARS];
    struct rng *rng;
    char trace_id[TRACE_ID + 1]; /* of the inherited TRACEPARENT; empty: each event has its own */
};

static bool is_ours(const struct fn_context *context, const char *variable)
{
    if (context->state && strncmp(variable, state_name, strlen(state_name)) == 0)
        return true;
    for (size_t i = 0; i < VARS; i++) {
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static void inherit_trace(struct environment *environment, const char *variable)
{
    size_t name = strlen(names[VAR_TRACE]);
    const char *trace = variable + name;
    if (strncmp(variable, names[VAR_TRACE], name) != 0 || strlen(trace) != TRACEPARENT ||
        strncmp(trace, "00-", 3) != 0 ||
        strspn(trace + TRACE_ID_AT, "0123456789abcdef") != TRACE_ID)
        return;
    memcpy(environment->trace_id, trace + TRACE_ID_AT, TRACE_ID);
}

struct environment *environment_new(const struct fn_context *context)
{
    struct environment *environment = mem_zalloc(sizeof *environment);
    size_t count = 0;
    while (context->environment[count])
        count++;
    environment->list = mem_array(count + 1 + VARS + 1, sizeof *environment->list);
    for (size_t i = 0; i < count; i++) {
        inherit_trace(environment, context->environment[i]);
        if (!is_ours(context, context->environment[i]))
            environment->list[environment->inherited++] = mem_strdup(context->environment[i]);
    }
    if (context->state) {
        struct buf state = {0};
        buf_addf(&state, "%s%s", state_name, context->state);
        environment->list[environment->inherited++] = buf_take(&state);
    }
    environment->rng = context->rng;
    buf_addf(&environment->values[VAR_COMMAND], "%s%s", names[VAR_COMMAND], context->command);
    return environment;
}

void environment_free(struct environment *environment)
{
    if (!environment)
        return;
    for (size_t i = 0; i < environment->inherited; i++)
        free(environment->list[i]);
    for (size_t i = 0; i < VARS; i++)
        buf_free(&environment->values[i]);
    free(environment->list);
    free(environment);
}

static struct buf *renew(struct environment *environment, enum variable which)
{
    struct buf *value = &environment->values[which];
    buf_clear(value);
    buf_puts(value, names[which]);
    return value;
}

void environment_add_key(const struct fn_call *call, struct buf *out)
{
    struct buf subject = {0};
    buf_add_str(&subject, call->id);
    buf_addc(&subject, '\0');
    buf_add_str(&subject, call->scope);
    char text[HASH_TEXT];
    buf_puts(out, hash_format(hash_128(buf_str(&subject)), text));
    buf_free(&subject);
}

void environment_add_trace(const struct environment *environment, const struct fn_call *call,
                           struct buf *out)
{
    char own[HASH_TEXT];
    const char *trace = environment->trace_id;
    if (!*trace)
        trace = hash_format(hash_128(call->id), own);
    buf_addf(out, "00-%s-%016llx-01", trace, (unsigned long long)(rng_next(environment->rng) | 1));
}

char *const *environment_for(struct environment *environment, const struct fn_call *call,
                             unsigned slot, int64_t deadline)
{
    buf_addf(renew(environment, VAR_SLOT), "%u", slot);
    if (call) {
        buf_add_str(renew(environment, VAR_ID), call->id);
        environment_add_key(call, renew(environment, VAR_KEY));
        buf_addf(renew(environment, VAR_ATTEMPT), "%u", call->attempts);
        environment_add_trace(environment, call, renew(environment, VAR_TRACE));
        if (call->cursor.data)
            buf_add_str(renew(environment, VAR_CURSOR), call->cursor);
        if (deadline)
            buf_addf(renew(environment, VAR_DEADLINE), "%lld", (long long)(deadline / 1000000));
    }
    char **ours = environment->list + environment->inherited;
    for (size_t i = 0; i < (call ? VARS : VARS_OF_WORKER); i++) {
        bool unset = (i == VAR_CURSOR && !call->cursor.data) || (i == VAR_DEADLINE && !deadline);
        if (!unset)
            *ours++ = buf_cstr(&environment->values[i]);
    }
    *ours = NULL;
    return environment->list;
}
