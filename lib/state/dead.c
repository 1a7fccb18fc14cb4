/*
 * dead.c: dead letters in the order of their coming.
 *
 * SPACE_DEAD: number (8) -> length of the queue's name (2), the name, the letter (packed).
 */
#include "state/dead.h"

#include "state/apply.h"

struct record {
    struct str queue, packed;
};

static struct str number_key(unsigned char key[8], uint64_t number)
{
    table_put_u64(key, number);
    return (struct str){(const char *)key, 8};
}

static int read_record(struct apply *apply, struct str value, struct record *record)
{
    const unsigned char *bytes = (const unsigned char *)value.data;
    size_t len = value.len >= 2 ? (size_t)(bytes[0] << 8 | bytes[1]) : 0;
    if (value.len < 2 + len)
        return table_fail(apply->txn, ERR_NOT_USABLE, "a dead letter is damaged");
    record->queue = (struct str){value.data + 2, len};
    record->packed = (struct str){value.data + 2 + len, value.len - 2 - len};
    return 0;
}

static int put(struct apply *apply, uint64_t number, struct str queue, struct str letter)
{
    unsigned char key[8], head[2] = {(unsigned char)(queue.len >> 8), (unsigned char)queue.len};
    struct buf record = {0};
    buf_add(&record, head, sizeof head);
    buf_add_str(&record, queue);
    apply_pack(&record, letter);
    int status = table_put(apply->txn, SPACE_DEAD, number_key(key, number), buf_str(&record));
    buf_free(&record);
    return status;
}

/* The number of the letter, or 0: the transaction has failed. */
static uint64_t add(struct apply *apply, struct str queue, struct str letter)
{
    uint64_t number = apply_number(apply, "letters");
    return number && put(apply, number, queue, letter) == 0 ? number : 0;
}

int dead_add(struct apply *apply, struct str queue, struct str letter)
{
    return add(apply, queue, letter) ? 0 : -1;
}

static int apply_add(struct apply *apply, struct dead_op *own, size_t from)
{
    for (size_t i = from; i < own->count; i++) {
        uint64_t number = add(apply, (struct str){NULL, 0}, own->letters[i]);
        if (!number)
            return -1;
        if (own->verb == DEAD_ADD)
            own->number = number;
    }
    return 0;
}

/* 1: go on; 0: enough; -1. */
static int tell(struct apply *apply, struct dead_op *own, uint64_t number, struct str value)
{
    struct buf scratch = {0};
    struct record record;
    struct str letter;
    if (read_record(apply, value, &record) < 0)
        return -1;
    if (own->queue.data && !str_eq(own->queue, record.queue))
        return 1;
    int status = apply_unpack(apply, record.packed, &scratch, &letter);
    if (status == 0)
        status = own->each(own->owner, number, letter);
    buf_free(&scratch);
    return status;
}

static int apply_list(struct apply *apply, struct dead_op *own)
{
    unsigned char from[8];
    struct str key, value;
    uint64_t number = own->number;
    int more = 1;
    while (more > 0 && table_seek(apply->txn, SPACE_DEAD, number_key(from, number), true, &key,
                                  &value) == TABLE_FOUND) {
        number = table_u64(key.data);
        more = tell(apply, own, number, value);
    }
    return apply->txn->failed ? -1 : 0;
}

/* The record with the key is removed, or others stand in its place. */
static int apply_end(struct apply *apply, struct dead_op *own, struct str at, struct str value)
{
    struct record record;
    if (read_record(apply, value, &record) < 0)
        return -1;
    if (own->count) {
        struct buf queue = {0}; /* a record that is read lasts until one is written */
        buf_add_str(&queue, record.queue);
        int status = put(apply, own->number, buf_str(&queue), own->letters[0]);
        buf_free(&queue);
        return status < 0 ? -1 : apply_add(apply, own, 1);
    }
    if (record.queue.len && queue_letter_gone(apply, record.queue) < 0)
        return -1;
    return table_remove(apply->txn, SPACE_DEAD, at) == TABLE_FAILED ? -1 : 0;
}

static int apply_one(struct apply *apply, struct dead_op *own)
{
    unsigned char key[8];
    struct str value;
    struct str at = number_key(key, own->number);
    enum table_result found = table_get(apply->txn, SPACE_DEAD, at, &value);
    if (found == TABLE_ABSENT)
        own->op.status = STORE_ABSENT;
    if (found != TABLE_FOUND)
        return found;
    if (own->verb == DEAD_GET)
        return tell(apply, own, own->number, value) < 0 ? -1 : 0;
    return apply_end(apply, own, at, value);
}

int dead_apply(struct apply *apply, struct store_op *op)
{
    struct dead_op *own = (struct dead_op *)(void *)op;
    switch (own->verb) {
    case DEAD_LIST:
        return apply_list(apply, own);
    case DEAD_ADD:
        return apply_add(apply, own, 0);
    default:
        return apply_one(apply, own);
    }
}

void dead_submit(struct store *store, struct dead_op *op)
{
    op->op.kind = STORE_DEAD;
    op->op.reads = op->verb == DEAD_LIST || op->verb == DEAD_GET;
    op->op.cost = sizeof(uint64_t);
    for (size_t i = 0; i < op->count; i++)
        op->op.cost += op->letters[i].len;
    store_submit(store, &op->op);
}
