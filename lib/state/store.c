/* store.c: hand operations to the engine that keeps the state. */
#include "state/store.h"

#include "state/store_engine.h"

struct store *store_open(struct home *home, struct loop *loop,
                         const struct store_settings *settings, struct err *err)
{
    struct table *table = table_open_lmdb(home->path, !settings->unsynced, settings->map, err);
    return table ? store_embedded_new(table, home, loop, !settings->unsynced) : NULL;
}

void store_free(struct store *store)
{
    if (store)
        store->ops->free(store);
}

void store_submit(struct store *store, struct store_op *op)
{
    op->next = NULL;
    op->err = NULL;
    op->status = STORE_OK;
    store->ops->submit(store, op);
}

void store_flush(struct store *store)
{
    store->ops->flush(store);
}

int store_listen(struct store *store, struct store_ear *ear, struct err *err)
{
    return store->ops->listen(store, ear, err);
}

void store_deafen(struct store *store, struct store_ear *ear)
{
    store->ops->deafen(store, ear);
}

struct loop *store_loop(const struct store *store)
{
    return store->loop;
}

struct home *store_home(const struct store *store)
{
    return store->home;
}

void store_keep_error(struct store_op *op)
{
    struct err *err = op->owner;
    if (op->err)
        *err = *op->err;
}

const char *store_status_name(enum store_status status)
{
    static const char *const names[] = {
        [STORE_OK] = "done",
        [STORE_ABSENT] = "absent",
        [STORE_CONFLICT] = "conflict",
        [STORE_FULL] = "full",
        [STORE_LOST] = "lease lost",
        [STORE_NOT_APPLIED] = "not applied",
        [STORE_UNKNOWN] = "unknown whether applied",
        [STORE_UNSUPPORTED] = "unsupported",
    };
    return names[status];
}
