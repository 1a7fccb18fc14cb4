/* reply_record.c: requests: who asks, what they wait for, and the answer. */
#include "state/reply_record.h"

#include "state/queue_record.h"
#include "sys/boot.h"

enum reply_state { REQUEST_WAITS, REQUEST_ANSWERED, REQUEST_FAILED };
enum {
    HEAD = 1 + 2,
    ASKER = 8 + 8,
    ASKERS_MAX = UINT16_MAX, /* of a request; who comes then is not noted, and may be too late */
    WAITS = 4 + 1 + 8,       /* bytes of what it waits for */
    ANSWERED = 8,            /* bytes of the number of its answer */
    STORED = 1 + 16 + 8 + 8, /* bytes of an answer before what the results are */
};

static void put_hash(unsigned char *at, struct hash128 hash)
{
    table_put_u64(at, hash.high);
    table_put_u64(at + 8, hash.low);
}

static struct str request_key(unsigned char key[REPLY_KEY], const struct reply_set *set,
                              struct hash128 request)
{
    reply_key(key, set->number, REPLY_REQUEST);
    put_hash(key + REPLY_PREFIX, request);
    return (struct str){(const char *)key, REPLY_KEY};
}

struct str reply_number_key(unsigned char key[REPLY_NUMBER], uint32_t set, uint64_t number)
{
    reply_key(key, set, REPLY_ANSWER);
    table_put_u64(key + REPLY_PREFIX, number);
    return (struct str){(const char *)key, REPLY_NUMBER};
}

/* ---- reading ---- */

static int read_request(struct apply *apply, struct str record, struct reply_request *found)
{
    const unsigned char *bytes = (const unsigned char *)record.data;
    size_t askers = record.len >= HEAD ? (size_t)(bytes[1] << 8 | bytes[2]) * ASKER : 0;
    size_t at = HEAD + askers;
    bool waits = record.len && bytes[0] == REQUEST_WAITS;
    if (record.len < at + (waits ? WAITS : ANSWERED) || bytes[0] > REQUEST_FAILED)
        return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a reply set is damaged");
    *found = (struct reply_request){.answered = !waits,
                                    .failed = bytes[0] == REQUEST_FAILED,
                                    .askers = {record.data + HEAD, askers}};
    if (waits) {
        found->message = (struct reply_message){.queue = table_u32(bytes + at),
                                                .lane = bytes[at + 4],
                                                .seq = table_u64(bytes + at + 5)};
        return 1;
    }
    found->number = table_u64(bytes + at);
    return 1;
}

int reply_find(struct apply *apply, const struct reply_set *set, struct hash128 request,
               struct reply_request *found)
{
    unsigned char key[REPLY_KEY];
    struct str record;
    enum table_result there =
        table_get(apply->txn, SPACE_ANSWER, request_key(key, set, request), &record);
    return there == TABLE_FOUND ? read_request(apply, record, found) : (int)there;
}

int reply_read_stored(struct apply *apply, struct str record, struct reply_stored *stored)
{
    if (record.len <= STORED)
        return table_fail(apply->txn, ERR_NOT_USABLE, "a record of a reply set is damaged");
    *stored = (struct reply_stored){
        .failed = record.data[0] == REQUEST_FAILED,
        .request = {table_u64(record.data + 1), table_u64(record.data + 9)},
        .at = (int64_t)table_u64(record.data + 17),
        .count = table_u64(record.data + 25),
        .packed = {record.data + STORED, record.len - STORED},
    };
    return 0;
}

/* The set in which the request waits for that message. NULL: none, or the transaction has failed.
 */
static struct reply_set *find_waiting(struct apply *apply, const struct reply_ask *ask,
                                      const struct reply_message *message,
                                      struct reply_request *found)
{
    struct reply_set *set = reply_set_numbered(apply, ask->set);
    bool waits = set && reply_find(apply, set, ask->request, found) > 0 && !found->answered &&
                 found->message.queue == message->queue && found->message.seq == message->seq;
    return waits ? set : NULL;
}

int reply_waits(struct apply *apply, const struct reply_ask *ask,
                const struct reply_message *message)
{
    struct reply_request found;
    bool waits = find_waiting(apply, ask, message, &found);
    return apply->txn->failed ? -1 : waits;
}

/* ---- askers ---- */

/* Begin a record: its state, and who asks: those before, without the one given and without those
 * that are gone; then, with add, that one. How many. */
static size_t begin_record(struct buf *record, enum reply_state state, struct str before,
                           cell_holder asker, bool add)
{
    unsigned char head[HEAD] = {(unsigned char)state}, each[ASKER];
    uint64_t boot = boot_number();
    size_t count = 0;
    buf_add(record, head, HEAD);
    for (size_t at = 0; at < before.len; at += ASKER) {
        cell_holder holder = table_u64(before.data + at);
        bool same_boot = table_u64(before.data + at + 8) == boot;
        if (holder == asker && same_boot)
            continue;
        if (holder && (!same_boot || cell_holder_gone(holder)))
            continue;
        buf_add(record, before.data + at, ASKER);
        count++;
    }
    if (add && count < ASKERS_MAX) {
        table_put_u64(each, asker);
        table_put_u64(each + 8, boot);
        buf_add(record, each, ASKER);
        count++;
    }
    record->data[1] = (char)(count >> 8);
    record->data[2] = (char)count;
    return count;
}

