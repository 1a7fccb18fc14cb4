/*
 * ledger_records.c: a ledger as records of a table: for a store without a directory, which has no
 * ledger_log.c.
 *
 * SPACE_LEDGER: number of the ledger (4 bytes), key (16) -> run (8), place (8), count (8), lines
 * (packed). SPACE_META: "run/", number of the ledger (4), run (8) -> the first place of that run
 * that has not been printed (8).
 */
#include "state/ledger.h"

#include "state/apply.h"

enum {
    RECORD_KEY = 4 + 16,
    RECORD_HEAD = 8 + 8 + 8,
    RUN_PREFIX = 4,
    RUN_KEY = RUN_PREFIX + 4 + 8,
};

struct record {
    uint64_t run, place, count;
    struct str packed;
};

static struct ledger_op *ledger_op_of(struct store_op *op)
{
    return (struct ledger_op *)(void *)op;
}

static struct str record_key(unsigned char key[RECORD_KEY], uint32_t number, struct hash128 hash)
{
    table_put_u32(key, number);
    table_put_u64(key + 4, hash.high);
    table_put_u64(key + 12, hash.low);
    return (struct str){(const char *)key, RECORD_KEY};
}

static struct str run_key(unsigned char key[RUN_KEY], uint32_t number, uint64_t run)
{
    memcpy(key, "run/", RUN_PREFIX);
    table_put_u32(key + RUN_PREFIX, number);
    table_put_u64(key + RUN_PREFIX + 4, run);
    return (struct str){(const char *)key, RUN_KEY};
}

static enum table_result find(struct apply *apply, uint32_t number, struct hash128 hash,
                              struct record *record)
{
    unsigned char key[RECORD_KEY];
    struct str value;
    enum table_result found =
        table_get(apply->txn, SPACE_LEDGER, record_key(key, number, hash), &value);
    if (found != TABLE_FOUND)
        return found;
    if (value.len < RECORD_HEAD) {
        table_fail(apply->txn, ERR_STATE, "a record of the ledger is damaged");
        return TABLE_FAILED;
    }
    *record = (struct record){
        .run = table_u64(value.data),
        .place = table_u64(value.data + 8),
        .count = table_u64(value.data + 16),
        .packed = {value.data + RECORD_HEAD, value.len - RECORD_HEAD},
    };
    return TABLE_FOUND;
}

static int write_record(struct apply *apply, uint32_t number, const struct ledger_op *own)
{
    unsigned char key[RECORD_KEY], head[RECORD_HEAD];
    struct buf record = {0};
    table_put_u64(head, own->run);
    table_put_u64(head + 8, own->place);
    table_put_u64(head + 16, own->count);
    buf_add(&record, head, sizeof head);
    apply_pack(&record, own->lines);
    int status =
        table_put(apply->txn, SPACE_LEDGER, record_key(key, number, own->key), buf_str(&record));
    buf_free(&record);
    return status;
}

/* The record's lines, and whether they have been printed, as the answer. */
static int answer(struct apply *apply, uint32_t number, const struct record *record,
                  struct ledger_op *own)
{
    unsigned char key[RUN_KEY];
    struct str shown, lines;
    own->count = record->count;
    enum table_result found =
        table_get(apply->txn, SPACE_META, run_key(key, number, record->run), &shown);
    own->shown = found == TABLE_FOUND && shown.len == 8 && record->place < table_u64(shown.data);
    if (found == TABLE_FAILED || apply_unpack(apply, record->packed, &own->answer, &lines) < 0)
        return -1;
    if (lines.data != own->answer.data) { /* they may be gone when the transaction is */
        buf_clear(&own->answer);
        buf_add_str(&own->answer, lines);
    }
    return 0;
}

static int apply_find(struct apply *apply, struct ledger_op *own)
{
    struct record record;
    uint32_t number = apply_name(apply, "ledger", own->ledger, false);
    enum table_result found = number ? find(apply, number, own->key, &record) : TABLE_ABSENT;
    if (found == TABLE_ABSENT) {
        own->op.status = STORE_ABSENT;
        return 0;
    }
    if (found == TABLE_FAILED || answer(apply, number, &record, own) < 0)
        return -1;
    own->lines = buf_str(&own->answer);
    return 0;
}

static int apply_add(struct apply *apply, uint32_t number, struct ledger_op *own)
{
    struct record record;
    enum table_result found = find(apply, number, own->key, &record);
    if (found == TABLE_ABSENT)
        return write_record(apply, number, own);
    own->op.status = STORE_CONFLICT;
    return found == TABLE_FAILED ? -1 : answer(apply, number, &record, own);
}

static int apply_show(struct apply *apply, uint32_t number, const struct ledger_op *own)
{
    unsigned char key[RUN_KEY], place[8];
    table_put_u64(place, own->place);
    return table_put(apply->txn, SPACE_META, run_key(key, number, own->run),
                     (struct str){(const char *)place, sizeof place});
}

static int apply_claim(struct apply *apply, uint32_t number, const struct ledger_op *own)
{
    struct record record;
    enum table_result found = find(apply, number, own->key, &record);
    if (found != TABLE_FOUND)
        return found;
    unsigned char key[RECORD_KEY];
    struct buf changed = {0};
    buf_add(&changed, record.packed.data - RECORD_HEAD, RECORD_HEAD + record.packed.len);
    table_put_u64((unsigned char *)changed.data, own->run);
    table_put_u64((unsigned char *)changed.data + 8, own->place);
    int status =
        table_put(apply->txn, SPACE_LEDGER, record_key(key, number, own->key), buf_str(&changed));
    buf_free(&changed);
    return status;
}

/* All records of a space whose keys begin so. */
static int remove_prefix(struct apply *apply, enum table_space space, struct str prefix)
{
    struct str key, value;
    enum table_result found;
    while ((found = table_seek(apply->txn, space, prefix, false, &key, &value)) == TABLE_FOUND &&
           str_starts(key, prefix)) {
        unsigned char copy[TABLE_KEY];
        struct str own = {(const char *)copy, key.len};
        memcpy(copy, key.data, key.len);
        if (table_remove(apply->txn, space, own) == TABLE_FAILED)
            return -1;
    }
    return found == TABLE_FAILED ? -1 : 0;
}

static int apply_drop(struct apply *apply, struct ledger_op *own)
{
    unsigned char key[RUN_KEY];
    uint32_t number = apply_name(apply, "ledger", own->ledger, false);
    if (!number) {
        own->op.status = STORE_ABSENT;
        return apply->txn->failed ? -1 : 0;
    }
    run_key(key, number, 0);
    if (remove_prefix(apply, SPACE_LEDGER, (struct str){(const char *)key + RUN_PREFIX, 4}) < 0)
        return -1;
    return remove_prefix(apply, SPACE_META, (struct str){(const char *)key, RUN_PREFIX + 4});
}

int ledger_apply(struct apply *apply, struct store_op *op)
{
    struct ledger_op *own = ledger_op_of(op);
    if (own->verb == LEDGER_FIND)
        return apply_find(apply, own);
    if (own->verb == LEDGER_DROP)
        return apply_drop(apply, own);
    uint32_t number = apply_name(apply, "ledger", own->ledger, true);
    if (!number)
        return -1;
    switch (own->verb) {
    case LEDGER_BEGIN:
        own->run = apply_number(apply, "runs");
        return own->run ? 0 : -1;
    case LEDGER_ADD:
        return apply_add(apply, number, own);
    case LEDGER_SHOW:
        return apply_show(apply, number, own);
    default:
        return apply_claim(apply, number, own);
    }
}
