/* queue.c: what is asked of queues, and who does it. */
#include "state/queue.h"

#include "state/queue_record.h"

enum { QUEUE_COST = 64 }; /* bytes that an operation writes beside its event, about */

int queue_apply(struct apply *apply, struct store_op *op)
{
    void *own = op;
    switch (((struct queue_op *)own)->verb) {
    case QUEUE_PUSH:
        return queue_apply_push(apply, own);
    case QUEUE_LEASE:
        return queue_apply_lease(apply, own);
    case QUEUE_ACK:
    case QUEUE_NACK:
    case QUEUE_BURY:
        return queue_apply_end(apply, own);
    case QUEUE_EXTEND:
        return queue_apply_extend(apply, own);
    case QUEUE_SHOW:
    case QUEUE_LIST:
        return queue_apply_show(apply, own);
    case QUEUE_PEEK:
        return queue_apply_peek(apply, own);
    default:
        return queue_apply_remove(apply, own);
    }
}

static void submit(struct store *store, struct queue_op *own, enum queue_verb verb, size_t bytes)
{
    own->verb = verb;
    own->op.kind = STORE_QUEUE;
    own->op.reads = verb == QUEUE_SHOW || verb == QUEUE_LIST || verb == QUEUE_PEEK;
    own->op.cost = QUEUE_COST + bytes;
    store_submit(store, &own->op);
}

void queue_push(struct store *store, struct queue_push *push)
{
    submit(store, &push->own, QUEUE_PUSH, push->event.len);
}

void queue_lease(struct store *store, struct queue_lease *lease)
{
    submit(store, &lease->own, QUEUE_LEASE, 0);
}

void queue_end(struct store *store, struct queue_end *end, enum queue_verb verb)
{
    submit(store, &end->own, verb, end->letter.len + end->failure.len + end->answer.len);
}

void queue_extend(struct store *store, struct queue_extend *extend)
{
    submit(store, &extend->own, QUEUE_EXTEND, 0);
}

void queue_show(struct store *store, struct queue_show *show)
{
    submit(store, &show->own, QUEUE_SHOW, 0);
}

void queue_list(struct store *store, struct queue_show *list)
{
    submit(store, &list->own, QUEUE_LIST, 0);
}

void queue_peek(struct store *store, struct queue_peek *peek)
{
    submit(store, &peek->own, QUEUE_PEEK, 0);
}

void queue_remove(struct store *store, struct queue_remove *remove, enum queue_verb verb)
{
    submit(store, &remove->own, verb, 0);
}
