/*
 * store_mem.c: records in memory, for tests.
 *
 * Each space is a sorted array of pointers to records. A writer keeps what it replaced or removed;
 * abort puts it back in reverse order. There is one writer at a time; a reader that is open during
 * a commit sees it (in LMDB it would not).
 */
#include "state/table.h"

#include "base/mem.h"

#include <stdlib.h>

struct record {
    size_t key_len, value_len;
    char bytes[]; /* of the key, then of the value */
};

struct records {
    struct record **sorted;
    size_t count, room;
};

/* What was at a key before a change; NULL: nothing. after NULL: nothing is there now. */
struct change {
    enum table_space space;
    struct record *before, *after;
};

struct memory {
    struct table table; /* first */
    struct records spaces[TABLE_SPACES];
    struct change *changes; /* of the open writer */
    size_t change_count;
    bool writing;
};

static struct memory *memory_of(struct table *table)
{
    return (struct memory *)(void *)table;
}

static struct str key_of(const struct record *record)
{
    return (struct str){record->bytes, record->key_len};
}

static struct str value_of(const struct record *record)
{
    return (struct str){record->bytes + record->key_len, record->value_len};
}

static int compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.data, b.data, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The place of the first record whose key is not below. */
static size_t place_of(const struct records *records, struct str key)
{
    size_t low = 0, high = records->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(key_of(records->sorted[middle]), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct records *records, size_t place, struct str key)
{
    return place < records->count && str_eq(key_of(records->sorted[place]), key);
}

/* Put a record (NULL: nothing) where its key belongs. Returns what was there. */
static struct record *set(struct records *records, struct str key, struct record *record)
{
    size_t place = place_of(records, key);
    struct record *before = is_at(records, place, key) ? records->sorted[place] : NULL;
    if (before && record) {
        records->sorted[place] = record;
    } else if (before) {
        records->count--;
        memmove(records->sorted + place, records->sorted + place + 1,
                (records->count - place) * sizeof(struct record *));
    } else if (record) {
        if (records->count == records->room) {
            records->room = records->room ? records->room * 2 : 64;
            records->sorted = mem_realloc(records->sorted, records->room * sizeof(struct record *));
        }
        memmove(records->sorted + place + 1, records->sorted + place,
                (records->count - place) * sizeof(struct record *));
        records->sorted[place] = record;
        records->count++;
    }
    return before;
}

static void note(struct memory *memory, struct change change)
{
    enum { ROOM = 64 };
    if (memory->change_count % ROOM == 0)
        memory->changes =
            mem_realloc(memory->changes, (memory->change_count + ROOM) * sizeof *memory->changes);
    memory->changes[memory->change_count++] = change;
}

/* ---- the functions of a table ---- */

static struct table_txn *memory_begin(struct table *table, bool write, struct err *err)
{
    struct memory *memory = memory_of(table);
    if (write && memory->writing) {
        err_set(err, ERR_NOT_USABLE, "a transaction that writes is open");
        return NULL;
    }
    struct table_txn *txn = mem_zalloc(sizeof *txn);
    txn->table = table;
    txn->writes = write;
    memory->writing |= write;
    return txn;
}

static void end(struct table_txn *txn)
{
    struct memory *memory = memory_of(txn->table);
    if (txn->writes) {
        memory->change_count = 0;
        memory->writing = false;
    }
    free(txn);
}

static void memory_abort(struct table_txn *txn)
{
    struct memory *memory = memory_of(txn->table);
    for (size_t i = txn->writes ? memory->change_count : 0; i-- > 0;) {
        struct change *change = &memory->changes[i];
        set(&memory->spaces[change->space], key_of(change->after ? change->after : change->before),
            change->before);
        free(change->after);
    }
    end(txn);
}

static int memory_commit(struct table_txn *txn, struct err *err)
{
    struct memory *memory = memory_of(txn->table);
    if (txn->failed) {
        *err = txn->err;
        memory_abort(txn);
        return -1;
    }
    for (size_t i = 0; txn->writes && i < memory->change_count; i++)
        free(memory->changes[i].before);
    end(txn);
    return 0;
}

static enum table_result memory_get(struct table_txn *txn, enum table_space space, struct str key,
                                    struct str *value)
{
    const struct records *records = &memory_of(txn->table)->spaces[space];
    size_t place = place_of(records, key);
    if (!is_at(records, place, key))
        return TABLE_ABSENT;
    *value = value_of(records->sorted[place]);
    return TABLE_FOUND;
}

/* As strict as LMDB, so that what passes here passes there. */
static int check_write(struct table_txn *txn, struct str key)
{
    if (!txn->writes)
        return table_fail(txn, ERR_NOT_USABLE, "the transaction only reads");
    if (!key.len || key.len > TABLE_KEY)
        return table_fail(txn, ERR_LIMIT, "a key of %zu bytes", key.len);
    return 0;
}

static int memory_put(struct table_txn *txn, enum table_space space, struct str key,
                      struct str value)
{
    struct memory *memory = memory_of(txn->table);
    if (check_write(txn, key) < 0)
        return -1;
    struct record *record = mem_alloc(sizeof *record + key.len + value.len);
    record->key_len = key.len;
    record->value_len = value.len;
    memcpy(record->bytes, key.data, key.len);
    if (value.len)
        memcpy(record->bytes + key.len, value.data, value.len);
    struct record *before = set(&memory->spaces[space], key_of(record), record);
    note(memory, (struct change){space, before, record});
    return 0;
}

static enum table_result memory_remove(struct table_txn *txn, enum table_space space,
                                       struct str key)
{
    struct memory *memory = memory_of(txn->table);
    if (check_write(txn, key) < 0)
        return TABLE_FAILED;
    struct record *before = set(&memory->spaces[space], key, NULL);
    if (!before)
        return TABLE_ABSENT;
    note(memory, (struct change){space, before, NULL});
    return TABLE_FOUND;
}

static enum table_result give(const struct records *records, size_t place, struct str *key,
                              struct str *value)
{
    if (place >= records->count)
        return TABLE_ABSENT;
    *key = key_of(records->sorted[place]);
    *value = value_of(records->sorted[place]);
    return TABLE_FOUND;
}

static enum table_result memory_seek(struct table_txn *txn, enum table_space space, struct str from,
                                     bool beyond, struct str *key, struct str *value)
{
    const struct records *records = &memory_of(txn->table)->spaces[space];
    size_t place = place_of(records, from);
    return give(records, place + (beyond && is_at(records, place, from)), key, value);
}

static enum table_result memory_last(struct table_txn *txn, enum table_space space,
                                     struct str below, struct str *key, struct str *value)
{
    const struct records *records = &memory_of(txn->table)->spaces[space];
    size_t place = below.len ? place_of(records, below) : records->count;
    return place ? give(records, place - 1, key, value) : TABLE_ABSENT;
}

static bool memory_grow(struct table *table, struct err *err)
{
    (void)table;
    err_set(err, ERR_LIMIT, "a table in memory has no limit to raise");
    return false;
}

static void memory_close(struct table *table)
{
    struct memory *memory = memory_of(table);
    for (size_t space = 0; space < TABLE_SPACES; space++) {
        struct records *records = &memory->spaces[space];
        for (size_t i = 0; i < records->count; i++)
            free(records->sorted[i]);
        free(records->sorted);
    }
    free(memory->changes);
    free(memory);
}

static const struct table_ops memory_ops = {
    .begin = memory_begin,
    .commit = memory_commit,
    .abort = memory_abort,
    .get = memory_get,
    .put = memory_put,
    .remove = memory_remove,
    .seek = memory_seek,
    .last = memory_last,
    .grow = memory_grow,
    .close = memory_close,
};

struct table *table_open_memory(void)
{
    struct memory *memory = mem_zalloc(sizeof *memory);
    memory->table.ops = &memory_ops;
    return &memory->table;
}
