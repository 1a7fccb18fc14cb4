/*
 * store_engine.h: what stands behind store.h: an engine's functions. Internal to lib/state.
 *
 * An engine's struct begins with a struct store. Operations arrive with status, err and next
 * cleared.
 */
#ifndef FIT_STATE_STORE_ENGINE_H
#define FIT_STATE_STORE_ENGINE_H

#include "state/store.h"
#include "state/table.h"

struct store_ops {
    void (*submit)(struct store *store, struct store_op *op);
    void (*flush)(struct store *store);
    int (*listen)(struct store *store, struct store_ear *ear, struct err *err);
    void (*deafen)(struct store *store, struct store_ear *ear);
    void (*free)(struct store *store);
};

struct store { /* first in an engine's own struct */
    const struct store_ops *ops;
    struct loop *loop;
    struct home *home;
};

/* The embedded engine over any table, which it takes over. home NULL: nothing is shared with other
 * processes, and ledgers are records of the table. */
struct store *store_embedded_new(struct table *table, struct home *home, struct loop *loop,
                                 bool synced);

#endif
