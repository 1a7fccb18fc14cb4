/* trace.c: a line of JSON for each attempt at a call (--trace). */
#include "engine/trace.h"

#include "base/clock.h"
#include "engine/attempt_log.h"
#include "base/hash.h"

#include <stdlib.h>

enum { TRACEPARENT = 55, TRACE_AT = 3, TRACE_ID = 32 }; /* W3C Trace Context, version 00 */

static char inherited[TRACE_ID + 1]; /* the trace of the process; empty: each event has its own */

static void inherit(const char *trace)
{
    if (!trace || strlen(trace) != TRACEPARENT || strncmp(trace, "00-", TRACE_AT) != 0 ||
        strspn(trace + TRACE_AT, "0123456789abcdef") != TRACE_ID)
        return;
    memcpy(inherited, trace + TRACE_AT, TRACE_ID);
}

static void add_text(struct buf *line, const char *name, struct str text)
{
    buf_addf(line, ",\"%s\":", name);
    if (str_is_utf8(text))
        buf_add_json(line, text);
    else
        buf_puts(line, "null");
}

static void add_outcome(struct buf *line, const struct failure *failure)
{
    buf_addf(line, ",\"outcome\":\"%s\"", failure ? failure_name(failure->reason) : "ok");
    if (failure && failure->exit >= 0)
        buf_addf(line, ",\"exit\":%d", failure->exit);
    if (failure && failure->signal)
        buf_addf(line, ",\"signal\":%d", failure->signal);
    if (failure && failure->status)
        buf_addf(line, ",\"status\":%d", failure->status);
    if (failure && failure->message)
        add_text(line, "message", str_of(failure->message));
}

static void add_line(struct buf *line, const struct fn_attempt *attempt)
{
    const struct fn_call *call = attempt->call;
    char time[CLOCK_TEXT], hash[HASH_TEXT];
    buf_addf(line, "{\"time\":\"%s\"", clock_format(attempt->started, time));
    if (call->id.len) {
        buf_addf(line, ",\"trace\":\"%s\"",
                 *inherited ? inherited : hash_format(hash_128(call->id), hash));
        add_text(line, "id", call->id);
    }
    if (call->scope.len)
        add_text(line, "scope", call->scope);
    if (call->number)
        buf_addf(line, ",\"number\":%llu", (unsigned long long)call->number);
    add_text(line, "function", str_of(fn_name(call->fn)));
    buf_addf(line, ",\"attempt\":%u", attempt->number);
    if (attempt->slot)
        buf_addf(line, ",\"slot\":%u", attempt->slot);
    if (attempt->pid)
        buf_addf(line, ",\"pid\":%ld", (long)attempt->pid);
    buf_addf(line, ",\"duration_ms\":%.3f", (double)attempt->duration / 1e6);
    if (attempt->init)
        buf_addf(line, ",\"init_ms\":%.3f", (double)attempt->init / 1e6);
    add_outcome(line, attempt->failure);
    buf_addf(line, ",\"bytes_in\":%zu,\"bytes_out\":%zu}\n", attempt->bytes_in, attempt->bytes_out);
}

int trace_open(struct engine *engine, const char *path, struct err *err)
{
    engine_want_ids(engine);
    inherit(getenv("TRACEPARENT"));
    return attempt_log_open(engine, path, false, add_line, err) ? 0 : -1;
}
