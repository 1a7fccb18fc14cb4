/* queue_place.c: where a message waits: in its lane, among the ready and delayed ones, in its
 * group.
 */
#include "state/queue_record.h"

enum { DELAYED_KEY = 4 + 8 + 8, GROUP_PREFIX = 4 + 16, GROUP_KEY = GROUP_PREFIX + 8 };

static unsigned rank_of(struct message_state state)
{
    return state.lane % LANE_INDEXED;
}

int queue_make_ready(struct apply *apply, struct queue *queue, uint64_t seq,
                     struct message_state state)
{
    unsigned char key[QUEUE_KEY], bytes[QUEUE_STATE];
    queue->numbers.ready++;
    queue->numbers.indexed++;
    queue->dirty = queue->ring = true;
    return table_put(apply->txn, SPACE_READY, queue_key(key, queue->number, rank_of(state), seq),
                     queue_state(bytes, state));
}

/* ---- later ---- */

static struct str delayed_key(unsigned char key[DELAYED_KEY], uint32_t queue, int64_t due,
                              uint64_t seq)
{
    table_put_u32(key, queue);
    table_put_u64(key + 4, (uint64_t)due);
    table_put_u64(key + 12, seq);
    return (struct str){(const char *)key, DELAYED_KEY};
}

int queue_make_delayed(struct apply *apply, struct queue *queue, uint64_t seq,
                       struct message_state state, int64_t due)
{
    unsigned char key[DELAYED_KEY], bytes[QUEUE_STATE];
    if (due <= apply->wall)
        return queue_make_ready(apply, queue, seq, state);
    queue->numbers.delayed++;
    queue->dirty = queue->ring = true; /* who waits for the next due one may have to wait less */
    return table_put(apply->txn, SPACE_DELAYED, delayed_key(key, queue->number, due, seq),
                     queue_state(bytes, state));
}

/* The delayed one that is due first. 1, 0: there is none, -1. */
static int first_delayed(struct apply *apply, const struct queue *queue, int64_t *due,
                         uint64_t *seq, struct message_state *state)
{
    unsigned char from[DELAYED_KEY];
    struct str key, value;
    if (!queue->numbers.delayed)
        return 0;
    enum table_result found = table_seek(
        apply->txn, SPACE_DELAYED, delayed_key(from, queue->number, 0, 0), false, &key, &value);
    if (found != TABLE_FOUND || key.len != DELAYED_KEY || table_u32(key.data) != queue->number)
        return found == TABLE_FAILED ? -1 : 0;
    *due = (int64_t)table_u64(key.data + 4);
    *seq = table_u64(key.data + 12);
    return queue_read_state(apply, value, state) < 0 ? -1 : 1;
}

static int remove_delayed(struct apply *apply, struct queue *queue, int64_t due, uint64_t seq)
{
    unsigned char key[DELAYED_KEY];
    queue->numbers.delayed--;
    queue->dirty = true;
    struct str own = delayed_key(key, queue->number, due, seq);
    return table_remove(apply->txn, SPACE_DELAYED, own) == TABLE_FAILED ? -1 : 0;
}

int queue_wake_due(struct apply *apply, struct queue *queue, int64_t *next_due)
{
    struct message_state state;
    uint64_t seq;
    int64_t due;
    int found, woken = 0;
    *next_due = 0;
    while ((found = first_delayed(apply, queue, &due, &seq, &state)) > 0) {
        if (due > apply->wall || woken == QUEUE_SWEEP) {
            *next_due = due;
            break;
        }
        if (remove_delayed(apply, queue, due, seq) < 0 ||
            queue_make_ready(apply, queue, seq, state) < 0)
            return -1;
        woken++;
    }
    return found < 0 ? -1 : woken;
}

/* ---- groups ---- */

static struct str group_key(unsigned char key[GROUP_KEY], uint32_t queue, struct hash128 group,
                            uint64_t seq)
{
    table_put_u32(key, queue);
    table_put_u64(key + 4, group.high);
    table_put_u64(key + 12, group.low);
    table_put_u64(key + 20, seq);
    return (struct str){(const char *)key, GROUP_KEY};
}

/* The oldest of the group. 1, 0: nobody is in it, -1. */
static int first_of_group(struct apply *apply, const struct queue *queue, struct hash128 group,
                          uint64_t *seq, struct str *value)
{
    unsigned char from[GROUP_KEY];
    struct str key;
    struct str at = group_key(from, queue->number, group, 0);
    enum table_result found = table_seek(apply->txn, SPACE_GROUP, at, false, &key, value);
    if (found != TABLE_FOUND || key.len != GROUP_KEY || memcmp(key.data, from, GROUP_PREFIX) != 0)
        return found == TABLE_FAILED ? -1 : 0;
    *seq = table_u64(key.data + GROUP_PREFIX);
    return 1;
}

