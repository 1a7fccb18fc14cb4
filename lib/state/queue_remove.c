/*
 * queue_remove.c: queues are emptied and removed.
 *
 * The queue gets another number, or none, in one step; what stands under the old one is no longer
 * found by anybody and is removed piece by piece, so that no transaction grows with the queue. What
 * a killed process has left is removed by whoever cleans next.
 */
#include "state/queue_record.h"

enum { TRASH_PREFIX = 12, TRASH_KEY = TRASH_PREFIX + 4 };

static const enum table_space queue_spaces[] = {SPACE_MESSAGE, SPACE_READY, SPACE_DELAYED,
                                                SPACE_GROUP,   SPACE_LEASE, SPACE_DEDUP};

static struct str trash_key(unsigned char key[TRASH_KEY], uint32_t number)
{
    memcpy(key, "trash/queue/", TRASH_PREFIX);
    table_put_u32(key + TRASH_PREFIX, number);
    return (struct str){(const char *)key, TRASH_KEY};
}

static int throw_away(struct apply *apply, uint32_t number)
{
    unsigned char key[TRASH_KEY];
    return table_put(apply->txn, SPACE_META, trash_key(key, number), (struct str){"", 0});
}

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
    if (throw_away(apply, queue->number) < 0 || queue_remove_numbers(apply, queue->number) < 0)
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

/* Remove records of the space under that number. How many, at most limit, or -1. */
static int clean_space(struct apply *apply, enum table_space space, uint32_t number, int limit)
{
    unsigned char prefix[4], own[TABLE_KEY];
    struct str key, value, from = {(const char *)prefix, sizeof prefix};
    int removed = 0;
    table_put_u32(prefix, number);
    for (; removed < limit; removed++) {
        enum table_result found = table_seek(apply->txn, space, from, false, &key, &value);
        if (found == TABLE_FAILED)
            return -1;
        if (found == TABLE_ABSENT || !str_starts(key, from))
            break;
        memcpy(own, key.data, key.len);
        if (table_remove(apply->txn, space, (struct str){(const char *)own, key.len}) ==
            TABLE_FAILED)
            return -1;
    }
    return removed;
}

static int clean(struct apply *apply, struct queue_remove *asked)
{
    unsigned char own[TRASH_KEY];
    struct str key, value, prefix = STR("trash/queue/");
    enum table_result found = table_seek(apply->txn, SPACE_META, prefix, false, &key, &value);
    asked->more = found == TABLE_FOUND && str_starts(key, prefix) && key.len == TRASH_KEY;
    if (!asked->more)
        return found == TABLE_FAILED ? -1 : 0;
    uint32_t number = table_u32(key.data + TRASH_PREFIX);
    int left = QUEUE_CLEAN_STEP;
    for (size_t i = 0; i < sizeof queue_spaces / sizeof *queue_spaces && left > 0; i++) {
        int removed = clean_space(apply, queue_spaces[i], number, left);
        if (removed < 0)
            return -1;
        left -= removed;
    }
    if (left > 0 && table_remove(apply->txn, SPACE_META, trash_key(own, number)) == TABLE_FAILED)
        return -1;
    return 0;
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
