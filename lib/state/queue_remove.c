/* queue_remove.c: queues are emptied and removed: the old number goes to the trash. */
#include "state/queue_record.h"

#include "state/trash.h"

static const enum table_space queue_spaces[] = {SPACE_MESSAGE, SPACE_READY, SPACE_DELAYED,
                                                SPACE_GROUP,   SPACE_LEASE, SPACE_DEDUP};

/* What counts on in an emptied queue. */
static struct queue_numbers emptied(const struct queue_numbers *numbers)
{
    return (struct queue_numbers){
        .seq = numbers->seq,
        .token = numbers->token,
        .pushed = numbers->pushed,
        .done = numbers->done,
        .dropped = numbers->dropped + numbers->stored,
        .letters = numbers->letters,
        .rated_at = numbers->rated_at,
        .in_rate = numbers->in_rate,
        .out_rate = numbers->out_rate,
        .room_wanted = numbers->room_wanted,
    };
}

static int remove_queue(struct apply *apply, struct queue *queue, struct queue_remove *asked)
{
    bool drops = asked->own.verb == QUEUE_DROP;
    asked->removed = queue->numbers.stored;
    asked->more = true;
    queue_forget_leases(queue);
    if (trash_add(apply, "queue", queue->number) < 0 ||
        queue_remove_numbers(apply, queue->number) < 0)
        return -1;
    queue->number = apply_rename(apply, "queue", buf_str(&queue->name), !drops);
    queue->numbers = emptied(&queue->numbers);
    queue->ring = true;
    queue->dirty = !drops;
    if (drops) {
        queue_ring(apply, queue);
        queue_drop_cached(apply, queue);
    }
    return apply->txn->failed ? -1 : 0;
}

static int refuse(struct apply *apply, enum table_space space, struct str key, struct str record)
{
    return space == SPACE_MESSAGE ? queue_refuse_removed(apply, key, record, false) : 0;
}

static const struct trash_kind trash = {
    .name = "queue",
    .spaces = queue_spaces,
    .count = sizeof queue_spaces / sizeof *queue_spaces,
    .before = refuse,
};

static int clean(struct apply *apply, struct queue_remove *asked)
{
    return trash_clean(apply, &trash, QUEUE_CLEAN_STEP, &asked->more);
}

int queue_apply_remove(struct apply *apply, struct queue_remove *asked)
{
    if (asked->own.verb == QUEUE_CLEAN)
        return clean(apply, asked);
    struct queue *queue = queue_of(apply, asked->own.queue, false);
    if (queue)
        return remove_queue(apply, queue, asked);
    asked->own.op.status = STORE_ABSENT;
    asked->removed = 0;
    return apply->txn->failed ? -1 : 0;
}
