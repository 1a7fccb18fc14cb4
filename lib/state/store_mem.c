/*
 * store_mem.c: records in memory: for tests, and for fittings that keep nothing.
 *
 * Each space is a tree (mem_tree.h). A writer notes what it replaces or removes; abort puts it back
 * in reverse order. There is one writer at a time; a reader that is open during a commit sees it
 * (in LMDB it would not). Under AddressSanitizer what is handed out is a copy, freed as soon as
 * table.h says that it is no longer valid: who keeps it too long is caught.
 */
#include "state/table.h"

#include "base/buf.h"
#include "base/mem.h"
#include "state/mem_tree.h"

#include <stdlib.h>

enum { UNDO_KEPT = 1024 * 1024 }; /* bytes of room for changes that outlast a transaction */

/* What was at a key before a change; it stands behind the key and the value, so that changes are
 * read backwards. */
struct change {
    uint32_t value_len;
    uint16_t key_len;
    uint8_t space;
    bool was_there;
};

struct memory {
    struct table table; /* first */
    struct mem_tree spaces[TABLE_SPACES];
    struct buf undo; /* changes of the open writer */
    bool writing;
    struct lent *lent; /* bytes that were handed out */
};

struct lent {
    struct lent *next;
    char bytes[];
};

static struct memory *memory_of(struct table *table)
{
    return (struct memory *)(void *)table;
}

#ifdef __SANITIZE_ADDRESS__
static void lend(struct memory *memory, struct str *bytes)
{
    struct lent *lent = mem_alloc(sizeof *lent + bytes->len);
    if (bytes->len)
        memcpy(lent->bytes, bytes->data, bytes->len);
    lent->next = memory->lent;
    memory->lent = lent;
    bytes->data = lent->bytes;
}
#else
static void lend(struct memory *memory, struct str *bytes)
{
    (void)memory;
    (void)bytes;
}
#endif

static void take_back(struct memory *memory)
{
    while (memory->lent) {
        struct lent *lent = memory->lent;
        memory->lent = lent->next;
        free(lent);
    }
}

static void note(struct memory *memory, enum table_space space, struct str key)
{
    struct str value = {NULL, 0};
    struct change change = {.key_len = (uint16_t)key.len, .space = (uint8_t)space};
    change.was_there = mem_tree_get(&memory->spaces[space], key, &value);
    change.value_len = (uint32_t)value.len;
    buf_add_str(&memory->undo, key);
    buf_add_str(&memory->undo, value);
    buf_add(&memory->undo, &change, sizeof change);
}

static void undo_last(struct memory *memory)
{
    struct change change;
    struct buf *undo = &memory->undo;
    undo->len -= sizeof change;
    memcpy(&change, undo->data + undo->len, sizeof change);
    undo->len -= change.value_len;
    struct str value = {undo->data + undo->len, change.value_len};
    undo->len -= change.key_len;
    struct str key = {undo->data + undo->len, change.key_len};
    if (change.was_there)
        mem_tree_put(&memory->spaces[change.space], key, value);
    else
        mem_tree_remove(&memory->spaces[change.space], key);
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
    take_back(memory);
    if (txn->writes) {
        memory->writing = false;
        buf_clear(&memory->undo);
        if (memory->undo.cap > UNDO_KEPT)
            buf_free(&memory->undo);
    }
    free(txn);
}

static void memory_abort(struct table_txn *txn)
{
    struct memory *memory = memory_of(txn->table);
    while (txn->writes && memory->undo.len)
        undo_last(memory);
    end(txn);
}

static int memory_commit(struct table_txn *txn, struct err *err)
{
    if (txn->failed) {
        *err = txn->err;
        memory_abort(txn);
        return -1;
    }
    end(txn);
    return 0;
}

static enum table_result memory_get(struct table_txn *txn, enum table_space space, struct str key,
                                    struct str *value)
{
    struct memory *memory = memory_of(txn->table);
    if (!mem_tree_get(&memory->spaces[space], key, value))
        return TABLE_ABSENT;
    lend(memory, value);
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
    if (value.len > UINT32_MAX)
        return table_fail(txn, ERR_LIMIT, "a value of %zu bytes", value.len);
    note(memory, space, key);
    mem_tree_put(&memory->spaces[space], key, value);
    take_back(memory);
    return 0;
}

static enum table_result memory_remove(struct table_txn *txn, enum table_space space,
                                       struct str key)
{
    struct memory *memory = memory_of(txn->table);
    struct str value;
    if (check_write(txn, key) < 0)
        return TABLE_FAILED;
    if (!mem_tree_get(&memory->spaces[space], key, &value))
        return TABLE_ABSENT;
    note(memory, space, key);
    mem_tree_remove(&memory->spaces[space], key);
    take_back(memory);
    return TABLE_FOUND;
}

static enum table_result give(struct memory *memory, bool found, struct str *key, struct str *value)
{
    if (!found)
        return TABLE_ABSENT;
    lend(memory, key);
    lend(memory, value);
    return TABLE_FOUND;
}

static enum table_result memory_seek(struct table_txn *txn, enum table_space space, struct str from,
                                     bool beyond, struct str *key, struct str *value)
{
    struct memory *memory = memory_of(txn->table);
    bool found = mem_tree_seek(&memory->spaces[space], from, beyond, key, value);
    return give(memory, found, key, value);
}

static enum table_result memory_last(struct table_txn *txn, enum table_space space,
                                     struct str below, struct str *key, struct str *value)
{
    struct memory *memory = memory_of(txn->table);
    bool found = mem_tree_last(&memory->spaces[space], below, key, value);
    return give(memory, found, key, value);
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
    for (size_t space = 0; space < TABLE_SPACES; space++)
        mem_tree_free(&memory->spaces[space]);
    buf_free(&memory->undo);
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
