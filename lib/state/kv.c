/* kv.c: values by key, with versions and times to live: what writes and reads one of them. */
#include "state/kv.h"

#include "base/mem.h"
#include "format/json_merge.h"
#include "state/kv_list.h"
#include "state/kv_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct present {
    bool there;
    struct kv_stored stored;   /* valid until something is written */
    bool recorded;             /* there is a record, perhaps past its deadline */
    int64_t recorded_deadline; /* of that */
    uint64_t recorded_version;
};

static struct kv_op *kv_of(struct store_op *op)
{
    return (struct kv_op *)(void *)op;
}

/* It cannot be done as it is: why says so. */
static int refuse(struct kv_op *own)
{
    own->op.status = STORE_NOT_APPLIED;
    own->op.err = &own->why;
    return 0;
}

static int look(struct apply *apply, struct kv_op *own, const struct kv_place *place,
                struct present *present)
{
    struct str bytes;
    struct kv_stored *stored = &present->stored;
    *present = (struct present){0};
    enum table_result found = table_get(apply->txn, SPACE_KV, kv_place_str(place), &bytes);
    if (found != TABLE_FOUND)
        return found;
    if (kv_stored_read(apply, kv_place_str(place), bytes, stored) < 0)
        return -1;
    if (!str_eq(stored->key, own->key))
        return table_fail(apply->txn, ERR_NOT_USABLE, "two long keys have the same hash");
    present->recorded = true;
    present->recorded_deadline = stored->deadline;
    present->recorded_version = stored->version;
    present->there = !kv_is_past(apply, stored);
    return 0;
}

/* ---- reading ---- */

static int answer(struct apply *apply, struct kv_op *own, const struct kv_stored *stored)
{
    struct str value;
    own->version = stored->version;
    own->expires = stored->deadline;
    own->nonce = stored->nonce;
    if (apply_unpack(apply, stored->packed, &own->answer, &value) < 0)
        return -1;
    if (value.data != own->answer.data) {
        buf_clear(&own->answer);
        buf_add_str(&own->answer, value);
    }
    return 0;
}

static int get(struct apply *apply, struct kv_op *own, const struct present *present)
{
    if (present->there)
        return answer(apply, own, &present->stored);
    own->op.status = STORE_ABSENT;
    return 0;
}

/* ---- writing ---- */

static int write_value(struct apply *apply, struct kv_op *own, const struct kv_place *place,
                       const struct present *present, struct str value, int64_t deadline)
{
    struct kv_stored stored = {.key = own->key, .deadline = deadline, .nonce = own->nonce};
    if (value.len > STORE_VALUE_MAX) {
        err_set(&own->why, ERR_LIMIT, "the value is longer than %d bytes", STORE_VALUE_MAX);
        return refuse(own);
    }
    stored.version = apply_number(apply, "versions");
    struct kv_change change = {
        .how = value.len > KV_LOG_VALUE ? KV_WRITTEN_LONG : KV_WRITTEN,
        .version = stored.version,
        .deadline = deadline,
        .key = own->key,
    };
    if (!stored.version ||
        kv_expiry_remove(apply, present->recorded_deadline, present->recorded_version) < 0 ||
        kv_stored_write(apply, place, &stored, value) < 0 ||
        kv_change_write(apply, &change, value) < 0)
        return -1;
    own->version = stored.version;
    own->expires = deadline;
    apply_ring(apply, "kv", STR(""));
    return kv_sweep(apply);
}

static int del(struct apply *apply, struct kv_op *own, const struct kv_place *place,
               const struct present *present)
{
    struct kv_change change = {.how = KV_DELETED, .key = own->key};
    if (!present->there) {
        own->op.status = STORE_ABSENT;
        return 0;
    }
    if (own->expected && own->expected != present->stored.version) {
        own->op.status = STORE_CONFLICT;
        own->version = present->stored.version;
        return 0;
    }
    change.version = apply_number(apply, "versions");
    if (!change.version ||
        kv_stored_remove(apply, place, present->recorded_deadline, present->recorded_version) < 0 ||
        kv_change_write(apply, &change, (struct str){NULL, 0}) < 0)
        return -1;
    own->version = change.version;
    apply_ring(apply, "kv", STR(""));
    return kv_sweep(apply);
}

