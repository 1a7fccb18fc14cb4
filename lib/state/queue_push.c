/* queue_push.c: messages come into a queue. */
#include "state/queue_record.h"

enum {
    DEDUP_KEY = 4 + 1 + 16,
    DEDUP_TIME = 4 + 1 + 8 + 16,
    DEDUP_RECORD = 8 + 8,
    DEDUP_STALE = 2, /* stale keys that a push removes: more than it adds, so they die out */
};

/* ---- what was pushed lately ---- */

static struct str dedup_key(unsigned char key[DEDUP_KEY], uint32_t queue, struct hash128 hash)
{
    table_put_u32(key, queue);
    key[4] = 0;
    table_put_u64(key + 5, hash.high);
    table_put_u64(key + 13, hash.low);
    return (struct str){(const char *)key, DEDUP_KEY};
}

static struct str dedup_time(unsigned char key[DEDUP_TIME], uint32_t queue, int64_t until,
                             struct hash128 hash)
{
    table_put_u32(key, queue);
    key[4] = 1;
    table_put_u64(key + 5, (uint64_t)until);
    table_put_u64(key + 13, hash.high);
    table_put_u64(key + 21, hash.low);
    return (struct str){(const char *)key, DEDUP_TIME};
}

static struct hash128 hash_of(struct apply *apply, char kind, struct str text)
{
    struct buf *scratch = queue_scratch(apply);
    buf_addc(scratch, kind);
    buf_add_str(scratch, text);
    return hash_128(buf_str(scratch));
}

/* 1 and *seq: it was pushed within its window. 0: not. -1. */
static int find_recent(struct apply *apply, const struct queue *queue, struct hash128 hash,
                       uint64_t *seq)
{
    unsigned char key[DEDUP_KEY];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_DEDUP, dedup_key(key, queue->number, hash), &record);
    if (found != TABLE_FOUND || record.len < DEDUP_RECORD ||
        (int64_t)table_u64(record.data + 8) <= apply->wall)
        return found == TABLE_FAILED ? -1 : 0;
    *seq = table_u64(record.data);
    return 1;
}

/* The record of a time that is over, and that of its key, unless it has been renewed. */
static int remove_stale(struct apply *apply, const struct queue *queue, struct str time_key)
{
    unsigned char time[DEDUP_TIME], key[DEDUP_KEY];
    struct str record;
    memcpy(time, time_key.data, DEDUP_TIME);
    struct hash128 hash = {table_u64(time + 13), table_u64(time + 21)};
    struct str own = dedup_key(key, queue->number, hash);
    enum table_result found = table_get(apply->txn, SPACE_DEDUP, own, &record);
    bool over = found == TABLE_FOUND && record.len >= DEDUP_RECORD &&
                table_u64(record.data + 8) == table_u64(time + 5);
    if (over && table_remove(apply->txn, SPACE_DEDUP, own) == TABLE_FAILED)
        return -1;
    struct str time_own = {(const char *)time, DEDUP_TIME};
    return table_remove(apply->txn, SPACE_DEDUP, time_own) == TABLE_FAILED ? -1 : 0;
}

static int remove_some_stale(struct apply *apply, const struct queue *queue)
{
    unsigned char from[DEDUP_TIME];
    struct str first = dedup_time(from, queue->number, 0, (struct hash128){0});
    struct str key, value;
    for (int i = 0; i < DEDUP_STALE; i++) {
        enum table_result found = table_seek(apply->txn, SPACE_DEDUP, first, false, &key, &value);
        if (found == TABLE_FAILED)
            return -1;
        if (found == TABLE_ABSENT || key.len != DEDUP_TIME || memcmp(key.data, from, 5) != 0 ||
            (int64_t)table_u64(key.data + 5) > apply->wall)
            return 0;
        if (remove_stale(apply, queue, key) < 0)
            return -1;
    }
    return 0;
}

static int remember(struct apply *apply, const struct queue *queue, struct hash128 hash,
                    int64_t window, uint64_t seq)
{
    unsigned char key[DEDUP_KEY], time[DEDUP_TIME], record[DEDUP_RECORD];
    int64_t until = apply->wall + window;
    table_put_u64(record, seq);
    table_put_u64(record + 8, (uint64_t)until);
    struct str value = {(const char *)record, sizeof record};
    if (table_put(apply->txn, SPACE_DEDUP, dedup_key(key, queue->number, hash), value) < 0)
        return -1;
    struct str at = dedup_time(time, queue->number, until, hash);
    if (table_put(apply->txn, SPACE_DEDUP, at, (struct str){"", 0}) < 0)
        return -1;
    return remove_some_stale(apply, queue);
}

