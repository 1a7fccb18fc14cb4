/* fanin_record.c: the records of groups, and the collections that a transaction has to do with. */
#include "state/fanin_record.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
    META_PREFIX = 6,
    META_KEY = META_PREFIX + 4,
    ENTRY = 8 + 8,        /* of an entry */
    PAST = 1 + 8 + 4,     /* of a remembered group before its key */
    HEAD = 1 + 2 + 8 * 8, /* bytes before the name in a group */
    NAME_KEY = 4 + 1 + FANIN_NAME,
};

struct fanin_cache {
    struct fanin *first;
    struct buf scratch;
};

static struct fanin_cache *cache_of(struct apply *apply)
{
    if (!apply->fanins)
        apply->fanins = mem_zalloc(sizeof *apply->fanins);
    return apply->fanins;
}

struct buf *fanin_scratch(struct apply *apply)
{
    struct buf *scratch = &cache_of(apply)->scratch;
    buf_clear(scratch);
    return scratch;
}

int fanin_damaged(struct apply *apply)
{
    return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a group is damaged");
}

/* ---- collections of the transaction ---- */

enum { NUMBERS = sizeof(struct fanin_numbers) / sizeof(uint64_t) };

static struct str numbers_key(unsigned char key[META_KEY], uint32_t number)
{
    memcpy(key, "fanin/", META_PREFIX);
    table_put_u32(key + META_PREFIX, number);
    return (struct str){(const char *)key, META_KEY};
}

static int read_numbers(struct apply *apply, struct fanin *fanin)
{
    unsigned char key[META_KEY];
    uint64_t each[NUMBERS] = {0};
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_META, numbers_key(key, fanin->number), &record);
    for (size_t i = 0; found == TABLE_FOUND && i < NUMBERS && (i + 1) * 8 <= record.len; i++)
        each[i] = table_u64(record.data + i * 8);
    memcpy(&fanin->numbers, each, sizeof each);
    return found == TABLE_FAILED ? -1 : 0;
}

static int write_numbers(struct apply *apply, const struct fanin *fanin)
{
    unsigned char key[META_KEY], record[NUMBERS * 8];
    uint64_t each[NUMBERS];
    memcpy(each, &fanin->numbers, sizeof each);
    for (size_t i = 0; i < NUMBERS; i++)
        table_put_u64(record + i * 8, each[i]);
    return table_put(apply->txn, SPACE_META, numbers_key(key, fanin->number),
                     (struct str){(const char *)record, sizeof record});
}

/* A process has to do with one collection, or few. */
struct fanin *fanin_of(struct apply *apply, struct str name, bool make)
{
    struct fanin_cache *cache = cache_of(apply);
    struct fanin *fanin = cache->first;
    while (fanin && !str_eq(buf_str(&fanin->name), name))
        fanin = fanin->next;
    if (fanin)
        return fanin;
    uint32_t number = apply_name(apply, "fanin", name, make);
    if (!number)
        return NULL;
    fanin = mem_zalloc(sizeof *fanin);
    fanin->number = number;
    buf_add_str(&fanin->name, name);
    fanin->next = cache->first;
    cache->first = fanin;
    return read_numbers(apply, fanin) < 0 ? NULL : fanin;
}

int fanin_flush(struct apply *apply)
{
    for (struct fanin *fanin = apply->fanins ? apply->fanins->first : NULL; fanin;
         fanin = fanin->next) {
        if (fanin->ring)
            apply_ring(apply, "fanin", buf_str(&fanin->name));
        if (fanin->dirty && write_numbers(apply, fanin) < 0)
            return -1;
    }
    return 0;
}

void fanin_forget(struct apply *apply)
{
    struct fanin_cache *cache = apply->fanins;
    if (!cache)
        return;
    while (cache->first) {
        struct fanin *fanin = cache->first;
        cache->first = fanin->next;
        buf_free(&fanin->name);
        free(fanin);
    }
    buf_free(&cache->scratch);
    free(cache);
    apply->fanins = NULL;
}

/* ---- keys ---- */

static size_t begin_key(unsigned char *key, const struct fanin *fanin, char letter)
{
    table_put_u32(key, fanin->number);
    key[4] = (unsigned char)letter;
    return 5;
}

struct str fanin_key1(unsigned char key[FANIN_KEY], const struct fanin *fanin, char letter,
                      uint64_t first)
{
    size_t len = begin_key(key, fanin, letter);
    table_put_u64(key + len, first);
    return (struct str){(const char *)key, len + 8};
}

struct str fanin_key2(unsigned char key[FANIN_KEY], const struct fanin *fanin, char letter,
                      uint64_t first, uint64_t second)
{
    struct str begun = fanin_key1(key, fanin, letter, first);
    table_put_u64(key + begun.len, second);
    return (struct str){begun.data, begun.len + 8};
}

