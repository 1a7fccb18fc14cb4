/*
 * ledgers.h: the ledgers that an embedded store has open. Internal to lib/state.
 */
#ifndef FIT_STATE_LEDGERS_H
#define FIT_STATE_LEDGERS_H

#include "state/store.h"

struct ledgers;

struct ledgers *ledgers_new(struct home *home);
void ledgers_free(struct ledgers *ledgers); /* NULL is a no-op */

/* A reading operation: its status and answer are set. */
void ledgers_read(struct ledgers *ledgers, struct store_op *op);

/* Do the operations on ledgers of a list linked by next; the others are skipped. One write and one
 * sync for each ledger. Statuses are set; errors last until the next call. */
void ledgers_commit(struct ledgers *ledgers, struct store_op *first, bool sync);

#endif
