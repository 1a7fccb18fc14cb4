/*
 * fanin_past.c: groups that are over: removed, remembered for a while, and forgotten.
 *
 * What a group had is kept with its entry: ranges of places, of which a complete group has one, and
 * the hashes of ids.
 */
#include "state/fanin_record.h"

enum { RANGE = 8 + 8, ID = 16 };

struct retiring {
    struct buf ranges, ids;
    uint64_t begin, end; /* the range that is being built; empty at first */
};

static void add_range(struct retiring *all)
{
    unsigned char range[RANGE];
    table_put_u64(range, all->begin);
    table_put_u64(range + 8, all->end);
    if (all->end > all->begin)
        buf_add(&all->ranges, range, sizeof range);
}

/* What stands behind the head of its key. Parts and ids come in their order. */
static void note_had(struct retiring *all, struct str rest)
{
    if (rest.len == FANIN_ID - FANIN_HEAD)
        buf_add(&all->ids, rest.data + 1, ID);
    if (rest.len != FANIN_PLACE - FANIN_HEAD)
        return;
    uint64_t place = table_u64(rest.data + 1);
    if (place != all->end) {
        add_range(all);
        all->begin = place;
    }
    all->end = place + 1;
}

static int remove_records(struct apply *apply, const struct fanin *fanin, uint64_t seq,
                          struct retiring *all)
{
    unsigned char from[FANIN_HEAD], own[FANIN_ID];
    struct str key, record, first = fanin_head_key(from, fanin, seq);
    enum table_result found;
    while ((found = table_seek(apply->txn, SPACE_PART, first, false, &key, &record)) ==
               TABLE_FOUND &&
           str_starts(key, first)) {
        if (key.len > sizeof own)
            return fanin_damaged(apply);
        memcpy(own, key.data, key.len);
        struct str at = {(const char *)own, key.len};
        note_had(all, (struct str){at.data + FANIN_HEAD, at.len - FANIN_HEAD});
        if (table_remove(apply->txn, SPACE_PART, at) == TABLE_FAILED)
            return -1;
    }
    add_range(all);
    return found == TABLE_FAILED ? -1 : 0;
}

static int remember(struct apply *apply, struct fanin *fanin, const struct fanin_head *head,
                    struct str key, int64_t until, const struct retiring *all)
{
    unsigned char count[4], at[FANIN_KEY];
    struct buf had = {0};
    struct str name = buf_str(&head->name);
    table_put_u32(count, (uint32_t)(all->ranges.len / RANGE));
    buf_add(&had, count, sizeof count);
    buf_add_str(&had, buf_str(&all->ranges));
    buf_add_str(&had, buf_str(&all->ids));
    struct fanin_entry entry = {
        .seq = head->seq, .until = until, .past = head->group, .key = key, .had = buf_str(&had)};
    int status = fanin_write_entry(apply, fanin, name, &entry);
    buf_free(&had);
    fanin->numbers.remembered++;
    fanin->dirty = true;
    struct str time = fanin_key2(at, fanin, 'f', (uint64_t)until, head->seq);
    return status < 0 ? -1 : table_put(apply->txn, SPACE_FANIN, time, name);
}

/* The text of a key that was hashed, before it is removed. */
static int read_key(struct apply *apply, struct fanin *fanin, const struct fanin_head *head,
                    struct buf *key)
{
    struct str text = {NULL, 0};
    if (head->name.data[0] == 'h' && fanin_read_text(apply, fanin, head, &text) < 0)
        return -1;
    buf_add_str(key, text);
    return 0;
}

static int retire(struct apply *apply, struct fanin *fanin, const struct fanin_head *head,
                  struct str key, int64_t until)
{
    struct fanin_entry entry;
    struct retiring all = {0};
    struct str name = buf_str(&head->name);
    int status = remove_records(apply, fanin, head->seq, &all);
    int found = status < 0 ? -1 : fanin_find(apply, fanin, name, &entry);
    /* Else there is a newer group of this key, or was. */
    if (found > 0 && entry.seq == head->seq)
        found = until > apply->wall ? remember(apply, fanin, head, key, until, &all)
                                    : fanin_remove_entry(apply, fanin, name);
    buf_free(&all.ranges);
    buf_free(&all.ids);
    return found < 0 ? -1 : 0;
}

int fanin_retire(struct apply *apply, struct fanin *fanin, uint64_t seq, int64_t until)
{
    struct fanin_head head = {.seq = seq};
    struct buf key = {0};
    int status = fanin_read_head(apply, fanin, &head);
    if (status == 0 && (status = read_key(apply, fanin, &head, &key)) == 0)
        status = retire(apply, fanin, &head, buf_str(&key), until);
    buf_free(&head.name);
    buf_free(&key);
    return status;
}

/* ---- looking ---- */

static bool had_place(struct str ranges, uint64_t place)
{
    size_t low = 0, high = ranges.len / RANGE; /* the first that ends behind it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table_u64(ranges.data + middle * RANGE + 8) <= place)
            low = middle + 1;
        else
            high = middle;
    }
    return low * RANGE < ranges.len && table_u64(ranges.data + low * RANGE) <= place;
}

static bool had_id(struct str ids, struct hash128 id)
{
    unsigned char own[ID];
    size_t low = 0, high = ids.len / ID;
    table_put_u64(own, id.high);
    table_put_u64(own + 8, id.low);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(ids.data + middle * ID, own, ID);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool fanin_had(const struct fanin_entry *entry, const struct fanin_add *add, struct hash128 id)
{
    struct str had = entry->had;
    size_t ranges = had.len >= 4 ? (size_t)table_u32(had.data) * RANGE : 0;
    if (had.len < 4 + ranges)
        return false;
    if (add->indexed)
        return had_place((struct str){had.data + 4, ranges}, add->index);
    struct str ids = {had.data + 4 + ranges, had.len - 4 - ranges};
    return add->id.data && had_id(ids, id);
}

/* ---- forgetting ---- */

int fanin_forget_one(struct apply *apply, struct fanin *fanin, struct str name, uint64_t seq,
                     int64_t until)
{
    unsigned char key[FANIN_KEY];
    fanin->numbers.remembered--;
    fanin->dirty = true;
    struct str time = fanin_key2(key, fanin, 'f', (uint64_t)until, seq);
    if (table_remove(apply->txn, SPACE_FANIN, time) == TABLE_FAILED)
        return -1;
    return fanin_remove_entry(apply, fanin, name);
}

int fanin_forget_some(struct apply *apply, struct fanin *fanin, uint64_t keep, unsigned most)
{
    unsigned char from[FANIN_KEY];
    struct str key, record, first = fanin_key2(from, fanin, 'f', 0, 0);
    struct buf name = {0};
    int found = 0;
    unsigned count = 0;
    while (fanin->numbers.remembered && count < most &&
           (found = fanin_first(apply, first, false, &key, &record)) > 0 &&
           ((int64_t)table_u64(key.data + 5) <= apply->wall ||
            (keep && fanin->numbers.remembered > keep))) {
        buf_clear(&name);
        buf_add_str(&name, record);
        count++;
        found = fanin_forget_one(apply, fanin, buf_str(&name), table_u64(key.data + 13),
                                 (int64_t)table_u64(key.data + 5));
        if (found < 0)
            break;
    }
    buf_free(&name);
    return found < 0 ? -1 : 0;
}