int fanin_first(struct apply *apply, struct str from, bool beyond, struct str *key,
                struct str *record)
{
    enum table_result found = table_seek(apply->txn, SPACE_FANIN, from, beyond, key, record);
    if (found != TABLE_FOUND)
        return found == TABLE_FAILED ? -1 : 0;
    return key->len == from.len && memcmp(key->data, from.data, 5) == 0;
}

struct str fanin_head_key(unsigned char key[FANIN_HEAD], const struct fanin *fanin, uint64_t seq)
{
    table_put_u32(key, fanin->number);
    table_put_u64(key + 4, seq);
    return (struct str){(const char *)key, FANIN_HEAD};
}

struct str fanin_place_key(unsigned char key[FANIN_PLACE], const struct fanin *fanin, uint64_t seq,
                           uint64_t place)
{
    fanin_head_key(key, fanin, seq);
    key[FANIN_HEAD] = 0;
    table_put_u64(key + FANIN_HEAD + 1, place);
    return (struct str){(const char *)key, FANIN_PLACE};
}

struct str fanin_id_key(unsigned char key[FANIN_ID], const struct fanin *fanin, uint64_t seq,
                        struct hash128 id)
{
    fanin_head_key(key, fanin, seq);
    key[FANIN_HEAD] = 1;
    table_put_u64(key + FANIN_HEAD + 1, id.high);
    table_put_u64(key + FANIN_HEAD + 9, id.low);
    return (struct str){(const char *)key, FANIN_ID};
}

/* ---- entries ---- */

void fanin_name(struct buf *name, struct str key)
{
    unsigned char hash[16];
    buf_clear(name);
    if (key.len <= FANIN_NAME) {
        buf_addc(name, 'k');
        buf_add_str(name, key);
        return;
    }
    struct hash128 own = hash_128(key);
    table_put_u64(hash, own.high);
    table_put_u64(hash + 8, own.low);
    buf_addc(name, 'h');
    buf_add(name, hash, sizeof hash);
}

static struct str name_key(unsigned char key[NAME_KEY], const struct fanin *fanin, struct str name)
{
    table_put_u32(key, fanin->number);
    memcpy(key + 4, name.data, name.len);
    return (struct str){(const char *)key, 4 + name.len};
}

static int read_past(struct apply *apply, struct str past, struct fanin_entry *entry)
{
    size_t len = past.len < PAST ? 0 : table_u32(past.data + 9);
    if (past.len < PAST + len || (unsigned char)past.data[0] >= GROUP_CLOSINGS)
        return fanin_damaged(apply);
    entry->past.closing = (enum group_closing)past.data[0];
    entry->past.expected = table_u64(past.data + 1);
    entry->key = (struct str){past.data + PAST, len};
    entry->had = (struct str){past.data + PAST + len, past.len - PAST - len};
    return 1;
}

int fanin_find(struct apply *apply, const struct fanin *fanin, struct str name,
               struct fanin_entry *entry)
{
    unsigned char key[NAME_KEY];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_FANIN, name_key(key, fanin, name), &record);
    if (found != TABLE_FOUND)
        return found;
    if (record.len < ENTRY)
        return fanin_damaged(apply);
    *entry = (struct fanin_entry){.seq = table_u64(record.data),
                                  .until = (int64_t)table_u64(record.data + 8)};
    struct str past = {record.data + ENTRY, record.len - ENTRY};
    return entry->until ? read_past(apply, past, entry) : 1;
}

int fanin_write_entry(struct apply *apply, const struct fanin *fanin, struct str name,
                      const struct fanin_entry *entry)
{
    unsigned char key[NAME_KEY], head[ENTRY], past[PAST];
    struct buf *record = fanin_scratch(apply);
    table_put_u64(head, entry->seq);
    table_put_u64(head + 8, (uint64_t)entry->until);
    buf_add(record, head, sizeof head);
    if (entry->until) {
        past[0] = (unsigned char)entry->past.closing;
        table_put_u64(past + 1, entry->past.expected);
        table_put_u32(past + 9, (uint32_t)entry->key.len);
        buf_add(record, past, sizeof past);
        buf_add_str(record, entry->key);
        buf_add_str(record, entry->had);
    }
    return table_put(apply->txn, SPACE_FANIN, name_key(key, fanin, name), buf_str(record));
}

int fanin_remove_entry(struct apply *apply, const struct fanin *fanin, struct str name)
{
    unsigned char key[NAME_KEY];
    struct str own = name_key(key, fanin, name);
    return table_remove(apply->txn, SPACE_FANIN, own) == TABLE_FAILED ? -1 : 0;
}