int queue_join_group(struct apply *apply, struct queue *queue, struct hash128 group, uint64_t seq,
                     struct message_state state, int64_t due)
{
    unsigned char key[GROUP_KEY], record[QUEUE_STATE + 8];
    struct str value;
    uint64_t first;
    int found = first_of_group(apply, queue, group, &first, &value);
    queue_state(record, state);
    table_put_u64(record + QUEUE_STATE, (uint64_t)due);
    value = (struct str){(const char *)record, sizeof record};
    struct str own = group_key(key, queue->number, group, seq);
    if (found < 0 || table_put(apply->txn, SPACE_GROUP, own, value) < 0)
        return -1;
    return found ? 0 : queue_make_delayed(apply, queue, seq, state, due);
}

/* It has left the group, whose next one may come forward. */
static int leave_group(struct apply *apply, struct queue *queue, struct hash128 group, uint64_t seq)
{
    unsigned char key[GROUP_KEY];
    struct message_state state;
    struct str value, own = group_key(key, queue->number, group, seq);
    uint64_t next;
    if (table_remove(apply->txn, SPACE_GROUP, own) == TABLE_FAILED)
        return -1;
    int found = first_of_group(apply, queue, group, &next, &value);
    if (found <= 0)
        return found;
    if (queue_read_state(apply, value, &state) < 0)
        return -1;
    int64_t due = value.len >= QUEUE_STATE + 8 ? (int64_t)table_u64(value.data + QUEUE_STATE) : 0;
    return queue_make_delayed(apply, queue, next, state, due);
}

/* ---- the first one ---- */

/* The first in SPACE_READY from that place on. */
static int first_indexed(struct apply *apply, const struct queue *queue, unsigned rank,
                         uint64_t seq, struct queue_first *first)
{
    unsigned char from[QUEUE_KEY];
    struct str key, value;
    if (!queue->numbers.indexed)
        return 0;
    enum table_result found = table_seek(
        apply->txn, SPACE_READY, queue_key(from, queue->number, rank, seq), false, &key, &value);
    if (found != TABLE_FOUND || key.len != QUEUE_KEY || table_u32(key.data) != queue->number)
        return found == TABLE_FAILED ? -1 : 0;
    first->indexed = true;
    first->rank = (unsigned char)key.data[4];
    first->seq = table_u64(key.data + 5);
    return queue_read_state(apply, value, &first->state) < 0 ? -1 : 1;
}

/* The first plain message of that rank or a later one, with its record; next says from where on. */
static int first_plain(struct apply *apply, const struct queue *queue, unsigned rank,
                       const uint64_t *next, struct queue_first *first)
{
    unsigned char from[QUEUE_KEY];
    struct str key;
    for (; rank < QUEUE_PRIORITIES; rank++) {
        if (next[rank] >= queue->numbers.end[rank])
            continue;
        struct str at = queue_key(from, queue->number, rank, next[rank]);
        enum table_result found =
            table_seek(apply->txn, SPACE_MESSAGE, at, false, &key, &first->record);
        if (found == TABLE_FAILED)
            return -1;
        if (found == TABLE_ABSENT || key.len != QUEUE_KEY || memcmp(key.data, from, 5) != 0)
            continue;
        first->indexed = false;
        first->rank = rank;
        first->seq = table_u64(key.data + 5);
        bool asks = first->record.len && first->record.data[0] & MESSAGE_ASKS;
        first->state =
            (struct message_state){.lane = (unsigned char)rank, .flags = asks ? STATE_ASKS : 0};
        return 1;
    }
    return 0;
}

static bool comes_before(const struct queue_first *a, const struct queue_first *b)
{
    return a->rank < b->rank || (a->rank == b->rank && a->seq < b->seq);
}

/* The record of one that was found by its place in SPACE_READY. */
static int find_record(struct apply *apply, const struct queue *queue, struct queue_first *first)
{
    unsigned char key[QUEUE_KEY];
    struct str at = queue_key(key, queue->number, first->state.lane, first->seq);
    if (table_get(apply->txn, SPACE_MESSAGE, at, &first->record) == TABLE_FOUND)
        return 1;
    return table_fail(apply->txn, ERR_NOT_USABLE, "a message of a queue is missing");
}

/* The first of both kinds, from those places on. 1, 0, -1. */
static int find_from(struct apply *apply, const struct queue *queue, unsigned rank, uint64_t seq,
                     const uint64_t *next, struct queue_first *first)
{
    struct queue_first plain;
    int indexed = first_indexed(apply, queue, rank, seq, first);
    int other = indexed < 0 ? -1 : first_plain(apply, queue, 0, next, &plain);
    if (other < 0)
        return -1;
    if (indexed && (!other || comes_before(first, &plain)))
        return find_record(apply, queue, first);
    if (other)
        *first = plain;
    return other;
}