/* What the record says behind its askers. */
static void add_rest(struct buf *record, const struct reply_request *found)
{
    unsigned char bytes[WAITS > ANSWERED ? WAITS : ANSWERED];
    if (!found->answered) {
        table_put_u32(bytes, found->message.queue);
        bytes[4] = (unsigned char)found->message.lane;
        table_put_u64(bytes + 5, found->message.seq);
        buf_add(record, bytes, WAITS);
        return;
    }
    table_put_u64(bytes, found->number);
    buf_add(record, bytes, ANSWERED);
}

static enum reply_state state_of(const struct reply_request *found)
{
    return !found->answered ? REQUEST_WAITS : found->failed ? REQUEST_FAILED : REQUEST_ANSWERED;
}

static bool asks(struct str askers, cell_holder asker)
{
    for (size_t at = 0; at < askers.len; at += ASKER) {
        if (table_u64(askers.data + at) == asker &&
            table_u64(askers.data + at + 8) == boot_number())
            return true;
    }
    return false;
}

/* ---- changes ---- */

static int put(struct apply *apply, const struct reply_set *set, struct hash128 request,
               const struct buf *record)
{
    unsigned char key[REPLY_KEY];
    return table_put(apply->txn, SPACE_ANSWER, request_key(key, set, request), buf_str(record));
}

/* Its answer is gone. */
static int remove_number(struct apply *apply, struct reply_set *set, uint64_t number)
{
    unsigned char key[REPLY_NUMBER];
    set->numbers.answered--;
    struct str own = reply_number_key(key, set->number, number);
    return table_remove(apply->txn, SPACE_ANSWER, own) == TABLE_FAILED ? -1 : 0;
}

int reply_join(struct apply *apply, const struct reply_set *set, struct hash128 request,
               cell_holder asker)
{
    struct reply_request found;
    int there = reply_find(apply, set, request, &found);
    if (there <= 0 || asks(found.askers, asker))
        return there < 0 ? -1 : 0;
    struct buf *record = queue_scratch(apply);
    begin_record(record, state_of(&found), found.askers, asker, true);
    add_rest(record, &found);
    return put(apply, set, request, record);
}

int reply_wait(struct apply *apply, struct reply_set *set, struct hash128 request,
               cell_holder asker, const struct reply_message *message)
{
    struct reply_request found = {0}, now = {.message = *message};
    int there = reply_find(apply, set, request, &found);
    if (there < 0)
        return -1;
    struct buf *record = queue_scratch(apply);
    begin_record(record, REQUEST_WAITS, found.askers, asker, true);
    add_rest(record, &now);
    set->numbers.open += !there;
    set->dirty = true;
    if (found.answered && remove_number(apply, set, found.number) < 0)
        return -1;
    return put(apply, set, request, record);
}

static int store_answer(struct apply *apply, const struct reply_set *set,
                        const struct reply_stored *stored, struct str lines)
{
    unsigned char key[REPLY_NUMBER], head[STORED];
    struct buf *record = queue_scratch(apply);
    head[0] = stored->failed ? REQUEST_FAILED : REQUEST_ANSWERED;
    put_hash(head + 1, stored->request);
    table_put_u64(head + 17, (uint64_t)stored->at);
    table_put_u64(head + 25, stored->count);
    buf_add(record, head, sizeof head);
    apply_pack(record, lines);
    return table_put(apply->txn, SPACE_ANSWER,
                     reply_number_key(key, set->number, set->numbers.last), buf_str(record));
}

int reply_answer(struct apply *apply, const struct reply_ask *ask,
                 const struct reply_message *message, bool failed, uint64_t count, struct str lines)
{
    struct reply_request found;
    struct reply_set *set = find_waiting(apply, ask, message, &found);
    if (!set)
        return apply->txn->failed ? -1 : 0;
    struct reply_request now = {.answered = true, .failed = failed, .number = ++set->numbers.last};
    struct reply_stored stored = {
        .request = ask->request, .failed = failed, .at = apply->wall, .count = count};
    struct buf *record = queue_scratch(apply);
    buf_add(record, &(char){(char)state_of(&now)}, 1);
    buf_add(record, found.askers.data - 2, 2 + found.askers.len);
    add_rest(record, &now);
    set->numbers.answered++;
    set->dirty = set->ring = true;
    if (put(apply, set, ask->request, record) < 0)
        return -1;
    return store_answer(apply, set, &stored, lines);
}

int reply_remove(struct apply *apply, struct reply_set *set, struct hash128 request,
                 const struct reply_request *found)
{
    unsigned char key[REPLY_KEY];
    set->numbers.open--;
    set->dirty = true;
    if (found->answered && remove_number(apply, set, found->number) < 0)
        return -1;
    struct str own = request_key(key, set, request);
    return table_remove(apply->txn, SPACE_ANSWER, own) == TABLE_FAILED ? -1 : 0;
}

int reply_leave(struct apply *apply, struct reply_set *set, struct hash128 request,
                cell_holder asker)
{
    struct reply_request found;
    int there = reply_find(apply, set, request, &found);
    if (there <= 0 || !asks(found.askers, asker))
        return there < 0 ? -1 : 0;
    struct buf *record = queue_scratch(apply);
    if (!begin_record(record, state_of(&found), found.askers, asker, false))
        return reply_remove(apply, set, request, &found);
    add_rest(record, &found);
    return put(apply, set, request, record);
}
