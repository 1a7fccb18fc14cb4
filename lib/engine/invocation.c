/* invocation.c: what one invocation of a function was like, for people and as JSON. */
#include "engine/invocation.h"

#include "base/mem.h"
#include "base/num.h"
#include "sys/usage.h"

#include <stdlib.h>

static char *copy_of(const char *text)
{
    return text ? mem_strdup(text) : NULL;
}

static int64_t nanoseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * NUM_SECOND + (int64_t)time.tv_usec * 1000;
}

static void take_usage(struct invocation *invocation, const struct fn_attempt *attempt)
{
    struct rusage running;
    const struct rusage *usage = attempt->usage;
    if (!usage && attempt->pid > 0 && usage_of(attempt->pid, &running) == 0)
        usage = &running; /* a worker, which goes on */
    invocation->measured = usage != NULL;
    if (!usage)
        return;
    invocation->processor_time = nanoseconds(usage->ru_utime) + nanoseconds(usage->ru_stime);
    invocation->peak_kib = usage->ru_maxrss;
}

void invocation_take(struct invocation *invocation, const struct fn_attempt *attempt)
{
    const struct failure *failure = attempt->failure;
    invocation_free(invocation);
    invocation->made = true;
    buf_add_str(&invocation->id, attempt->call->id);
    invocation->attempts = attempt->number;
    invocation->duration = attempt->duration;
    invocation->init = attempt->init;
    invocation->bytes_in = attempt->bytes_in;
    invocation->bytes_out = attempt->bytes_out;
    invocation->exit = failure ? failure->exit : 0;
    take_usage(invocation, attempt);
    if (!failure)
        return;
    invocation->reason = mem_strdup(failure_name(failure->reason));
    invocation->message = copy_of(failure->message);
    invocation->detail = copy_of(failure->detail);
    invocation->signal = failure->signal;
    invocation->status = failure->status;
    buf_add_str(&invocation->errors, buf_str(&failure->errors));
}

void invocation_free(struct invocation *invocation)
{
    buf_free(&invocation->id);
    buf_free(&invocation->errors);
    free(invocation->reason);
    free(invocation->message);
    free(invocation->detail);
    *invocation = (struct invocation){0};
}

void invocation_describe(const struct invocation *invocation, struct buf *text)
{
    char duration[NUM_TEXT], other[NUM_TEXT];
    if (invocation->id.len)
        buf_addf(text, "  id        %.*s\n", (int)invocation->id.len, invocation->id.data);
    if (invocation->attempts > 1)
        buf_addf(text, "  attempts  %u\n", invocation->attempts);
    buf_addf(text, "  duration  %s", num_format_duration(invocation->duration, duration));
    if (invocation->init)
        buf_addf(text, " (cold start: first answer after %s)",
                 num_format_duration(invocation->init, other));
    buf_addc(text, '\n');
    if (invocation->measured) {
        buf_addf(text, "  cpu       %s\n",
                 num_format_duration(invocation->processor_time, duration));
        buf_addf(text, "  memory    %s at its peak\n",
                 num_format_size((uint64_t)invocation->peak_kib * 1024, other));
    }
    buf_addf(text, "  bytes     %zu in, %zu out\n", invocation->bytes_in, invocation->bytes_out);
    if (!invocation->reason)
        return;
    buf_addf(text, "  failed    %s", invocation->reason);
    if (invocation->message)
        buf_addf(text, ": %s", invocation->message);
    buf_addc(text, '\n');
    if (invocation->detail)
        buf_addf(text, "  error     %s\n", invocation->detail);
}

void invocation_json(const struct invocation *invocation, struct buf *text)
{
    buf_puts(text, "{\"id\":");
    buf_add_json(text, buf_str(&invocation->id));
    buf_addf(text, ",\"ok\":%s,\"attempts\":%u,\"duration_ms\":%.3f",
             invocation->reason ? "false" : "true", invocation->attempts,
             (double)invocation->duration / 1e6);
    if (invocation->init)
        buf_addf(text, ",\"init_ms\":%.3f", (double)invocation->init / 1e6);
    if (invocation->measured)
        buf_addf(text, ",\"cpu_ms\":%.3f,\"peak_kib\":%ld",
                 (double)invocation->processor_time / 1e6, invocation->peak_kib);
    buf_addf(text, ",\"bytes_in\":%zu,\"bytes_out\":%zu", invocation->bytes_in,
             invocation->bytes_out);
    if (invocation->exit >= 0)
        buf_addf(text, ",\"exit\":%d", invocation->exit);
    if (invocation->signal)
        buf_addf(text, ",\"signal\":%d", invocation->signal);
    if (invocation->status)
        buf_addf(text, ",\"status\":%d", invocation->status);
    if (invocation->reason)
        buf_addf(text, ",\"reason\":\"%s\"", invocation->reason);
    if (invocation->message) {
        buf_puts(text, ",\"message\":");
        buf_add_json(text, str_of(invocation->message));
    }
    if (invocation->detail)
        buf_addf(text, ",\"error\":%s", invocation->detail);
    if (invocation->errors.len && str_is_utf8(buf_str(&invocation->errors))) {
        buf_puts(text, ",\"stderr\":");
        buf_add_json(text, buf_str(&invocation->errors));
    }
    buf_addc(text, '}');
}