/* 1: it is a duplicate, and has its answer. */
static int check_recent(struct apply *apply, struct queue *queue, struct queue_push *push)
{
    int found = 0;
    if (push->id.data)
        found = find_recent(apply, queue, hash_of(apply, 'i', push->id), &push->seq);
    if (found == 0 && push->dedup.data)
        found = find_recent(apply, queue, hash_of(apply, 'd', push->dedup), &push->seq);
    push->is_duplicate = found == 1;
    return found;
}

static int remember_keys(struct apply *apply, struct queue *queue, const struct queue_push *push)
{
    if (push->id.data &&
        remember(apply, queue, hash_of(apply, 'i', push->id), QUEUE_ID_WINDOW, push->seq) < 0)
        return -1;
    if (push->dedup.data &&
        remember(apply, queue, hash_of(apply, 'd', push->dedup), push->dedup_window, push->seq) < 0)
        return -1;
    return 0;
}

/* ---- room ---- */

/* 1: there is room, perhaps made by dropping the oldest; 0: it is full; -1. */
static int make_room(struct apply *apply, struct queue *queue, struct queue_push *push)
{
    struct queue_numbers *numbers = &queue->numbers;
    push->dropped = false;
    if (!push->max_length || numbers->stored - numbers->in_flight < push->max_length)
        return 1;
    int dropped = push->drop_oldest ? queue_drop_oldest(apply, queue) : 0;
    push->dropped = dropped == 1;
    if (dropped == 0 && push->waits) {
        numbers->room_wanted = push->max_length;
        queue->dirty = true;
    }
    return dropped;
}

/* ---- the message ---- */

static int write_message(struct apply *apply, const struct queue *queue, struct hash128 group,
                         const struct reply_ask *ask, unsigned lane, const struct queue_push *push)
{
    unsigned char key[QUEUE_KEY], head[9 + 8 + 16 + ASK_BYTES];
    size_t len = 9;
    head[0] = (unsigned char)((push->expire ? MESSAGE_EXPIRES : 0) |
                              (push->group.data ? MESSAGE_GROUPED : 0) |
                              (push->reply.data ? MESSAGE_ASKS : 0));
    table_put_u64(head + 1, (uint64_t)apply->wall);
    if (push->expire) {
        table_put_u64(head + len, (uint64_t)(apply->wall + push->expire));
        len += 8;
    }
    if (push->group.data) {
        table_put_u64(head + len, group.high);
        table_put_u64(head + len + 8, group.low);
        len += 16;
    }
    if (push->reply.data) {
        head[len] = ASK_MARK;
        table_put_u32(head + len + 1, ask->set);
        table_put_u64(head + len + 5, ask->request.high);
        table_put_u64(head + len + 13, ask->request.low);
        len += ASK_BYTES;
    }
    struct buf *record = queue_scratch(apply);
    buf_add(record, head, len);
    apply_pack(record, push->event);
    return table_put(apply->txn, SPACE_MESSAGE, queue_key(key, queue->number, lane, push->seq),
                     buf_str(record));
}

static int place(struct apply *apply, struct queue *queue, struct hash128 group,
                 struct message_state state, const struct queue_push *push)
{
    int64_t due = push->delay ? apply->wall + push->delay : 0;
    if (push->group.data)
        return queue_join_group(apply, queue, group, push->seq, state, due);
    if (due)
        return queue_make_delayed(apply, queue, push->seq, state, due);
    queue->numbers.end[state.lane] = push->seq + 1;
    queue->numbers.ready++;
    queue->ring = true;
    return 0;
}

int queue_apply_push(struct apply *apply, struct queue_push *push)
{
    struct queue *queue = queue_of(apply, push->own.queue, true);
    if (!queue)
        return -1;
    struct reply_ask ask = {0};
    int known =
        push->reply.data ? queue_ask(apply, queue, push, &ask) : check_recent(apply, queue, push);
    if (known)
        return known < 0 ? -1 : 0;
    int room = make_room(apply, queue, push);
    if (room == 0)
        push->own.op.status = STORE_FULL;
    if (room <= 0)
        return room;
    unsigned rank = QUEUE_PRIORITIES - 1 - push->priority;
    bool plain = !push->delay && !push->group.data;
    struct message_state state = {.lane = (unsigned char)(plain ? rank : LANE_INDEXED + rank),
                                  .flags = (unsigned char)((push->group.data ? STATE_GROUPED : 0) |
                                                           (push->reply.data ? STATE_ASKS : 0))};
    struct hash128 group = {0};
    if (push->group.data)
        group = hash_of(apply, 'g', push->group);
    push->seq = ++queue->numbers.seq;
    queue->numbers.stored++;
    queue->numbers.pushed++;
    queue->in++;
    queue->dirty = true;
    if (write_message(apply, queue, group, &ask, state.lane, push) < 0 ||
        place(apply, queue, group, state, push) < 0)
        return -1;
    if (push->reply.data)
        return queue_asked(apply, queue, push, state.lane);
    return remember_keys(apply, queue, push);
}