/* ---- groups ---- */

int fanin_read_head(struct apply *apply, const struct fanin *fanin, struct fanin_head *head)
{
    unsigned char key[FANIN_HEAD];
    struct str record;
    enum table_result found =
        table_get(apply->txn, SPACE_PART, fanin_head_key(key, fanin, head->seq), &record);
    if (found == TABLE_FAILED)
        return -1;
    const unsigned char *bytes = (const unsigned char *)record.data;
    if (found == TABLE_ABSENT || record.len < HEAD || bytes[0] >= GROUP_CLOSINGS)
        return fanin_damaged(apply);
    size_t len = (size_t)(bytes[1] << 8 | bytes[2]);
    if (len != record.len - HEAD || len > NAME_KEY - 4)
        return fanin_damaged(apply);
    uint64_t each[8];
    for (size_t i = 0; i < 8; i++)
        each[i] = table_u64(bytes + 3 + i * 8);
    head->group = (struct group){.closing = (enum group_closing)bytes[0],
                                 .expected = each[0],
                                 .parts = each[1],
                                 .span = each[2],
                                 .first_at = (int64_t)each[3],
                                 .last_at = (int64_t)each[4]};
    head->idle = (int64_t)each[5];
    head->within = (int64_t)each[6];
    head->filed = (int64_t)each[7];
    buf_clear(&head->name);
    buf_add(&head->name, bytes + HEAD, len);
    return 0;
}

int fanin_write_head(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head)
{
    unsigned char key[FANIN_HEAD], record[HEAD + NAME_KEY];
    const struct group *group = &head->group;
    size_t len = head->name.len;
    const uint64_t each[8] = {group->expected,
                              group->parts,
                              group->span,
                              (uint64_t)group->first_at,
                              (uint64_t)group->last_at,
                              (uint64_t)head->idle,
                              (uint64_t)head->within,
                              (uint64_t)head->filed};
    record[0] = (unsigned char)group->closing;
    record[1] = (unsigned char)(len >> 8);
    record[2] = (unsigned char)len;
    for (size_t i = 0; i < 8; i++)
        table_put_u64(record + 3 + i * 8, each[i]);
    memcpy(record + HEAD, head->name.data, len);
    return table_put(apply->txn, SPACE_PART, fanin_head_key(key, fanin, head->seq),
                     (struct str){(const char *)record, HEAD + len});
}

enum { TEXT_KEY = FANIN_HEAD + 1 };

static struct str text_key(unsigned char key[TEXT_KEY], const struct fanin *fanin, uint64_t seq)
{
    fanin_head_key(key, fanin, seq);
    key[FANIN_HEAD] = 2;
    return (struct str){(const char *)key, TEXT_KEY};
}

int fanin_write_text(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head,
                     struct str key)
{
    unsigned char at[TEXT_KEY];
    if (head->name.data[0] != 'h')
        return 0;
    return table_put(apply->txn, SPACE_PART, text_key(at, fanin, head->seq), key);
}

int fanin_read_text(struct apply *apply, const struct fanin *fanin, const struct fanin_head *head,
                    struct str *key)
{
    unsigned char at[TEXT_KEY];
    if (head->name.data[0] != 'h') {
        *key = (struct str){head->name.data + 1, head->name.len - 1};
        return 0;
    }
    enum table_result found =
        table_get(apply->txn, SPACE_PART, text_key(at, fanin, head->seq), key);
    return found == TABLE_FOUND ? 0 : fanin_damaged(apply);
}

int fanin_each_part(struct apply *apply, const struct fanin *fanin, uint64_t seq,
                    int (*each)(void *owner, const struct fanin_stored *part), void *owner)
{
    unsigned char from[FANIN_PLACE];
    struct str at = fanin_place_key(from, fanin, seq, 0), key, record;
    enum table_result found = table_seek(apply->txn, SPACE_PART, at, false, &key, &record);
    while (found == TABLE_FOUND && key.len == FANIN_PLACE &&
           memcmp(key.data, from, FANIN_HEAD + 1) == 0) {
        if (!record.len)
            return fanin_damaged(apply);
        memcpy(from, key.data, FANIN_PLACE);
        struct fanin_stored part = {.place = table_u64(from + FANIN_HEAD + 1),
                                    .failed = record.data[0] & PART_FAILED,
                                    .empty = record.data[0] & PART_EMPTY,
                                    .packed = {record.data + 1, record.len - 1}};
        if (each(owner, &part) < 0)
            return -1;
        found = table_seek(apply->txn, SPACE_PART, at, true, &key, &record);
    }
    return found == TABLE_FAILED ? -1 : 0;
}
