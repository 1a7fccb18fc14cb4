/*
 * apply.h: an operation as the embedded engine does it: within a transaction over records. Internal
 * to lib/state.
 *
 * store_embedded.c gathers operations, begins a transaction, and calls the function of each one's
 * kind below. It sets op->status (and what the operation answers), or returns -1 after a call of
 * table.h has: the transaction is then undone and perhaps done again, so a function must set
 * everything anew that an earlier call may have set, and free it. What it answers is copied: the
 * transaction has ended when done is called, also that of a read. What is to be announced when the
 * commit is through goes to apply_ring.
 */
#ifndef FIT_STATE_APPLY_H
#define FIT_STATE_APPLY_H

#include "state/store.h"
#include "state/table.h"

struct apply {
    struct table_txn *txn;
    int64_t wall; /* of the transaction: clock_wall and clock_now */
    int64_t now;
    struct store *store;
    struct queue_cache *queues; /* queue_record.c: queues decoded while the transaction lasts */
    struct fanin_cache *fanins; /* fanin_record.c: the same of collections of groups */
    struct topic_cache *topics; /* topic_record.c: the same of topics */
    struct reply_set *replies;  /* reply_set.c: the same of reply sets */
};

/* When the commit is through, ring the bell of that kind and name (bell.h; bytes are copied). */
void apply_ring(struct apply *apply, const char *kind, struct str name);

/* The next number, from 1, of a counter of SPACE_META; never the same twice. 0: the transaction has
 * failed. */
uint64_t apply_number(struct apply *apply, const char *counter);

/*
 * The number of a name among those of its kind ("queue", "ledger"), which stands for it in keys.
 * make: give it one if it has none. 0: it has none (or the transaction has failed).
 */
uint32_t apply_name(struct apply *apply, const char *kind, struct str name, bool make);

/* Give what exists by that name another number, so that nothing under the old one is found any
 * more; or, without again, none. The new number; 0: none, or the transaction has failed. */
uint32_t apply_rename(struct apply *apply, const char *kind, struct str name, bool again);

/* Each name of that kind, shorter ones in order; changes nothing. The name is valid during the
 * call. A call returns 0, or -1: no more. 0 or -1. */
typedef int apply_name_fn(void *owner, struct apply *apply, struct str name);
int apply_names(struct apply *apply, const char *kind, apply_name_fn *each, void *owner);

/* Append a value as it is stored: a byte that says how, then the bytes, compressed if they are long
 * and it helps. And back: the plain bytes, in scratch if need be; -1: the transaction has failed.
 */
void apply_pack(struct buf *record, struct str value);
int apply_unpack(struct apply *apply, struct str packed, struct buf *scratch, struct str *value);

int kv_apply(struct apply *apply, struct store_op *op);
int lease_apply(struct apply *apply, struct store_op *op);
int queue_apply(struct apply *apply, struct store_op *op);
int ledger_apply(struct apply *apply, struct store_op *op);
int dead_apply(struct apply *apply, struct store_op *op);
int fanin_apply(struct apply *apply, struct store_op *op);
int topic_apply(struct apply *apply, struct store_op *op);
int reply_apply(struct apply *apply, struct store_op *op);
int cursor_apply(struct apply *apply, struct store_op *op);

/* What the transaction has changed of queues, groups, topics and reply sets is written before it is
 * committed; and forgotten in any case. */
int queue_flush(struct apply *apply);
void queue_forget(struct apply *apply);
int queue_letter_gone(struct apply *apply, struct str name); /* a letter of the queue is removed */
int fanin_flush(struct apply *apply);
void fanin_forget(struct apply *apply);
int topic_flush(struct apply *apply);
void topic_forget(struct apply *apply);
int reply_flush(struct apply *apply);
void reply_end(struct apply *apply);

/* Keep a letter (a line without LF). queue: the one that the event was in, or {NULL, 0}. */
int dead_add(struct apply *apply, struct str queue, struct str letter);

#endif
