/* topic_reader.c: the records of subscribers, and those that a transaction has to do with. */
#include "state/topic_record.h"

#include "base/hash.h"
#include "base/mem.h"
#include "sys/boot.h"

#include <stdlib.h>

enum { READER_NAME = 256 }; /* longer names stand in keys as hashes */

enum { NUMBERS = sizeof(struct reader_numbers) / sizeof(uint64_t), HEAD = NUMBERS * 8 + 4 };

static void reader_key(struct buf *key, const struct topic *topic, struct str name)
{
    unsigned char prefix[4], hash[16];
    table_put_u32(prefix, topic->number);
    buf_add(key, prefix, sizeof prefix);
    buf_addc(key, name.len > READER_NAME);
    if (name.len > READER_NAME) {
        struct hash128 own = hash_128(name);
        table_put_u64(hash, own.high);
        table_put_u64(hash + 8, own.low);
        name = (struct str){(const char *)hash, sizeof hash};
    }
    buf_add_str(key, name);
}

static int decode(struct apply *apply, struct str record, struct reader *reader)
{
    uint64_t each[NUMBERS];
    size_t len = record.len >= HEAD ? table_u32(record.data + HEAD - 4) : 0;
    if (record.len < HEAD || record.len - HEAD < len ||
        !position_read(&reader->position,
                       (struct str){record.data + HEAD + len, record.len - HEAD - len}))
        return table_fail(apply->txn, ERR_NOT_USABLE, "the record of a subscriber is damaged");
    for (size_t i = 0; i < NUMBERS; i++)
        each[i] = table_u64(record.data + i * 8);
    memcpy(&reader->numbers, each, sizeof each);
    reader->before = reader->numbers.missed;
    buf_add(&reader->name, record.data + HEAD, len);
    return 0;
}

static void encode(const struct reader *reader, struct buf *record)
{
    unsigned char head[HEAD];
    uint64_t each[NUMBERS];
    memcpy(each, &reader->numbers, sizeof each);
    for (size_t i = 0; i < NUMBERS; i++)
        table_put_u64(head + i * 8, each[i]);
    table_put_u32(head + HEAD - 4, (uint32_t)reader->name.len);
    buf_add(record, head, sizeof head);
    buf_add_str(record, buf_str(&reader->name));
    position_write(&reader->position, record);
}

static void free_reader(struct reader *reader)
{
    position_free(&reader->position);
    buf_free(&reader->name);
    free(reader);
}

/* What it had not done and is no longer kept, it has missed. */
static int catch_up(struct apply *apply, struct topic *topic, struct reader *reader)
{
    uint64_t kept = topic_kept(apply, topic);
    if (!kept)
        return -1;
    uint64_t missed = position_skip(&reader->position, kept - 1);
    reader->numbers.missed += missed;
    reader->dirty = reader->dirty || missed;
    return 0;
}

/* A record that is read: a reader of its own. NULL: the transaction has failed. */
static struct reader *load(struct apply *apply, struct topic *topic, struct str record)
{
    struct reader *reader = mem_zalloc(sizeof *reader);
    if (decode(apply, record, reader) == 0 && catch_up(apply, topic, reader) == 0)
        return reader;
    free_reader(reader);
    return NULL;
}

static struct reader *begin(struct topic *topic, struct str name)
{
    struct reader *reader = mem_zalloc(sizeof *reader);
    buf_add_str(&reader->name, name);
    reader->dirty = topic->dirty = true;
    topic->numbers.subscribers++;
    return reader;
}

static struct reader *find(struct apply *apply, struct topic *topic, struct str name, bool make)
{
    struct buf key = {0};
    struct str record;
    struct reader *reader = NULL;
    reader_key(&key, topic, name);
    enum table_result found = table_get(apply->txn, SPACE_READER, buf_str(&key), &record);
    if (found == TABLE_FOUND)
        reader = load(apply, topic, record);
    else if (found == TABLE_ABSENT && make)
        reader = begin(topic, name);
    buf_free(&key);
    return reader;
}

struct reader *topic_reader_of(struct apply *apply, struct topic *topic, struct str name, bool make)
{
    if (topic->last && str_eq(buf_str(&topic->last->name), name))
        return topic->last;
    struct reader *reader = topic->readers;
    while (reader && !str_eq(buf_str(&reader->name), name))
        reader = reader->next;
    if (!reader && (reader = find(apply, topic, name, make))) {
        reader->next = topic->readers;
        topic->readers = reader;
    }
    if (reader)
        topic->last = reader;
    return reader;
}

struct reader *topic_reader_with(struct apply *apply, struct str topic, struct str name,
                                 uint64_t token, struct topic **found)
{
    *found = topic_of(apply, topic, false);
    struct reader *reader = *found ? topic_reader_of(apply, *found, name, false) : NULL;
    return reader && token && reader->numbers.token == token ? reader : NULL;
}

int topic_reader_remove(struct apply *apply, struct topic *topic, struct reader *reader)
{
    struct buf key = {0};
    struct reader **link = &topic->readers;
    reader_key(&key, topic, buf_str(&reader->name));
    enum table_result removed = table_remove(apply->txn, SPACE_READER, buf_str(&key));
    buf_free(&key);
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    topic->last = NULL;
    free_reader(reader);
    topic->numbers.subscribers--;
    topic->dirty = topic->ring = true;
    return removed == TABLE_FAILED ? -1 : 0;
}

static int flush(struct apply *apply, const struct topic *topic, const struct reader *reader)
{
    struct buf key = {0};
    struct buf *record = topic_scratch(apply);
    reader_key(&key, topic, buf_str(&reader->name));
    encode(reader, record);
    int status = table_put(apply->txn, SPACE_READER, buf_str(&key), buf_str(record));
    buf_free(&key);
    return status;
}

int topic_flush_readers(struct apply *apply, struct topic *topic)
{
    for (struct reader *reader = topic->readers; reader; reader = reader->next) {
        if (reader->dirty && flush(apply, topic, reader) < 0)
            return -1;
    }
    return 0;
}

void topic_forget_readers(struct topic *topic)
{
    while (topic->readers) {
        struct reader *reader = topic->readers;
        topic->readers = reader->next;
        free_reader(reader);
    }
    topic->last = NULL;
}

int topic_each_reader(struct apply *apply, struct topic *topic,
                      int (*each)(void *owner, struct reader *reader), void *owner)
{
    unsigned char prefix[4];
    struct buf last = {0};
    struct str key, record;
    int status = 0;
    table_put_u32(prefix, topic->number);
    buf_add(&last, prefix, sizeof prefix);
    while (status == 0 &&
           table_seek(apply->txn, SPACE_READER, buf_str(&last), true, &key, &record) ==
               TABLE_FOUND &&
           str_starts(key, (struct str){(const char *)prefix, sizeof prefix})) {
        buf_clear(&last);
        buf_add_str(&last, key);
        struct reader *reader = load(apply, topic, record);
        status = reader ? each(owner, reader) : -1;
        if (reader)
            free_reader(reader);
    }
    buf_free(&last);
    return apply->txn->failed ? -1 : status;
}

bool topic_reader_is_held(const struct reader *reader)
{
    const struct reader_numbers *numbers = &reader->numbers;
    return numbers->holder && numbers->boot == boot_number() && !cell_holder_gone(numbers->holder);
}
