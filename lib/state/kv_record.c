/* kv_record.c: how values by key lie in the records. */
#include "state/kv_record.h"

#include "base/hash.h"

enum {
    HEAD = 8 + 8 + 8,
    HASH = 16,
    EXPIRY_KEY = 8 + 8,
    CHANGE_HEAD = 1 + 8 + 4,
};
_Static_assert(1 + KV_PLAIN + HASH == TABLE_KEY, "only long keys have places of this length");

void kv_place_of(struct kv_place *place, struct str key)
{
    size_t plain = key.len < KV_PLAIN ? key.len : KV_PLAIN;
    place->bytes[0] = 'k'; /* LMDB takes no empty key */
    if (plain)
        memcpy(place->bytes + 1, key.data, plain);
    place->len = 1 + plain;
    if (key.len <= KV_PLAIN)
        return;
    struct hash128 hash = hash_128(key);
    table_put_u64(place->bytes + place->len, hash.high);
    table_put_u64(place->bytes + place->len + 8, hash.low);
    place->len += HASH;
}

struct str kv_place_str(const struct kv_place *place)
{
    return (struct str){(const char *)place->bytes, place->len};
}

static int damaged(struct apply *apply)
{
    return table_fail(apply->txn, ERR_NOT_USABLE, "a stored value is damaged");
}

int kv_stored_read(struct apply *apply, struct str place, struct str bytes,
                   struct kv_stored *stored)
{
    if (bytes.len < HEAD || !place.len)
        return damaged(apply);
    *stored = (struct kv_stored){
        .key = {place.data + 1, place.len - 1},
        .version = table_u64(bytes.data),
        .deadline = (int64_t)table_u64(bytes.data + 8),
        .nonce = table_u64(bytes.data + 16),
        .packed = {bytes.data + HEAD, bytes.len - HEAD},
    };
    if (place.len < TABLE_KEY)
        return 0;
    if (stored->packed.len < 4)
        return damaged(apply);
    size_t len = table_u32(stored->packed.data);
    if (stored->packed.len - 4 < len)
        return damaged(apply);
    stored->key = (struct str){stored->packed.data + 4, len};
    stored->packed.data += 4 + len;
    stored->packed.len -= 4 + len;
    return 0;
}

int kv_change_read(struct apply *apply, struct str version, struct str bytes,
                   struct kv_change *change)
{
    if (version.len != 8 || bytes.len < CHANGE_HEAD || (unsigned char)bytes.data[0] > KV_DELETED)
        return damaged(apply);
    size_t len = table_u32(bytes.data + 9);
    if (bytes.len - CHANGE_HEAD < len)
        return damaged(apply);
    *change = (struct kv_change){
        .how = (enum kv_how)bytes.data[0],
        .version = table_u64(version.data),
        .deadline = (int64_t)table_u64(bytes.data + 1),
        .key = {bytes.data + CHANGE_HEAD, len},
        .packed = {bytes.data + CHANGE_HEAD + len, bytes.len - CHANGE_HEAD - len},
    };
    return 0;
}

bool kv_is_past(const struct apply *apply, const struct kv_stored *stored)
{
    return stored->deadline && stored->deadline <= apply->wall;
}

static struct str expiry_key(unsigned char key[EXPIRY_KEY], int64_t deadline, uint64_t version)
{
    table_put_u64(key, (uint64_t)deadline);
    table_put_u64(key + 8, version);
    return (struct str){(const char *)key, EXPIRY_KEY};
}

int kv_stored_write(struct apply *apply, const struct kv_place *place,
                    const struct kv_stored *stored, struct str value)
{
    unsigned char head[HEAD + 4], key[EXPIRY_KEY];
    struct buf record = {0};
    bool is_long = place->len == TABLE_KEY;
    table_put_u64(head, stored->version);
    table_put_u64(head + 8, (uint64_t)stored->deadline);
    table_put_u64(head + 16, stored->nonce);
    table_put_u32(head + HEAD, (uint32_t)stored->key.len);
    buf_add(&record, head, is_long ? HEAD + 4 : HEAD);
    if (is_long)
        buf_add_str(&record, stored->key);
    apply_pack(&record, value);
    int status = table_put(apply->txn, SPACE_KV, kv_place_str(place), buf_str(&record));
    buf_free(&record);
    if (status == 0 && stored->deadline)
        status = table_put(apply->txn, SPACE_EXPIRY,
                           expiry_key(key, stored->deadline, stored->version), kv_place_str(place));
    return status;
}

int kv_change_write(struct apply *apply, const struct kv_change *change, struct str value)
{
    unsigned char head[CHANGE_HEAD], key[8];
    struct buf record = {0};
    struct str place = {(const char *)key, sizeof key};
    head[0] = (unsigned char)change->how;
    table_put_u64(head + 1, (uint64_t)change->deadline);
    table_put_u32(head + 9, (uint32_t)change->key.len);
    buf_add(&record, head, sizeof head);
    buf_add_str(&record, change->key);
    if (change->how == KV_WRITTEN)
        apply_pack(&record, value);
    table_put_u64(key, change->version);
    int status = table_put(apply->txn, SPACE_CHANGE, place, buf_str(&record));
    buf_free(&record);
    if (status < 0 || change->version <= KV_LOG)
        return status;
    table_put_u64(key, change->version - KV_LOG);
    return table_remove(apply->txn, SPACE_CHANGE, place) == TABLE_FAILED ? -1 : 0;
}

int kv_expiry_remove(struct apply *apply, int64_t deadline, uint64_t version)
{
    unsigned char key[EXPIRY_KEY];
    if (!deadline)
        return 0;
    struct str at = expiry_key(key, deadline, version);
    return table_remove(apply->txn, SPACE_EXPIRY, at) == TABLE_FAILED ? -1 : 0;
}

int kv_stored_remove(struct apply *apply, const struct kv_place *place, int64_t deadline,
                     uint64_t version)
{
    if (table_remove(apply->txn, SPACE_KV, kv_place_str(place)) == TABLE_FAILED)
        return -1;
    return kv_expiry_remove(apply, deadline, version);
}

/* 1: one was removed; 0: none has outlived its time. */
static int sweep_one(struct apply *apply)
{
    struct str key, value;
    struct kv_place place;
    enum table_result found =
        table_seek(apply->txn, SPACE_EXPIRY, (struct str){NULL, 0}, false, &key, &value);
    if (found != TABLE_FOUND)
        return found;
    if (key.len != EXPIRY_KEY || value.len > sizeof place.bytes)
        return damaged(apply);
    int64_t deadline = (int64_t)table_u64(key.data);
    uint64_t version = table_u64(key.data + 8);
    if (deadline > apply->wall)
        return 0;
    memcpy(place.bytes, value.data, value.len);
    place.len = value.len;
    return kv_stored_remove(apply, &place, deadline, version) < 0 ? -1 : 1;
}

int kv_sweep(struct apply *apply)
{
    for (int i = 0; i < KV_SWEEP; i++) {
        int removed = sweep_one(apply);
        if (removed != 1)
            return removed;
    }
    return 0;
}
