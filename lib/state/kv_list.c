/* kv_list.c: operations on values by key that give many records: a page of a list, or of changes.
 */
#include "state/kv_list.h"

#include "base/mem.h"
#include "state/kv_record.h"

static size_t limit_of(const struct kv_op *own)
{
    return own->limit ? own->limit : KV_PAGE;
}

static bool is_full(const struct kv_op *own)
{
    return own->count >= limit_of(own) || own->answer.len >= KV_PAGE_BYTES;
}

/* The bytes of keys and values stand one behind another in answer, which may still move: only the
 * lengths count until place_records. */
static int add_record(struct apply *apply, struct kv_op *own, struct kv_record record,
                      struct str packed)
{
    enum { ROOM = 64 };
    struct buf scratch = {0};
    if (packed.len && apply_unpack(apply, packed, &scratch, &record.value) < 0) {
        buf_free(&scratch);
        return -1;
    }
    if (own->count % ROOM == 0)
        own->records = mem_realloc(own->records, (own->count + ROOM) * sizeof *own->records);
    own->records[own->count++] = record;
    buf_add_str(&own->answer, record.key);
    buf_add_str(&own->answer, record.value);
    buf_free(&scratch);
    return 0;
}

static void place_records(struct kv_op *own)
{
    const char *next = own->answer.data;
    for (size_t i = 0; i < own->count; i++) {
        struct kv_record *record = &own->records[i];
        record->key.data = next;
        record->value.data = next + record->key.len;
        next = record->value.data + record->value.len;
    }
}

/* ---- a list ---- */

static int add_listed(struct apply *apply, struct kv_op *own, struct str place, struct str bytes)
{
    struct kv_stored stored;
    if (kv_stored_read(apply, place, bytes, &stored) < 0)
        return -1;
    if (!str_starts(stored.key, own->key) || kv_is_past(apply, &stored))
        return 0;
    if (is_full(own)) {
        own->more = true;
        return 0;
    }
    struct kv_record record = {
        .key = stored.key, .version = stored.version, .deadline = stored.deadline};
    return add_record(apply, own, record, stored.packed);
}

/* Not before where the list begins? */
static bool is_above(struct str after, struct str prefix)
{
    size_t least = after.len < prefix.len ? after.len : prefix.len;
    int order = least ? memcmp(after.data, prefix.data, least) : 0;
    return order > 0 || (order == 0 && after.len >= prefix.len);
}

int kv_list_apply(struct apply *apply, struct kv_op *own)
{
    struct kv_place first, from;
    struct str place, bytes;
    kv_place_of(&first, own->key);
    first.len = own->key.len < KV_PLAIN ? 1 + own->key.len : 1 + KV_PLAIN;
    bool beyond = own->after.data != NULL && is_above(own->after, own->key);
    from = first;
    if (beyond)
        kv_place_of(&from, own->after);
    enum table_result found =
        table_seek(apply->txn, SPACE_KV, kv_place_str(&from), beyond, &place, &bytes);
    while (found == TABLE_FOUND && str_starts(place, kv_place_str(&first))) {
        if (add_listed(apply, own, place, bytes) < 0)
            return -1;
        if (own->more)
            break;
        found = table_seek(apply->txn, SPACE_KV, place, true, &place, &bytes);
    }
    place_records(own);
    return found == TABLE_FAILED ? -1 : 0;
}

/* ---- changes ---- */

static struct str version_key(unsigned char key[8], uint64_t version)
{
    table_put_u64(key, version);
    return (struct str){(const char *)key, 8};
}

/* The versions of the first and the last change that are known; 0, 0: there was none. */
static int bounds(struct apply *apply, uint64_t *oldest, uint64_t *newest)
{
    struct str key, value;
    *oldest = *newest = 0;
    enum table_result found =
        table_seek(apply->txn, SPACE_CHANGE, (struct str){NULL, 0}, false, &key, &value);
    if (found != TABLE_FOUND)
        return found;
    *oldest = key.len == 8 ? table_u64(key.data) : 0;
    found = table_last(apply->txn, SPACE_CHANGE, (struct str){NULL, 0}, &key, &value);
    if (found == TABLE_FOUND && key.len == 8)
        *newest = table_u64(key.data);
    return found == TABLE_FAILED ? -1 : 0;
}

/* A change whose value is not in the log: the key's own value, if it is still that one. Else a
 * later change will tell. */
static int add_long(struct apply *apply, struct kv_op *own, const struct kv_change *change)
{
    struct kv_place place;
    struct kv_stored stored;
    struct str bytes;
    kv_place_of(&place, change->key);
    enum table_result found = table_get(apply->txn, SPACE_KV, kv_place_str(&place), &bytes);
    if (found != TABLE_FOUND)
        return found;
    if (kv_stored_read(apply, kv_place_str(&place), bytes, &stored) < 0)
        return -1;
    if (stored.version != change->version)
        return 0;
    struct kv_record record = {
        .key = change->key, .version = change->version, .deadline = change->deadline};
    return add_record(apply, own, record, stored.packed);
}

static int add_change(struct apply *apply, struct kv_op *own, struct str key, struct str bytes)
{
    struct kv_change change;
    if (kv_change_read(apply, key, bytes, &change) < 0)
        return -1;
    own->version = change.version;
    if (!str_starts(change.key, own->key))
        return 0;
    if (change.how == KV_WRITTEN_LONG)
        return add_long(apply, own, &change);
    struct kv_record record = {.key = change.key,
                               .version = change.version,
                               .deadline = change.deadline,
                               .deleted = change.how == KV_DELETED};
    return add_record(apply, own, record, change.packed);
}

int kv_changes_apply(struct apply *apply, struct kv_op *own)
{
    unsigned char from[8];
    uint64_t oldest, newest;
    struct str key, bytes;
    if (bounds(apply, &oldest, &newest) < 0)
        return -1;
    if (own->since == KV_NOW) {
        own->version = newest;
        return 0;
    }
    if (own->since > newest || (oldest && own->since < oldest - 1)) {
        own->op.status = STORE_LOST;
        own->version = newest;
        return 0;
    }
    own->version = own->since;
    enum table_result found =
        table_seek(apply->txn, SPACE_CHANGE, version_key(from, own->version), true, &key, &bytes);
    while (found == TABLE_FOUND && !is_full(own)) {
        if (add_change(apply, own, key, bytes) < 0)
            return -1;
        found = table_seek(apply->txn, SPACE_CHANGE, version_key(from, own->version), true, &key,
                           &bytes);
    }
    own->more = found == TABLE_FOUND;
    place_records(own);
    return found == TABLE_FAILED ? -1 : 0;
}
