/*
 * queue.c: the function that pushes into a durable queue.
 *
 * "queue:NAME" takes each event as a message of that queue. What a queue can do beyond that
 * (delays, groups, limits) is for the command `queue push`.
 */
#include "fn/submit.h"

static void push(struct store *store, struct submission *submission, struct str name,
                 struct str event)
{
    submission->as.push = (struct queue_push){
        .own.op.done = submit_done,
        .own.queue = name,
        .event = event,
        .priority = QUEUE_PRIORITY,
    };
    queue_push(store, &submission->as.push);
}

static const struct submit_way way = {.what = "queues", .verb = "push to", .send = push};

static int open_queue(struct fn *fn, struct err *err)
{
    return submit_open(fn, &way, err);
}

const struct fn_kind queue_kind = {
    .scheme = "queue:",
    .sink = true,
    .silent = true,
    .open = open_queue,
    .has_slot = submit_has_slot,
    .begin = submit_begin,
    .put = submit_put,
    .cancel = submit_cancel,
    .close = submit_close,
    .free = submit_free,
};
