/*
 * queue.c: the function that pushes into a durable queue.
 *
 * "queue:NAME" takes each event as a message of that queue. A call is done when its push is
 * committed, together with all that were gathered meanwhile (store.h). What a queue can do beyond
 * that (delays, groups, limits) is for the command `queue push`.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "fn/kind.h"
#include "state/home.h"
#include "state/queue.h"

#include <stdlib.h>

enum {
    QUEUE_GATHERED = STORE_GROUP, /* pushes on their way; then the function has no room */
    QUEUE_GATHERED_BYTES = STORE_GROUP_BYTES, /* their bytes; the same */
};

struct push {
    struct queue_push push; /* first */
    struct queue_target *target;
    struct fn_call *call; /* or NULL and */
    struct fn_put *put;
    struct buf line; /* of a put: the caller's is not kept */
    bool sending;    /* within fn_put, which has to return before the put ends */
    struct failure *failure;
    struct loop_task late;
    struct push *next;
};

struct queue_target {
    struct fn *fn;
    struct store *store;
    struct push *free;
    size_t count, bytes; /* on their way */
    bool failed;         /* said so once */
    bool closing;
};

static int queue_open(struct fn *fn, struct err *err)
{
    const struct fn_context *context = fn->context;
    struct err cause;
    if (home_check_name(fn->words[0], &cause) < 0)
        return err_set(err, ERR_USAGE, "'%s': %s", fn->name, cause.text);
    if (!context->store)
        return err_set(err, ERR_USAGE, "'%s': there are no queues here", fn->name);
    struct store *store = context->store(context->owner, err);
    if (!store)
        return -1;
    struct queue_target *target = mem_zalloc(sizeof *target);
    target->fn = fn;
    target->store = store;
    fn->state = target;
    return 0;
}

static bool queue_has_slot(const struct fn *fn)
{
    const struct queue_target *target = fn->state;
    return target->count < QUEUE_GATHERED && target->bytes < QUEUE_GATHERED_BYTES;
}

/* ---- a push ---- */

static struct push *take_push(struct queue_target *target)
{
    struct push *push = target->free;
    if (push)
        target->free = push->next;
    else
        push = mem_zalloc(sizeof *push);
    push->target = target;
    return push;
}

static void say_failed(struct queue_target *target, const struct err *err)
{
    const struct fn_context *context = target->fn->context;
    if (target->failed || !context->fatal)
        return;
    target->failed = true;
    context->fatal(context->owner, err);
}

static struct failure *failed(struct queue_target *target, const struct store_op *op)
{
    const struct fn *fn = target->fn;
    struct failure *failure =
        failure_new(FAILURE_WRITE, FAILURE_PERMANENT, "push to %s: %s: %s", fn->words[0],
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

static void end_push(struct push *push)
{
    struct queue_target *target = push->target;
    struct fn *fn = target->fn;
    struct fn_call *call = push->call;
    struct fn_put *put = push->put;
    struct failure *failure = push->failure;
    size_t bytes = push->push.event.len;
    target->count--;
    target->bytes -= bytes;
    push->next = target->free;
    target->free = push;
    if (call)
        attempt_end(call, failure, &(struct attempt_report){.bytes_in = bytes + 1});
    else
        end_put(fn, put, failure);
    attempt_pump(fn);
    if (target->closing && !target->count)
        fn_closed(fn);
}

static void end_late(struct loop_task *task)
{
    end_push(CONTAINER_OF(task, struct push, late));
}

static void pushed(struct store_op *op)
{
    struct push *push = (struct push *)(void *)op;
    push->failure = op->status == STORE_OK ? NULL : failed(push->target, op);
    if (!push->sending) {
        end_push(push);
        return;
    }
    push->late.run = end_late;
    loop_defer(push->target->fn->context->loop, &push->late);
}

static void send(struct push *push, struct str event)
{
    struct queue_target *target = push->target;
    push->push = (struct queue_push){
        .own.op.done = pushed,
        .own.queue = str_of(target->fn->words[0]),
        .event = event,
        .priority = QUEUE_PRIORITY,
    };
    target->count++;
    target->bytes += event.len;
    queue_push(target->store, &push->push);
}

static void queue_begin(struct fn *fn, struct fn_call *call)
{
    struct push *push = take_push(fn->state);
    push->call = call;
    push->put = NULL;
    send(push, slice_str(call->event));
}

static bool queue_put(struct fn *fn, struct fn_put *put, struct str line)
{
    struct queue_target *target = fn->state;
    struct push *push = take_push(target);
    push->call = NULL;
    push->put = put;
    buf_clear(&push->line);
    buf_add_str(&push->line, line);
    push->sending = true; /* a push that fills a group is committed at once */
    send(push, buf_str(&push->line));
    push->sending = false;
    return true;
}

/* ---- the end ---- */

/* What has been taken is committed in any case. */
static void queue_cancel(struct fn *fn, enum failure_reason reason, bool now)
{
    struct queue_target *target = fn->state;
    (void)reason;
    (void)now;
    store_flush(target->store);
}

static void queue_close(struct fn *fn)
{
    struct queue_target *target = fn->state;
    target->closing = true;
    if (!target->count)
        fn_closed(fn);
}

static void queue_free(struct fn *fn)
{
    struct queue_target *target = fn->state;
    while (target->free) {
        struct push *push = target->free;
        target->free = push->next;
        buf_free(&push->line);
        free(push);
    }
    free(target);
}

const struct fn_kind queue_kind = {
    .scheme = "queue:",
    .sink = true,
    .silent = true,
    .open = queue_open,
    .has_slot = queue_has_slot,
    .begin = queue_begin,
    .put = queue_put,
    .cancel = queue_cancel,
    .close = queue_close,
    .free = queue_free,
};
