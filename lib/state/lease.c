/*
 * lease.c: names that one at a time holds.
 *
 * SPACE_LOCK: number of the name (4) -> token (8), deadline (8), holder (8), nonce (8). A lease
 * that was released has no record; the tokens are counted for all names.
 */
#include "state/lease.h"

#include "state/apply.h"

enum { KEY = 4, RECORD = 8 + 8 + 8 + 8 };

struct held {
    struct lease_held lease;
    uint64_t nonce;
};

static struct str key_of(unsigned char key[KEY], uint32_t number)
{
    table_put_u32(key, number);
    return (struct str){(const char *)key, KEY};
}

static bool is_over(const struct apply *apply, const struct lease_held *lease)
{
    return lease->holder ? cell_holder_gone(lease->holder) : lease->deadline <= apply->wall;
}

/* A lease that is over counts as none. */
static enum table_result look(struct apply *apply, uint32_t number, struct held *held)
{
    unsigned char key[KEY];
    struct str value;
    enum table_result found = table_get(apply->txn, SPACE_LOCK, key_of(key, number), &value);
    if (found != TABLE_FOUND)
        return found;
    if (value.len != RECORD) {
        table_fail(apply->txn, ERR_NOT_USABLE, "the record of a lease is damaged");
        return TABLE_FAILED;
    }
    *held = (struct held){{.token = table_u64(value.data),
                           .deadline = (int64_t)table_u64(value.data + 8),
                           .holder = table_u64(value.data + 16)},
                          .nonce = table_u64(value.data + 24)};
    return is_over(apply, &held->lease) ? TABLE_ABSENT : TABLE_FOUND;
}

static int write_lease(struct apply *apply, uint32_t number, const struct held *held)
{
    unsigned char key[KEY], record[RECORD];
    table_put_u64(record, held->lease.token);
    table_put_u64(record + 8, (uint64_t)held->lease.deadline);
    table_put_u64(record + 16, held->lease.holder);
    table_put_u64(record + 24, held->nonce);
    return table_put(apply->txn, SPACE_LOCK, key_of(key, number),
                     (struct str){(const char *)record, RECORD});
}

static int acquire(struct apply *apply, struct lease_op *own, uint32_t number)
{
    struct held held;
    enum table_result found = look(apply, number, &held);
    if (found == TABLE_FAILED)
        return -1;
    if (found == TABLE_FOUND && own->nonce && held.nonce == own->nonce) {
        own->token = held.lease.token;
        return 0;
    }
    if (found == TABLE_FOUND) {
        own->op.status = STORE_CONFLICT;
        own->held = held.lease;
        return 0;
    }
    own->token = apply_number(apply, "tokens");
    struct held fresh = {{own->token, own->deadline, own->holder}, own->nonce};
    return own->token ? write_lease(apply, number, &fresh) : -1;
}

static int change(struct apply *apply, struct lease_op *own, uint32_t number)
{
    unsigned char key[KEY];
    struct held held;
    enum table_result found = look(apply, number, &held);
    if (found != TABLE_FOUND || held.lease.token != own->token) {
        own->op.status = STORE_LOST;
        return found == TABLE_FAILED ? -1 : 0;
    }
    if (own->verb == LEASE_RENEW) {
        held.lease.deadline = own->deadline;
        return write_lease(apply, number, &held);
    }
    apply_ring(apply, "lease", own->name);
    return table_remove(apply->txn, SPACE_LOCK, key_of(key, number)) == TABLE_FAILED ? -1 : 0;
}

static int look_only(struct apply *apply, struct lease_op *own, uint32_t number)
{
    struct held held;
    enum table_result found = number ? look(apply, number, &held) : TABLE_ABSENT;
    if (found == TABLE_FOUND)
        own->held = held.lease;
    else
        own->op.status = STORE_ABSENT;
    return found == TABLE_FAILED || apply->txn->failed ? -1 : 0;
}

int lease_apply(struct apply *apply, struct store_op *op)
{
    struct lease_op *own = (struct lease_op *)(void *)op;
    uint32_t number = apply_name(apply, "lease", own->name, own->verb == LEASE_ACQUIRE);
    own->held = (struct lease_held){0};
    if (own->verb == LEASE_LOOK)
        return look_only(apply, own, number);
    if (number)
        return own->verb == LEASE_ACQUIRE ? acquire(apply, own, number)
                                          : change(apply, own, number);
    own->op.status = STORE_LOST;
    return apply->txn->failed ? -1 : 0;
}

void lease_submit(struct store *store, struct lease_op *op)
{
    op->op.kind = STORE_LEASE;
    op->op.reads = op->verb == LEASE_LOOK;
    op->op.cost = KEY + RECORD + op->name.len;
    store_submit(store, &op->op);
}