static int write_if(struct apply *apply, struct kv_op *own, const struct kv_place *place,
                    const struct present *present, uint64_t expected)
{
    uint64_t version = present->there ? present->stored.version : 0;
    if (version == expected)
        return write_value(apply, own, place, present, own->value, own->deadline);
    own->op.status = STORE_CONFLICT;
    own->version = version;
    return 0;
}

static bool is_integer(struct str text)
{
    for (size_t i = text.len && text.data[0] == '-'; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return text.len;
}

int kv_sum(struct str old, int64_t number, struct buf *out, struct err *err)
{
    enum { DIGITS = 24 };
    char text[DIGITS] = "0";
    int64_t sum;
    if (old.data && !is_integer(old))
        return err_set(err, ERR_INPUT, "the value is not a whole number");
    if (old.len >= sizeof text)
        return err_set(err, ERR_INPUT, "the value is too large to be counted");
    if (old.data)
        snprintf(text, sizeof text, "%.*s", (int)old.len, old.data);
    errno = 0;
    long long before = strtoll(text, NULL, 10);
    if (errno)
        return err_set(err, ERR_INPUT, "the value is too large to be counted");
    if (__builtin_add_overflow(before, number, &sum))
        return err_set(err, ERR_INPUT, "the sum is too large");
    buf_addf(out, "%lld", (long long)sum);
    return 0;
}

/* The value that is there, changed; the new one is the answer. */
static int change(struct apply *apply, struct kv_op *own, const struct kv_place *place,
                  const struct present *present)
{
    struct buf scratch = {0};
    struct str old = {NULL, 0};
    int64_t deadline = own->deadline;
    int status = 0;
    if (present->there) {
        status = apply_unpack(apply, present->stored.packed, &scratch, &old);
        deadline = deadline ? deadline : present->stored.deadline;
    }
    if (status == 0) {
        int made = own->verb == KV_INCR ? kv_sum(old, own->number, &own->answer, &own->why)
                                        : json_merge(old, own->value, &own->answer, &own->why);
        status = made < 0
                     ? refuse(own)
                     : write_value(apply, own, place, present, buf_str(&own->answer), deadline);
    }
    buf_free(&scratch);
    return status;
}

static int apply_write(struct apply *apply, struct kv_op *own, const struct kv_place *place,
                       const struct present *present)
{
    if (present->there && own->nonce && present->stored.nonce == own->nonce)
        return answer(apply, own, &present->stored);
    switch (own->verb) {
    case KV_PUT:
        return write_value(apply, own, place, present, own->value, own->deadline);
    case KV_ADD:
        return write_if(apply, own, place, present, 0);
    case KV_CAS:
        return write_if(apply, own, place, present, own->expected);
    case KV_DEL:
        return del(apply, own, place, present);
    default:
        return change(apply, own, place, present);
    }
}

int kv_apply(struct apply *apply, struct store_op *op)
{
    struct kv_op *own = kv_of(op);
    struct kv_place place;
    struct present present;
    buf_clear(&own->answer);
    own->count = 0;
    own->more = false;
    if (own->verb == KV_LIST)
        return kv_list_apply(apply, own);
    if (own->verb == KV_CHANGES)
        return kv_changes_apply(apply, own);
    if (own->key.len > KV_KEY) {
        err_set(&own->why, ERR_LIMIT, "the key is longer than %d bytes", KV_KEY);
        return refuse(own);
    }
    kv_place_of(&place, own->key);
    if (look(apply, own, &place, &present) < 0)
        return -1;
    return own->verb == KV_GET ? get(apply, own, &present)
                               : apply_write(apply, own, &place, &present);
}

void kv_submit(struct store *store, struct kv_op *op)
{
    enum { RECORD = 128 };
    op->op.kind = STORE_KV;
    op->op.reads = op->verb == KV_GET || op->verb == KV_LIST || op->verb == KV_CHANGES;
    op->op.cost = 2 * (op->key.len + op->value.len) + RECORD;
    store_submit(store, &op->op);
}

void kv_op_free(struct kv_op *op)
{
    buf_free(&op->answer);
    free(op->records);
    op->records = NULL;
    op->count = 0;
}
