/* apply.c: what the operations of the embedded engine share: numbers, names, packed values. */
#include "state/apply.h"

#include "base/hash.h"
#include "state/pack.h"

uint64_t apply_number(struct apply *apply, const char *counter)
{
    struct str key = str_of(counter), value;
    unsigned char number[8];
    enum table_result found = table_get(apply->txn, SPACE_META, key, &value);
    if (found == TABLE_FAILED)
        return 0;
    uint64_t next =
        found == TABLE_FOUND && value.len == sizeof number ? table_u64(value.data) + 1 : 1;
    table_put_u64(number, next);
    struct str bytes = {(const char *)number, sizeof number};
    return table_put(apply->txn, SPACE_META, key, bytes) < 0 ? 0 : next;
}

static void name_key(struct buf *key, const char *kind, struct str name)
{
    buf_addf(key, "name/%s/", kind);
    buf_add_str(key, name);
    if (key->len <= TABLE_KEY)
        return;
    char text[HASH_TEXT];
    buf_clear(key);
    buf_addf(key, "hash/%s/%s", kind, hash_format(hash_128(name), text));
}

/* A new number for the name of that key. 0: the transaction has failed. */
static uint32_t number_name(struct apply *apply, struct str key, struct str name)
{
    unsigned char bytes[4];
    struct buf record = {0};
    uint32_t number = (uint32_t)apply_number(apply, "names");
    table_put_u32(bytes, number);
    buf_add(&record, bytes, sizeof bytes);
    buf_add_str(&record, name);
    if (table_put(apply->txn, SPACE_META, key, buf_str(&record)) < 0)
        number = 0;
    buf_free(&record);
    return number;
}

uint32_t apply_name(struct apply *apply, const char *kind, struct str name, bool make)
{
    struct buf key = {0};
    struct str value;
    uint32_t number = 0;
    name_key(&key, kind, name);
    enum table_result found = table_get(apply->txn, SPACE_META, buf_str(&key), &value);
    if (found == TABLE_FOUND && value.len >= 4)
        number = table_u32(value.data);
    else if (found == TABLE_ABSENT && make)
        number = number_name(apply, buf_str(&key), name);
    buf_free(&key);
    return number;
}

uint32_t apply_rename(struct apply *apply, const char *kind, struct str name, bool again)
{
    struct buf key = {0};
    uint32_t number = 0;
    name_key(&key, kind, name);
    if (again)
        number = number_name(apply, buf_str(&key), name);
    else
        table_remove(apply->txn, SPACE_META, buf_str(&key));
    buf_free(&key);
    return number;
}

/* Names stand in the records that give them their numbers, long ones only in their values. */
static int each_name(struct apply *apply, struct str prefix, apply_name_fn *each, void *owner)
{
    struct buf last = {0};
    struct str key, record;
    int status = 0;
    enum table_result found = table_seek(apply->txn, SPACE_META, prefix, false, &key, &record);
    while (found == TABLE_FOUND && str_starts(key, prefix)) {
        buf_clear(&last);
        buf_add_str(&last, key);
        if (record.len >= 4)
            status = each(owner, apply, (struct str){record.data + 4, record.len - 4});
        if (status < 0)
            break;
        found = table_seek(apply->txn, SPACE_META, buf_str(&last), true, &key, &record);
    }
    buf_free(&last);
    return apply->txn->failed ? -1 : status;
}

int apply_names(struct apply *apply, const char *kind, apply_name_fn *each, void *owner)
{
    static const char *const places[] = {"hash", "name"};
    struct buf prefix = {0};
    int status = 0;
    for (size_t i = 0; status == 0 && i < 2; i++) {
        buf_clear(&prefix);
        buf_addf(&prefix, "%s/%s/", places[i], kind);
        status = each_name(apply, buf_str(&prefix), each, owner);
    }
    buf_free(&prefix);
    return status;
}

void apply_pack(struct buf *record, struct str value)
{
    pack_add(record, value);
}

int apply_unpack(struct apply *apply, struct str packed, struct buf *scratch, struct str *value)
{
    struct err err;
    buf_clear(scratch);
    if (pack_read(packed, scratch, &err) < 0)
        return table_fail(apply->txn, err.kind, "%s", err.text);
    *value = buf_str(scratch);
    return 0;
}
