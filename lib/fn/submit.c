/* submit.c: what functions have in common that put each event into a store. */
#include "fn/submit.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "state/home.h"

#include <stdlib.h>

struct submit_target {
    struct fn *fn;
    const struct submit_way *way;
    struct store *store;
    struct submission *free;
    size_t count, bytes; /* on their way */
    bool failed;         /* said so once */
    bool closing;        /* and fn_closed is still owed */
};

int submit_open(struct fn *fn, const struct submit_way *way, struct err *err)
{
    const struct fn_context *context = fn->context;
    struct err cause;
    if (home_check_name(fn->words[0], &cause) < 0)
        return err_set(err, ERR_USAGE, "'%s': %s", fn->name, cause.text);
    if (!context->store)
        return err_set(err, ERR_USAGE, "'%s': there are no %s here", fn->name, way->what);
    struct store *store = context->store(context->owner, err);
    if (!store)
        return -1;
    struct submit_target *target = mem_zalloc(sizeof *target);
    target->fn = fn;
    target->way = way;
    target->store = store;
    fn->state = target;
    return 0;
}

bool submit_has_slot(const struct fn *fn)
{
    const struct submit_target *target = fn->state;
    return target->count < SUBMIT_GATHERED && target->bytes < SUBMIT_GATHERED_BYTES;
}

/* ---- an event ---- */

static struct submission *take(struct submit_target *target)
{
    struct submission *submission = target->free;
    if (submission)
        target->free = submission->next;
    else
        submission = mem_zalloc(sizeof *submission);
    submission->target = target;
    return submission;
}

static void say_failed(struct submit_target *target, const struct err *err)
{
    const struct fn_context *context = target->fn->context;
    if (target->failed || !context->fatal)
        return;
    target->failed = true;
    context->fatal(context->owner, err);
}

static struct failure *failed(struct submit_target *target, const struct store_op *op)
{
    const struct fn *fn = target->fn;
    struct failure *failure = failure_new(
        FAILURE_WRITE, FAILURE_PERMANENT, "%s %s: %s: %s", target->way->verb, fn->words[0],
        store_status_name(op->status), op->err ? op->err->text : "refused");
    if (op->err)
        say_failed(target, op->err);
    return failure;
}

static void end_put(struct fn *fn, struct fn_put *put, struct failure *failure)
{
    if (failure) {
        failure->attempts = 1;
        failure->first_at = failure->last_at = clock_wall();
        failure->function = mem_strdup(fn->name);
        fn->context->failed_attempts++;
    }
    put->done(put, failure);
}

/* It may be closed while the end of its last call is being told. */
static void close_if_idle(struct submit_target *target)
{
    if (!target->closing || target->count)
        return;
    target->closing = false;
    fn_closed(target->fn);
}

static void end(struct submission *submission)
{
    struct submit_target *target = submission->target;
    struct fn *fn = target->fn;
    struct fn_call *call = submission->call;
    struct fn_put *put = submission->put;
    struct failure *failure = submission->failure;
    size_t bytes = submission->bytes;
    target->count--;
    target->bytes -= bytes;
    submission->next = target->free;
    target->free = submission;
    if (call)
        attempt_end(call, failure, &(struct attempt_report){.bytes_in = bytes + 1});
    else
        end_put(fn, put, failure);
    attempt_pump(fn);
    close_if_idle(target);
}

static void end_late(struct loop_task *task)
{
    end(CONTAINER_OF(task, struct submission, late));
}

void submit_done(struct store_op *op)
{
    struct submission *submission = (struct submission *)(void *)op;
    submission->failure = op->status == STORE_OK ? NULL : failed(submission->target, op);
    if (!submission->sending) {
        end(submission);
        return;
    }
    submission->late.run = end_late;
    loop_defer(submission->target->fn->context->loop, &submission->late);
}

static void send(struct submission *submission, struct str event)
{
    struct submit_target *target = submission->target;
    submission->bytes = event.len;
    target->count++;
    target->bytes += event.len;
    target->way->send(target->store, submission, str_of(target->fn->words[0]), event);
}

void submit_begin(struct fn *fn, struct fn_call *call)
{
    struct submission *submission = take(fn->state);
    submission->call = call;
    submission->put = NULL;
    send(submission, slice_str(call->event));
}

bool submit_put(struct fn *fn, struct fn_put *put, struct str line)
{
    struct submission *submission = take(fn->state);
    submission->call = NULL;
    submission->put = put;
    buf_clear(&submission->line);
    buf_add_str(&submission->line, line);
    submission->sending = true; /* one that fills a group is committed at once */
    send(submission, buf_str(&submission->line));
    submission->sending = false;
    return true;
}

/* ---- the end ---- */

/* What has been taken is committed in any case. */
void submit_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct submit_target *target = fn->state;
    (void)reason;
    (void)now;
    store_flush(target->store);
}

void submit_close(struct fn *fn)
{
    struct submit_target *target = fn->state;
    target->closing = true;
    close_if_idle(target);
}

void submit_free(struct fn *fn)
{
    struct submit_target *target = fn->state;
    while (target->free) {
        struct submission *submission = target->free;
        target->free = submission->next;
        buf_free(&submission->line);
        free(submission);
    }
    free(target);
}
