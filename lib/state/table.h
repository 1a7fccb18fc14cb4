/*
 * table.h: ordered records with transactions: what the embedded store is written on.
 *
 * A table holds spaces, each a sorted map from bytes to bytes. One transaction at a time writes, in
 * all processes; readers see what was committed when they began. A commit is durable when it
 * returns. store_lmdb.c implements it on files, store_mem.c in memory; everything above
 * (store_embedded.c, kv.c, queue.c, ledger.c) knows only this.
 *
 * Within a transaction an error is kept (the first one): later calls do nothing and return -1, and
 * the commit fails with it. So functions need not distinguish errors, only stop. Bytes that are
 * handed out point into the table: they are valid until the next put, delete or end of the
 * transaction.
 */
#ifndef FIT_STATE_TABLE_H
#define FIT_STATE_TABLE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TABLE_KEY = 511, /* bytes of a key; longer ones are a mistake of the caller, who hashes them */
};

/* The key's first bytes are big-endian numbers throughout, so that their order is that of the keys.
 * What the records look like is for the module behind the name; fit-state(5) lists them. */
enum table_space {
    SPACE_META,    /* counters, and the numbers of names: names.h */
    SPACE_KV,      /* kv.c: values by key */
    SPACE_CHANGE,  /* kv.c: which key changed with which version */
    SPACE_EXPIRY,  /* kv.c: which record has outlived its time, by that time */
    SPACE_LOCK,    /* lease.c: who holds a name */
    SPACE_MESSAGE, /* queue.c: what was pushed and is not yet acknowledged */
    SPACE_READY,   /* queue.c: what may be leased, in order */
    SPACE_DELAYED, /* queue.c: what may be leased later, by time */
    SPACE_GROUP,   /* queue.c: messages of FIFO groups in order */
    SPACE_LEASE,   /* queue.c: what is leased, and by whom */
    SPACE_DEDUP,   /* queue.c: what was pushed lately */
    SPACE_LEDGER,  /* ledger.c: results by event */
    SPACE_DEAD,    /* dead.c: dead letters in the order of their coming */
    SPACE_FANIN,   /* fanin.c: groups, and which of them are closed or due */
    SPACE_PART,    /* fanin.c: the parts of groups */
    SPACE_TOPIC,   /* topic.c: what was published, in order */
    SPACE_READER, /* topic.c: subscribers: their positions, and what they have done ahead of them */
    SPACE_ANSWER, /* queue.c: answers to messages that ask for one */
    SPACE_CURSOR, /* cursor.c: records of cursors, and who has them */
    TABLE_SPACES,
};

struct table;
struct table_txn;

enum table_result { TABLE_FAILED = -1, TABLE_ABSENT = 0, TABLE_FOUND = 1 };

struct table_ops {
    struct table_txn *(*begin)(struct table *table, bool write, struct err *err);
    int (*commit)(struct table_txn *txn, struct err *err);
    void (*abort)(struct table_txn *txn);
    enum table_result (*get)(struct table_txn *txn, enum table_space space, struct str key,
                             struct str *value);
    int (*put)(struct table_txn *txn, enum table_space space, struct str key, struct str value);
    enum table_result (*remove)(struct table_txn *txn, enum table_space space, struct str key);
    enum table_result (*seek)(struct table_txn *txn, enum table_space space, struct str from,
                              bool beyond, struct str *key, struct str *value);
    enum table_result (*last)(struct table_txn *txn, enum table_space space, struct str below,
                              struct str *key, struct str *value);
    bool (*grow)(struct table *table, struct err *err);
    void (*close)(struct table *table);
};

struct table { /* first in an implementation's own struct */
    const struct table_ops *ops;
};

struct table_txn { /* the same */
    struct table *table;
    bool writes;
    bool failed;
    bool full; /* failed for want of space in the map: grow, then everything may be done again */
    struct err err;
};

/*
 * The directory's data.mdb, made if it is not there. sync false: commits may be lost by a power
 * cut, not by a kill. map: address space to begin with (it grows), 0: plenty. NULL with ERR_STATE
 * for a file that is foreign, torn, or was emptied or removed after it had been made; it is left as
 * it is.
 */
struct table *table_open_lmdb(const char *path, bool sync, uint64_t map, struct err *err);

/* An empty one in memory, lost with the process. */
struct table *table_open_memory(void);

static inline void table_close(struct table *table) /* no transaction may be open; NULL: a no-op */
{
    if (table)
        table->ops->close(table);
}

/* Begin. Writing waits for the writers of other processes. NULL with err. */
static inline struct table_txn *table_begin(struct table *table, bool write, struct err *err)
{
    return table->ops->begin(table, write, err);
}

/* Both end it. -1 with err: nothing of it has happened; ERR_LIMIT: for want of space in the map, as
 * `full` says. */
static inline int table_commit(struct table_txn *txn, struct err *err)
{
    return txn->table->ops->commit(txn, err);
}

static inline void table_abort(struct table_txn *txn)
{
    txn->table->ops->abort(txn);
}

/* After a transaction that failed with `full` was ended: make room. False with err: it cannot. */
static inline bool table_grow(struct table *table, struct err *err)
{
    return table->ops->grow(table, err);
}

static inline enum table_result table_get(struct table_txn *txn, enum table_space space,
                                          struct str key, struct str *value)
{
    return txn->failed ? TABLE_FAILED : txn->table->ops->get(txn, space, key, value);
}

/* Also replaces. 0 or -1. */
static inline int table_put(struct table_txn *txn, enum table_space space, struct str key,
                            struct str value)
{
    return txn->failed ? -1 : txn->table->ops->put(txn, space, key, value);
}

static inline enum table_result table_remove(struct table_txn *txn, enum table_space space,
                                             struct str key)
{
    return txn->failed ? TABLE_FAILED : txn->table->ops->remove(txn, space, key);
}

/* The first record whose key is not below from (beyond: above it). Cheap when called with the key
 * that it gave last. */
static inline enum table_result table_seek(struct table_txn *txn, enum table_space space,
                                           struct str from, bool beyond, struct str *key,
                                           struct str *value)
{
    return txn->failed ? TABLE_FAILED : txn->table->ops->seek(txn, space, from, beyond, key, value);
}

/* The last record whose key is below the given one; {NULL, 0}: the last of all. */
static inline enum table_result table_last(struct table_txn *txn, enum table_space space,
                                           struct str below, struct str *key, struct str *value)
{
    return txn->failed ? TABLE_FAILED : txn->table->ops->last(txn, space, below, key, value);
}

/* For callers who find that a record is not as it should be: the transaction fails. Returns -1. */
int table_fail(struct table_txn *txn, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- numbers in keys and records ---- */

static inline void table_put_u64(unsigned char *at, uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)number;
}

static inline uint64_t table_u64(const void *at)
{
    const unsigned char *bytes = at;
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static inline void table_put_u32(unsigned char *at, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)number;
}

static inline uint32_t table_u32(const void *at)
{
    const unsigned char *bytes = at;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

#endif
