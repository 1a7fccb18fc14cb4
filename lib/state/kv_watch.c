/* kv_watch.c: be told of every write to the keys that begin so. */
#include "state/kv_watch.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdlib.h>

struct kv_watch {
    struct store *store;
    const struct kv_watch_calls *calls;
    void *owner;
    struct store_ear ear;
    struct loop_task task; /* look, but not one look within another */
    struct buf prefix;
    struct kv_op op;
    uint64_t reached;
    bool looking; /* the operation is the store's */
    bool again;   /* rung meanwhile */
    bool telling; /* its owner is being called */
    bool freed;
    struct err *opening; /* nobody has the watch yet: where a failure goes */
};

static void release(struct kv_watch *watch)
{
    kv_op_free(&watch->op);
    buf_free(&watch->prefix);
    free(watch);
}

static void look_later(void *owner)
{
    struct kv_watch *watch = owner;
    if (watch->looking)
        watch->again = true;
    else
        loop_defer(store_loop(watch->store), &watch->task);
}

static void tell(struct kv_watch *watch)
{
    struct kv_op *own = &watch->op;
    watch->telling = true;
    if (own->op.status == STORE_LOST) {
        watch->calls->resync(watch->owner, watch->reached);
    } else if (own->op.status == STORE_OK) {
        for (size_t i = 0; i < own->count && !watch->freed; i++)
            watch->calls->changed(watch->owner, &own->records[i]);
    } else if (watch->opening) {
        *watch->opening = *own->op.err;
        watch->freed = true;
    } else {
        watch->calls->failed(watch->owner, own->op.err);
    }
    watch->telling = false;
}

static void looked(struct store_op *op)
{
    struct kv_watch *watch = op->owner;
    bool failed = op->status != STORE_OK && op->status != STORE_LOST;
    watch->looking = false;
    if (!failed)
        watch->reached = watch->op.version;
    if (!watch->freed)
        tell(watch);
    if (watch->freed && !watch->opening)
        release(watch);
    else if (!failed && (watch->op.more || watch->again || op->status == STORE_LOST))
        look_later(watch);
}

static void look(struct loop_task *task)
{
    struct kv_watch *watch = CONTAINER_OF(task, struct kv_watch, task);
    watch->looking = true;
    watch->again = false;
    watch->op.since = watch->reached;
    kv_submit(watch->store, &watch->op);
}

struct kv_watch *kv_watch_open(struct store *store, struct str prefix, uint64_t since,
                               const struct kv_watch_calls *calls, void *owner, struct err *err)
{
    struct kv_watch *watch = mem_zalloc(sizeof *watch);
    watch->store = store;
    watch->calls = calls;
    watch->owner = owner;
    watch->reached = since;
    watch->task.run = look;
    buf_add_str(&watch->prefix, prefix);
    watch->op.verb = KV_CHANGES;
    watch->op.op.done = looked;
    watch->op.op.owner = watch;
    watch->op.key = buf_str(&watch->prefix);
    watch->ear =
        (struct store_ear){.kind = "kv", .name = STR(""), .heard = look_later, .owner = watch};
    if (store_listen(store, &watch->ear, err) < 0) {
        release(watch);
        return NULL;
    }
    if (since != KV_NOW) { /* what has been is not told before the caller has the watch */
        look_later(watch);
        return watch;
    }
    watch->opening = err;
    look(&watch->task);
    watch->opening = NULL;
    if (!watch->freed)
        return watch;
    store_deafen(store, &watch->ear);
    release(watch);
    return NULL;
}

void kv_watch_free(struct kv_watch *watch)
{
    if (!watch)
        return;
    store_deafen(watch->store, &watch->ear);
    loop_undefer(store_loop(watch->store), &watch->task);
    watch->freed = true;
    if (!watch->looking && !watch->telling)
        release(watch);
}
