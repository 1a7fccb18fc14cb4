/* queue_record.c: the records of queues, and the queues that a transaction has to do with. */
#include "state/queue_record.h"

#include "base/mem.h"
#include "state/recent.h"

#include <stdlib.h>

enum { BUCKETS = 64, META_PREFIX = 6, META_KEY = META_PREFIX + 4 };

struct queue_cache {
    struct queue *buckets[BUCKETS];
    struct queue *last; /* asked for last: most transactions have to do with one queue */
    struct buf scratch;
};

static struct queue_cache *cache_of(struct apply *apply)
{
    if (!apply->queues)
        apply->queues = mem_zalloc(sizeof *apply->queues);
    return apply->queues;
}

struct buf *queue_scratch(struct apply *apply)
{
    struct buf *scratch = &cache_of(apply)->scratch;
    buf_clear(scratch);
    return scratch;
}

/* ---- numbers ---- */

enum { NUMBERS = sizeof(struct queue_numbers) / sizeof(uint64_t) };

static struct str numbers_key(unsigned char key[META_KEY], uint32_t number)
{
    memcpy(key, "queue/", META_PREFIX);
    table_put_u32(key + META_PREFIX, number);
    return (struct str){(const char *)key, META_KEY};
}

static bool read_numbers(struct apply *apply, uint32_t number, struct queue_numbers *numbers)
{
    unsigned char key[META_KEY];
    uint64_t each[NUMBERS] = {0};
    struct str record;
    enum table_result found = table_get(apply->txn, SPACE_META, numbers_key(key, number), &record);
    if (found == TABLE_FAILED)
        return false;
    for (size_t i = 0; found == TABLE_FOUND && i < NUMBERS && (i + 1) * 8 <= record.len; i++)
        each[i] = table_u64(record.data + i * 8);
    memcpy(numbers, each, sizeof each);
    return true;
}

static int write_numbers(struct apply *apply, const struct queue *queue)
{
    unsigned char key[META_KEY], record[NUMBERS * 8];
    uint64_t each[NUMBERS];
    memcpy(each, &queue->numbers, sizeof each);
    for (size_t i = 0; i < NUMBERS; i++)
        table_put_u64(record + i * 8, each[i]);
    return table_put(apply->txn, SPACE_META, numbers_key(key, queue->number),
                     (struct str){(const char *)record, sizeof record});
}

int queue_remove_numbers(struct apply *apply, uint32_t number)
{
    unsigned char key[META_KEY];
    return table_remove(apply->txn, SPACE_META, numbers_key(key, number)) == TABLE_FAILED ? -1 : 0;
}

/* ---- queues of the transaction ---- */

struct queue *queue_of(struct apply *apply, struct str name, bool make)
{
    struct queue_cache *cache = cache_of(apply);
    if (cache->last && str_eq(buf_str(&cache->last->name), name))
        return cache->last;
    struct queue **bucket = &cache->buckets[hash_64(name) % BUCKETS];
    struct queue *queue = *bucket;
    while (queue && !str_eq(buf_str(&queue->name), name))
        queue = queue->next;
    if (!queue) {
        uint32_t number = apply_name(apply, "queue", name, make);
        if (!number)
            return NULL;
        queue = mem_zalloc(sizeof *queue);
        queue->number = number;
        buf_add_str(&queue->name, name);
        queue->next = *bucket;
        *bucket = queue;
        if (!read_numbers(apply, number, &queue->numbers))
            return NULL;
    }
    cache->last = queue;
    return queue;
}

static void free_queue(struct queue *queue)
{
    queue_forget_leases(queue);
    buf_free(&queue->name);
    free(queue);
}

void queue_drop_cached(struct apply *apply, struct queue *queue)
{
    struct queue_cache *cache = cache_of(apply);
    struct queue **link = &cache->buckets[hash_64(buf_str(&queue->name)) % BUCKETS];
    while (*link != queue)
        link = &(*link)->next;
    *link = queue->next;
    cache->last = NULL;
    free_queue(queue);
}

int queue_letter_gone(struct apply *apply, struct str name)
{
    struct queue *queue = queue_of(apply, name, false);
    if (queue && queue->numbers.letters) {
        queue->numbers.letters--;
        queue->dirty = true;
    }
    return apply->txn->failed ? -1 : 0;
}

static void rate(struct apply *apply, struct queue *queue)
{
    struct queue_numbers *numbers = &queue->numbers;
    uint64_t at = numbers->rated_at;
    numbers->in_rate = recent_add(numbers->in_rate, at, apply->wall, queue->in);
    numbers->out_rate = recent_add(numbers->out_rate, at, apply->wall, queue->out);
    numbers->rated_at = (uint64_t)apply->wall;
}

void queue_ring(struct apply *apply, struct queue *queue)
{
    struct queue_numbers *numbers = &queue->numbers;
    if (queue->ring)
        apply_ring(apply, "queue", buf_str(&queue->name));
    if (!numbers->room_wanted || numbers->stored - numbers->in_flight >= numbers->room_wanted)
        return;
    numbers->room_wanted = 0;
    apply_ring(apply, "room", buf_str(&queue->name));
}

static int flush_queue(struct apply *apply, struct queue *queue)
{
    if (queue_flush_leases(apply, queue) < 0)
        return -1;
    if (!queue->dirty)
        return 0;
    queue_ring(apply, queue);
    rate(apply, queue);
    return write_numbers(apply, queue);
}

