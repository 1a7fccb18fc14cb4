/*
 * kv_record.h: how values by key lie in the records. Internal to lib/state.
 *
 * SPACE_KV: "k", the key (if it is longer than KV_PLAIN bytes only so many, and its hash (16)) ->
 *     version (8), deadline (8), nonce (8), of a long key its length (4) and itself, value (packed)
 * SPACE_EXPIRY: deadline (8), version (8) -> the key of SPACE_KV
 * SPACE_CHANGE: version (8) -> how (1), deadline (8), length of the key (4), key, value (packed) if
 *     it is there
 */
#ifndef FIT_STATE_KV_RECORD_H
#define FIT_STATE_KV_RECORD_H

#include "state/apply.h"
#include "state/kv.h"

/* Where a key's record is: the key of SPACE_KV. */
struct kv_place {
    unsigned char bytes[TABLE_KEY];
    size_t len;
};

struct kv_stored {
    struct str key; /* in full */
    uint64_t version;
    int64_t deadline;
    uint64_t nonce;
    struct str packed;
};

enum kv_how { KV_WRITTEN, KV_WRITTEN_LONG, KV_DELETED }; /* LONG: without its value */

struct kv_change {
    enum kv_how how;
    uint64_t version;
    int64_t deadline;
    struct str key, packed;
};

void kv_place_of(struct kv_place *place, struct str key);
struct str kv_place_str(const struct kv_place *place);

/* A record that was read. -1: it is damaged, the transaction has failed. */
int kv_stored_read(struct apply *apply, struct str place, struct str bytes,
                   struct kv_stored *stored);
int kv_change_read(struct apply *apply, struct str version, struct str bytes,
                   struct kv_change *change);

/* Has it outlived its time? */
bool kv_is_past(const struct apply *apply, const struct kv_stored *stored);

/* Write them. -1: the transaction has failed. */
int kv_stored_write(struct apply *apply, const struct kv_place *place,
                    const struct kv_stored *stored, struct str value);
int kv_change_write(struct apply *apply, const struct kv_change *change, struct str value);

/* Remove a record, and what says when it will have outlived its time. */
int kv_stored_remove(struct apply *apply, const struct kv_place *place, int64_t deadline,
                     uint64_t version);
int kv_expiry_remove(struct apply *apply, int64_t deadline, uint64_t version);

/* Remove up to KV_SWEEP records that have outlived their time. */
int kv_sweep(struct apply *apply);

#endif
