/*
 * kv.h: values by key, with versions and times to live.
 *
 * A key is any bytes, also none, up to KV_KEY bytes; a value is one JSON text, which its writer has
 * validated, without a line feed. Every write gives the key a new version. Versions only grow, are
 * never used again (also not after a delete or an expiry), and mean nothing else.
 *
 * Keys are listed in the order of their bytes. Of keys that agree in their first KV_PLAIN bytes and
 * are longer, the embedded engine knows only a hash beyond these: they stand together and in the
 * right place among the others, but in no order among each other.
 *
 * A value may have a deadline, a time of day that is stored with it. Who reads a value that is past
 * it finds nothing; writers remove such values by and by (KV_SWEEP). That is no change that a watch
 * tells of: the deadline is in the record.
 *
 * When a write ends as STORE_UNKNOWN: give each write a nonce (not 0) and submit the same write
 * again. The record keeps the nonce of the last write; who finds his own is told STORE_OK and the
 * version, and nothing is done twice. If somebody else has written meanwhile, KV_CAS says
 * STORE_CONFLICT, and whether it had been applied before that cannot be known; KV_PUT would undo
 * what the other wrote, KV_INCR and KV_MERGE would do it twice: where that matters, use kv_update.h
 * (get, change, cas), which is also how an engine without KV_INCR and KV_MERGE has them.
 *
 * Rings the bell "kv", "" (store_listen).
 */
#ifndef FIT_STATE_KV_H
#define FIT_STATE_KV_H

#include "state/store.h"

enum {
    KV_KEY = 1024 * 1024,    /* bytes of a key; a longer one is not applied */
    KV_PLAIN = 494,          /* bytes of a key that order it exactly */
    KV_PAGE = 1000,          /* records of a list, where no limit is given */
    KV_PAGE_BYTES = 4 << 20, /* bytes of their keys and values; then the page ends */
    KV_SWEEP = 2,            /* values past their deadline that a write removes; others wait */
    KV_LOG = 16384,          /* changes that are kept; who asks for older ones must resync */
    KV_LOG_VALUE = 4096,     /* bytes of a value that a change keeps; of a longer one it is
                                only known while it is the key's value */
};
#define KV_NOW UINT64_MAX /* for KV_CHANGES: none, only which version was the last */

enum kv_verb {
    KV_GET,     /* answer, version, expires, nonce; or STORE_ABSENT */
    KV_PUT,     /* write value */
    KV_ADD,     /* the same if there is none, else STORE_CONFLICT with its version */
    KV_CAS,     /* the same if its version is the expected one (0: if there is none), else
                   STORE_CONFLICT with the version that it has */
    KV_DEL,     /* STORE_ABSENT, or STORE_CONFLICT if expected is not 0 and not its version */
    KV_INCR,    /* add number: answer is the sum; no value counts as 0 */
    KV_MERGE,   /* value is a patch of RFC 7396; answer is the result */
    KV_LIST,    /* records whose keys begin with key, above after, in order */
    KV_CHANGES, /* records of the writes after the version since, of keys that begin with key, in
                   order; version is how far they reach. STORE_LOST: not all of them are known any
                   more, list everything anew and go on from version */
};

struct kv_record {
    struct str key, value; /* in the operation, until it is freed */
    uint64_t version;
    int64_t deadline; /* 0: none */
    bool deleted;     /* KV_CHANGES: the key has no value any more */
};

struct kv_op {
    struct store_op op; /* first */
    enum kv_verb verb;
    struct str key;
    struct str value;  /* borrowed until done */
    uint64_t expected; /* KV_CAS, KV_DEL */
    uint64_t since;    /* KV_CHANGES */
    int64_t deadline;  /* time of day; 0: none (KV_INCR, KV_MERGE: the one there) */
    int64_t number;    /* KV_INCR */
    uint64_t nonce;    /* 0: none; KV_GET: that of the last write */
    struct str after;  /* KV_LIST: {NULL, 0}: from the start */
    size_t limit;      /* KV_LIST, KV_CHANGES: records; 0: KV_PAGE */
    /* The answer, until kv_op_free or the next submission. */
    uint64_t version; /* the one written, or there */
    int64_t expires;  /* its deadline */
    struct buf answer;
    struct kv_record *records;
    size_t count;
    bool more; /* there are more records (KV_CHANGES: writes) */
    /* Of a write that cannot be done as it is (ERR_INPUT, ERR_LIMIT: not a number, too large),
     * with STORE_NOT_APPLIED: to try it again is in vain. */
    struct err why;
};

/* Zeroed but for verb, done, owner, and what the verb needs; sets up op and submits. */
void kv_submit(struct store *store, struct kv_op *op);
void kv_op_free(struct kv_op *op); /* its answer */

/* What KV_INCR does: append old (JSON; {NULL, 0}: none) plus number. -1 with err. */
int kv_sum(struct str old, int64_t number, struct buf *out, struct err *err);

#endif
