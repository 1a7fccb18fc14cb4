/* queue_look.c: what queues hold, without changing it. */
#include "state/queue_record.h"

/* ---- how much ---- */

static int show_one(struct apply *apply, struct queue_show *show)
{
    const struct queue *queue = queue_of(apply, show->own.queue, false);
    if (queue)
        queue_facts(apply, queue, &show->facts);
    else
        show->own.op.status = STORE_ABSENT;
    return apply->txn->failed ? -1 : 0;
}

static int show_each(void *owner, struct apply *apply, struct str name)
{
    struct queue_show *list = owner;
    const struct queue *queue = queue_of(apply, name, false);
    if (!queue)
        return -1;
    queue_facts(apply, queue, &list->facts);
    list->each(list->owner, name, &list->facts);
    return 0;
}

int queue_apply_show(struct apply *apply, struct queue_show *show)
{
    if (show->own.verb == QUEUE_SHOW)
        return show_one(apply, show);
    return apply_names(apply, "queue", show_each, show);
}

/* ---- what ---- */

static int tell(struct apply *apply, struct queue_peek *peek, const struct queue_first *first)
{
    struct buf scratch = {0};
    struct message message;
    struct str event;
    int status = queue_read_message(apply, first->record, &message);
    if (status == 0 && (status = apply_unpack(apply, message.packed, &scratch, &event)) == 0) {
        struct queue_message told = {
            .seq = first->seq, .receives = first->state.receives, .pushed_at = message.pushed_at};
        peek->each(peek->owner, &told, event);
    }
    buf_free(&scratch);
    return status;
}

int queue_apply_peek(struct apply *apply, struct queue_peek *peek)
{
    struct queue *queue = queue_of(apply, peek->own.queue, false);
    struct queue_walk walk = {0};
    struct queue_first first;
    if (!queue) {
        peek->own.op.status = STORE_ABSENT;
        return apply->txn->failed ? -1 : 0;
    }
    for (uint64_t i = 0; i < peek->count; i++) {
        int found = queue_walk_on(apply, queue, &walk, &first);
        if (found <= 0)
            return found;
        if (tell(apply, peek, &first) < 0)
            return -1;
    }
    return 0;
}
