/* queue_leases.c: leases: found, written, and ended when nobody holds them any more. */
#include "state/queue_record.h"

#include "base/mem.h"
#include "sys/boot.h"

#include <stdlib.h>

enum {
    LEASE_KEY = 4 + 8,
    LEASE_HEAD = 8 + 8 + 8,
    LEASED = 2 + 8 + QUEUE_STATE, /* bytes of a message in its lease */
};

static struct str lease_key(unsigned char key[LEASE_KEY], uint32_t queue, uint64_t token)
{
    table_put_u32(key, queue);
    table_put_u64(key + 4, token);
    return (struct str){(const char *)key, LEASE_KEY};
}

struct lease *queue_new_lease(struct queue *queue, unsigned room)
{
    struct lease *lease = mem_zalloc(sizeof *lease);
    lease->messages = mem_array(room ? room : 1, sizeof *lease->messages);
    lease->next = queue->leases;
    queue->leases = lease;
    return lease;
}

/* ---- records ---- */

static int decode(struct apply *apply, struct str record, struct lease *lease)
{
    lease->holder = table_u64(record.data);
    lease->boot = table_u64(record.data + 8);
    lease->deadline = (int64_t)table_u64(record.data + 16);
    for (size_t at = LEASE_HEAD; at + LEASED <= record.len; at += LEASED) {
        const unsigned char *bytes = (const unsigned char *)record.data + at;
        struct leased *leased = &lease->messages[lease->count++];
        leased->slot = (uint16_t)(bytes[0] << 8 | bytes[1]);
        leased->seq = table_u64(bytes + 2);
        struct str state = {(const char *)bytes + 10, QUEUE_STATE};
        if (queue_read_state(apply, state, &leased->state) < 0)
            return -1;
    }
    lease->left = lease->count;
    return 0;
}

struct lease *queue_find_lease(struct apply *apply, struct queue *queue, uint64_t token)
{
    unsigned char key[LEASE_KEY];
    struct lease *lease = queue->leases;
    struct str record;
    while (lease && lease->token != token)
        lease = lease->next;
    if (lease)
        return lease->left ? lease : NULL;
    enum table_result found =
        table_get(apply->txn, SPACE_LEASE, lease_key(key, queue->number, token), &record);
    if (found != TABLE_FOUND || record.len < LEASE_HEAD)
        return NULL;
    lease = queue_new_lease(queue, (unsigned)((record.len - LEASE_HEAD) / LEASED));
    lease->token = token;
    return decode(apply, record, lease) < 0 ? NULL : lease;
}

struct leased *queue_find_leased(struct lease *lease, uint32_t slot)
{
    unsigned low = 0, high = lease->count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (lease->messages[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    struct leased *leased = &lease->messages[low];
    return low < lease->count && leased->slot == slot && !leased->ended ? leased : NULL;
}

static int write_lease(struct apply *apply, const struct queue *queue, const struct lease *lease)
{
    unsigned char key[LEASE_KEY], bytes[LEASE_HEAD];
    struct buf *record = queue_scratch(apply);
    table_put_u64(bytes, lease->holder);
    table_put_u64(bytes + 8, lease->boot);
    table_put_u64(bytes + 16, (uint64_t)lease->deadline);
    buf_add(record, bytes, LEASE_HEAD);
    for (unsigned i = 0; i < lease->count; i++) {
        const struct leased *leased = &lease->messages[i];
        if (leased->ended)
            continue;
        bytes[0] = (unsigned char)(leased->slot >> 8);
        bytes[1] = (unsigned char)leased->slot;
        table_put_u64(bytes + 2, leased->seq);
        queue_state(bytes + 10, leased->state);
        buf_add(record, bytes, LEASED);
    }
    struct str own = lease_key(key, queue->number, lease->token);
    return table_put(apply->txn, SPACE_LEASE, own, buf_str(record));
}

int queue_flush_leases(struct apply *apply, struct queue *queue)
{
    unsigned char key[LEASE_KEY];
    for (struct lease *lease = queue->leases; lease; lease = lease->next) {
        if (!lease->dirty)
            continue;
        lease->dirty = false;
        struct str own = lease_key(key, queue->number, lease->token);
        if (lease->left ? write_lease(apply, queue, lease) < 0
                        : table_remove(apply->txn, SPACE_LEASE, own) == TABLE_FAILED)
            return -1;
    }
    return 0;
}

void queue_forget_leases(struct queue *queue)
{
    while (queue->leases) {
        struct lease *lease = queue->leases;
        queue->leases = lease->next;
        free(lease->messages);
        free(lease);
    }
}

/* ---- nobody holds it ---- */

static int give_back(struct apply *apply, struct queue *queue, uint64_t token)
{
    struct lease *lease = queue_find_lease(apply, queue, token);
    if (!lease)
        return apply->txn->failed ? -1 : 0;
    for (unsigned i = 0; i < lease->count; i++) {
        struct leased *leased = &lease->messages[i];
        if (leased->ended)
            continue;
        queue->numbers.in_flight--;
        if (queue_make_ready(apply, queue, leased->seq, leased->state) < 0)
            return -1;
    }
    lease->left = 0;
    lease->dirty = queue->dirty = queue->ring = true;
    return 0;
}

static void name_holder(struct queue_lease *asked, cell_holder holder)
{
    if (!holder || holder == asked->holder)
        return;
    for (size_t i = 0; i < asked->holder_count; i++) {
        if (asked->holders[i] == holder)
            return;
    }
    asked->holders =
        mem_realloc(asked->holders, (asked->holder_count + 1) * sizeof *asked->holders);
    asked->holders[asked->holder_count++] = holder;
}

static bool is_void(const struct apply *apply, struct str record, bool look)
{
    cell_holder holder = table_u64(record.data);
    return table_u64(record.data + 8) != boot_number() ||
           (int64_t)table_u64(record.data + 16) <= apply->now ||
           (look && holder && cell_holder_gone(holder));
}

/* Look at every lease: there are as many as workers have, not as many as messages. */
static int look_at_all(struct apply *apply, struct queue *queue, struct queue_lease *asked)
{
    unsigned char from[LEASE_KEY];
    struct str key, record, at = lease_key(from, queue->number, 0);
    enum table_result found;
    uint64_t soonest = 0;
    while ((found = table_seek(apply->txn, SPACE_LEASE, at, true, &key, &record)) == TABLE_FOUND &&
           key.len == LEASE_KEY && table_u32(key.data) == queue->number) {
        uint64_t token = table_u64(key.data + 4);
        if (record.len < LEASE_HEAD || is_void(apply, record, asked->look)) {
            if (give_back(apply, queue, token) < 0)
                return -1;
        } else {
            uint64_t deadline = table_u64(record.data + 16);
            soonest = !soonest || deadline < soonest ? deadline : soonest;
            name_holder(asked, table_u64(record.data));
        }
        at = lease_key(from, queue->number, token);
    }
    queue->numbers.soonest = soonest;
    queue->numbers.boot = boot_number();
    queue->dirty = true;
    return found == TABLE_FAILED ? -1 : queue_flush_leases(apply, queue);
}

int queue_reap(struct apply *apply, struct queue *queue, struct queue_lease *asked)
{
    struct queue_numbers *numbers = &queue->numbers;
    bool over = numbers->boot != boot_number() ||
                (numbers->soonest && (int64_t)numbers->soonest <= apply->now);
    if (!numbers->in_flight || (!over && !asked->look))
        return 0;
    return queue_flush_leases(apply, queue) < 0 ? -1 : look_at_all(apply, queue, asked);
}
