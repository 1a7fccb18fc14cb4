/*
 * kv_update.h: read a value, change it, write it if nobody has changed it meanwhile, else again.
 *
 * It needs only KV_GET and KV_CAS, so it works on every engine. Somebody always gets through, so
 * it is not tried a bounded number of times. A write that ends as STORE_UNKNOWN is repeated with
 * its nonce (KV_UPDATE_REPEATS); when others have written meanwhile it stays unknown.
 */
#ifndef FIT_STATE_KV_UPDATE_H
#define FIT_STATE_KV_UPDATE_H

#include "state/kv.h"

enum { KV_UPDATE_REPEATS = 3 }; /* of a write that ended as unknown; then so does the update */

struct kv_update {
    struct str key;   /* borrowed until done */
    int64_t deadline; /* of the new value; 0: the one that the old value has */
    /*
     * Make the new value (append) from the old one ({NULL, 0}: there is none). May be called again.
     * 0: write it; 1: leave everything as it is; -1 with err: the same, and the update ends as
     * STORE_NOT_APPLIED.
     */
    int (*change)(void *owner, struct str old, struct buf *value, struct err *err);
    void (*done)(struct kv_update *update);
    void *owner;
    /* The answer. */
    enum store_status status;
    const struct err *err; /* as in store_op; valid during done */
    uint64_t version;      /* the one written, or there */
    struct buf value;      /* what is there now; freed by kv_update_free */
    /* Private. */
    struct store *store;
    struct kv_op op;
    struct err why;
    uint64_t nonce;
    unsigned repeats;
};

/* Zeroed but for the first five. nonce: a random number, not 0, of its own for each update. */
void kv_update_start(struct store *store, struct kv_update *update, uint64_t nonce);
void kv_update_free(struct kv_update *update);

#endif