int queue_flush(struct apply *apply)
{
    for (size_t i = 0; apply->queues && i < BUCKETS; i++) {
        for (struct queue *queue = apply->queues->buckets[i]; queue; queue = queue->next) {
            if (flush_queue(apply, queue) < 0)
                return -1;
        }
    }
    return 0;
}

void queue_forget(struct apply *apply)
{
    struct queue_cache *cache = apply->queues;
    if (!cache)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (cache->buckets[i]) {
            struct queue *queue = cache->buckets[i];
            cache->buckets[i] = queue->next;
            free_queue(queue);
        }
    }
    buf_free(&cache->scratch);
    free(cache);
    apply->queues = NULL;
}

/* The oldest message: the first of a lane; there are few lanes. */
static int64_t oldest(struct apply *apply, uint32_t number)
{
    unsigned char from[QUEUE_KEY];
    struct str key, record, at = queue_key(from, number, 0, 0);
    struct message message;
    int64_t pushed_at = 0;
    while (table_seek(apply->txn, SPACE_MESSAGE, at, false, &key, &record) == TABLE_FOUND &&
           key.len == QUEUE_KEY && table_u32(key.data) == number) {
        unsigned lane = (unsigned char)key.data[4];
        if (lane == LANE_FAILURE || queue_read_message(apply, record, &message) < 0)
            break;
        if (!pushed_at || message.pushed_at < pushed_at)
            pushed_at = message.pushed_at;
        at = queue_key(from, number, lane + 1, 0);
    }
    return pushed_at;
}

void queue_facts(struct apply *apply, const struct queue *queue, struct queue_facts *facts)
{
    const struct queue_numbers *numbers = &queue->numbers;
    *facts = (struct queue_facts){
        .ready = numbers->ready,
        .in_flight = numbers->in_flight,
        .delayed = numbers->delayed,
        .blocked = numbers->stored - numbers->ready - numbers->in_flight - numbers->delayed,
        .dead = numbers->letters,
        .pushed = numbers->pushed,
        .done = numbers->done,
        .dropped = numbers->dropped,
        .in_rate = recent_rate(numbers->in_rate, numbers->rated_at, apply->wall),
        .out_rate = recent_rate(numbers->out_rate, numbers->rated_at, apply->wall),
        .oldest = oldest(apply, queue->number),
        .answers = reply_set_answers(apply, buf_str(&queue->name)),
    };
}

/* ---- records ---- */

struct str queue_key(unsigned char key[QUEUE_KEY], uint32_t queue, unsigned lane, uint64_t seq)
{
    table_put_u32(key, queue);
    key[4] = (unsigned char)lane;
    table_put_u64(key + 5, seq);
    return (struct str){(const char *)key, QUEUE_KEY};
}

struct str queue_state(unsigned char bytes[QUEUE_STATE], struct message_state state)
{
    bytes[0] = state.lane;
    bytes[1] = state.flags;
    bytes[2] = (unsigned char)(state.receives >> 8);
    bytes[3] = (unsigned char)state.receives;
    return (struct str){(const char *)bytes, QUEUE_STATE};
}

static int damaged(struct apply *apply)
{
    return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a queue is damaged");
}

int queue_read_state(struct apply *apply, struct str record, struct message_state *state)
{
    if (record.len < QUEUE_STATE)
        return damaged(apply);
    const unsigned char *bytes = (const unsigned char *)record.data;
    *state = (struct message_state){
        .lane = bytes[0], .flags = bytes[1], .receives = (uint16_t)(bytes[2] << 8 | bytes[3])};
    return 0;
}

/* Bytes before the event, or before what it asks. */
static size_t head_of(unsigned char flags)
{
    return 9 + (flags & MESSAGE_EXPIRES ? 8 : 0) + (flags & MESSAGE_GROUPED ? 16 : 0);
}

bool queue_message_asks(struct str record, struct reply_ask *ask)
{
    unsigned char flags = record.len ? (unsigned char)record.data[0] : 0;
    size_t at = head_of(flags);
    if (!(flags & MESSAGE_ASKS) || record.len <= at + ASK_BYTES || record.data[at] != ASK_MARK)
        return false;
    *ask = (struct reply_ask){
        .set = table_u32(record.data + at + 1),
        .request = {table_u64(record.data + at + 5), table_u64(record.data + at + 13)}};
    return true;
}

int queue_read_message(struct apply *apply, struct str record, struct message *message)
{
    if (record.len < 9)
        return damaged(apply);
    size_t at = 9;
    *message = (struct message){.flags = (unsigned char)record.data[0],
                                .pushed_at = (int64_t)table_u64(record.data + 1)};
    bool asks = message->flags & MESSAGE_ASKS;
    size_t head = head_of(message->flags) + (asks ? ASK_BYTES : 0);
    if (record.len <= head || (asks && !queue_message_asks(record, &message->ask)))
        return damaged(apply);
    if (message->flags & MESSAGE_EXPIRES) {
        message->expires_at = (int64_t)table_u64(record.data + at);
        at += 8;
    }
    if (message->flags & MESSAGE_GROUPED)
        message->group =
            (struct hash128){table_u64(record.data + at), table_u64(record.data + at + 8)};
    message->packed = (struct str){record.data + head, record.len - head};
    return 0;
}
