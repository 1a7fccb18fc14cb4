/* topic_record.c: the records of topics, and the topics that a transaction has to do with. */
#include "state/topic_record.h"

#include "base/hash.h"
#include "base/mem.h"
#include "state/recent.h"

#include <stdlib.h>

enum { BUCKETS = 64, META_PREFIX = 6, META_KEY = META_PREFIX + 4 };

struct topic_cache {
    struct topic *buckets[BUCKETS];
    struct topic *last; /* asked for last: most transactions have to do with one topic */
    struct buf scratch;
};

static struct topic_cache *cache_of(struct apply *apply)
{
    if (!apply->topics)
        apply->topics = mem_zalloc(sizeof *apply->topics);
    return apply->topics;
}

struct buf *topic_scratch(struct apply *apply)
{
    struct buf *scratch = &cache_of(apply)->scratch;
    buf_clear(scratch);
    return scratch;
}

static int damaged(struct apply *apply)
{
    return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a topic is damaged");
}

/* ---- numbers ---- */

enum { NUMBERS = sizeof(struct topic_numbers) / sizeof(uint64_t) };

static struct str numbers_key(unsigned char key[META_KEY], uint32_t number)
{
    memcpy(key, "topic/", META_PREFIX);
    table_put_u32(key + META_PREFIX, number);
    return (struct str){(const char *)key, META_KEY};
}

/* A topic that has a name and no numbers yet is a new one. */
static int read_numbers(struct apply *apply, uint32_t number, struct topic_numbers *numbers)
{
    unsigned char key[META_KEY];
    uint64_t each[NUMBERS];
    struct str record;
    *numbers = (struct topic_numbers){.first = 1, .age = TOPIC_AGE};
    enum table_result found = table_get(apply->txn, SPACE_META, numbers_key(key, number), &record);
    if (found != TABLE_FOUND)
        return found;
    if (record.len < sizeof each)
        return damaged(apply);
    for (size_t i = 0; i < NUMBERS; i++)
        each[i] = table_u64(record.data + i * 8);
    memcpy(numbers, each, sizeof each);
    return 0;
}

static int write_numbers(struct apply *apply, const struct topic *topic)
{
    unsigned char key[META_KEY], record[NUMBERS * 8];
    uint64_t each[NUMBERS];
    memcpy(each, &topic->numbers, sizeof each);
    for (size_t i = 0; i < NUMBERS; i++)
        table_put_u64(record + i * 8, each[i]);
    return table_put(apply->txn, SPACE_META, numbers_key(key, topic->number),
                     (struct str){(const char *)record, sizeof record});
}

int topic_remove_numbers(struct apply *apply, uint32_t number)
{
    unsigned char key[META_KEY];
    return table_remove(apply->txn, SPACE_META, numbers_key(key, number)) == TABLE_FAILED ? -1 : 0;
}

/* ---- topics of the transaction ---- */

static struct topic *load(struct apply *apply, struct str name, bool make)
{
    struct topic **bucket = &cache_of(apply)->buckets[hash_64(name) % BUCKETS];
    uint32_t number = apply_name(apply, "topic", name, make);
    if (!number)
        return NULL;
    struct topic *topic = mem_zalloc(sizeof *topic);
    topic->number = number;
    buf_add_str(&topic->name, name);
    topic->next = *bucket;
    *bucket = topic;
    return read_numbers(apply, number, &topic->numbers) < 0 ? NULL : topic;
}

struct topic *topic_of(struct apply *apply, struct str name, bool make)
{
    struct topic_cache *cache = cache_of(apply);
    if (cache->last && str_eq(buf_str(&cache->last->name), name))
        return cache->last;
    struct topic *topic = cache->buckets[hash_64(name) % BUCKETS];
    while (topic && !str_eq(buf_str(&topic->name), name))
        topic = topic->next;
    if (!topic)
        topic = load(apply, name, make);
    if (topic)
        cache->last = topic;
    return topic;
}

static void free_topic(struct topic *topic)
{
    topic_forget_readers(topic);
    buf_free(&topic->name);
    free(topic);
}

void topic_drop_cached(struct apply *apply, struct topic *topic)
{
    struct topic_cache *cache = cache_of(apply);
    struct topic **link = &cache->buckets[hash_64(buf_str(&topic->name)) % BUCKETS];
    while (*link != topic)
        link = &(*link)->next;
    *link = topic->next;
    cache->last = NULL;
    free_topic(topic);
}

static int flush_topic(struct apply *apply, struct topic *topic)
{
    struct topic_numbers *numbers = &topic->numbers;
    if (topic->ring)
        apply_ring(apply, "topic", buf_str(&topic->name));
    if (topic_flush_readers(apply, topic) < 0)
        return -1;
    if (!topic->dirty)
        return 0;
    numbers->rate = recent_add(numbers->rate, numbers->rated_at, apply->wall, topic->in);
    numbers->rated_at = (uint64_t)apply->wall;
    return write_numbers(apply, topic);
}

int topic_flush(struct apply *apply)
{
    for (size_t i = 0; apply->topics && i < BUCKETS; i++) {
        for (struct topic *topic = apply->topics->buckets[i]; topic; topic = topic->next) {
            if (flush_topic(apply, topic) < 0)
                return -1;
        }
    }
    return 0;
}

void topic_forget(struct apply *apply)
{
    struct topic_cache *cache = apply->topics;
    if (!cache)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (cache->buckets[i]) {
            struct topic *topic = cache->buckets[i];
            cache->buckets[i] = topic->next;
            free_topic(topic);
        }
    }
    buf_free(&cache->scratch);
    free(cache);
    apply->topics = NULL;
}

/* ---- events ---- */

struct str topic_key(unsigned char key[TOPIC_KEY], uint32_t topic, uint64_t seq)
{
    table_put_u32(key, topic);
    table_put_u64(key + 4, seq);
    return (struct str){(const char *)key, TOPIC_KEY};
}

int topic_read_event(struct apply *apply, const struct topic *topic, uint64_t seq,
                     struct published *event)
{
    unsigned char own[TOPIC_KEY];
    struct str key, record, at = topic_key(own, topic->number, seq);
    enum table_result found = table_seek(apply->txn, SPACE_TOPIC, at, false, &key, &record);
    if (found == TABLE_FAILED)
        return -1;
    if (found == TABLE_ABSENT || !str_eq(key, at) || record.len <= 8)
        return damaged(apply);
    event->at = (int64_t)table_u64(record.data);
    event->packed = (struct str){record.data + 8, record.len - 8};
    return 0;
}