int queue_find_first(struct apply *apply, struct queue *queue, struct queue_first *first)
{
    return find_from(apply, queue, 0, 0, queue->numbers.next, first);
}

int queue_walk_on(struct apply *apply, struct queue *queue, struct queue_walk *walk,
                  struct queue_first *first)
{
    if (!walk->begun)
        memcpy(walk->next, queue->numbers.next, sizeof walk->next);
    walk->begun = true;
    int found = find_from(apply, queue, walk->rank, walk->seq, walk->next, first);
    if (found <= 0)
        return found;
    if (first->indexed) {
        walk->rank = first->rank;
        walk->seq = first->seq + 1;
    } else {
        walk->next[first->rank] = first->seq + 1;
    }
    return 1;
}

int queue_take_first(struct apply *apply, struct queue *queue, const struct queue_first *first)
{
    unsigned char key[QUEUE_KEY];
    queue->numbers.ready--;
    queue->dirty = true;
    if (!first->indexed) {
        queue->numbers.next[first->rank] = first->seq + 1;
        return 0;
    }
    queue->numbers.indexed--;
    struct str at = queue_key(key, queue->number, first->rank, first->seq);
    return table_remove(apply->txn, SPACE_READY, at) == TABLE_FAILED ? -1 : 0;
}

/* ---- gone ---- */

static int erase_failure(struct apply *apply, const struct queue *queue, uint64_t seq)
{
    unsigned char key[QUEUE_KEY];
    struct str at = queue_key(key, queue->number, LANE_FAILURE, seq);
    return table_remove(apply->txn, SPACE_MESSAGE, at) == TABLE_FAILED ? -1 : 0;
}

int queue_erase(struct apply *apply, struct queue *queue, uint64_t seq, struct message_state state)
{
    unsigned char key[QUEUE_KEY];
    struct message message = {0};
    struct str record, at = queue_key(key, queue->number, state.lane, seq);
    if (state.flags & STATE_GROUPED) {
        enum table_result found = table_get(apply->txn, SPACE_MESSAGE, at, &record);
        if (found == TABLE_FAILED ||
            (found == TABLE_FOUND && queue_read_message(apply, record, &message) < 0))
            return -1;
    }
    if (table_remove(apply->txn, SPACE_MESSAGE, at) == TABLE_FAILED)
        return -1;
    queue->numbers.stored--;
    queue->dirty = true;
    if (state.flags & STATE_FAILED && erase_failure(apply, queue, seq) < 0)
        return -1;
    return message.flags & MESSAGE_GROUPED ? leave_group(apply, queue, message.group, seq) : 0;
}

/* The oldest one that is ready. 1, 0, -1. */
static int oldest_ready(struct apply *apply, const struct queue *queue, struct queue_first *oldest)
{
    int any = 0;
    for (unsigned rank = 0; rank < QUEUE_PRIORITIES; rank++) {
        struct queue_first found[2];
        int indexed = first_indexed(apply, queue, rank, 0, &found[0]);
        int plain =
            indexed < 0 ? -1 : first_plain(apply, queue, rank, queue->numbers.next, &found[1]);
        if (plain < 0)
            return -1;
        for (int i = 0; i < 2; i++) {
            if ((i ? plain : indexed) && (!any || found[i].seq < oldest->seq)) {
                *oldest = found[i];
                any = 1;
            }
        }
    }
    return any;
}

static int refuse_for_room(struct apply *apply, const struct queue *queue,
                           const struct queue_first *oldest)
{
    unsigned char key[QUEUE_KEY];
    struct str record, at = queue_key(key, queue->number, oldest->state.lane, oldest->seq);
    enum table_result found = table_get(apply->txn, SPACE_MESSAGE, at, &record);
    return found == TABLE_FOUND ? queue_refuse_removed(apply, at, record, true) : (int)found;
}

int queue_drop_oldest(struct apply *apply, struct queue *queue)
{
    struct queue_first oldest;
    int found = oldest_ready(apply, queue, &oldest);
    if (found > 0 && queue_take_first(apply, queue, &oldest) < 0)
        return -1;
    if (found == 0) {
        int64_t due;
        found = first_delayed(apply, queue, &due, &oldest.seq, &oldest.state);
        if (found > 0 && remove_delayed(apply, queue, due, oldest.seq) < 0)
            return -1;
    }
    if (found <= 0)
        return found;
    queue->numbers.dropped++;
    if (oldest.state.flags & STATE_ASKS && refuse_for_room(apply, queue, &oldest) < 0)
        return -1;
    return queue_erase(apply, queue, oldest.seq, oldest.state) < 0 ? -1 : 1;
}
