/* store_memory.c: a store in memory, which can behave like a distributed engine, for tests. */
#include "state/store_engine.h"

#include "base/mem.h"
#include "base/list.h"
#include "state/lease.h"

#include <stdlib.h>

/* An operation on its way; its done and owner are ours meanwhile. */
struct passage {
    struct passage *next, *prev;
    struct memory_store *store;
    struct store_op *op;
    void (*done)(struct store_op *op);
    void *owner;
    bool unknown; /* how it has ended is not told */
};

struct passages {
    struct passage *first, *last;
};

struct memory_store {
    struct store store; /* first */
    struct store *inner;
    const struct store_faults *faults;
    struct passages waiting;
    struct loop_task turn;
};

static const struct err lost_err = {.kind = ERR_SYSTEM, .text = "the connection was lost"};

static struct memory_store *of(struct store *store)
{
    return (struct memory_store *)(void *)store;
}

static void end(struct passage *passage)
{
    struct store_op *op = passage->op;
    op->done = passage->done;
    op->owner = passage->owner;
    if (passage->unknown) {
        op->status = STORE_UNKNOWN;
        op->err = &lost_err;
    }
    free(passage);
    op->done(op);
}

static void applied(struct store_op *op)
{
    end(op->owner);
}

static void forward(struct passage *passage)
{
    const struct store_faults *faults = passage->store->faults;
    struct store_op *op = passage->op;
    bool apply = true;
    enum store_status status = STORE_OK;
    if (faults->judge)
        status = faults->judge(faults->owner, op, &apply);
    passage->unknown = status == STORE_UNKNOWN;
    if (status == STORE_OK || (passage->unknown && apply)) {
        op->done = applied;
        op->owner = passage;
        store_submit(passage->store->inner, op);
        return;
    }
    op->status = status;
    op->err = &lost_err;
    end(passage);
}

/* What its callers submit meanwhile waits for the next turn. */
static void pass_all(struct memory_store *self)
{
    struct passages due = self->waiting;
    self->waiting = (struct passages){0};
    while (due.first) {
        struct passage *passage = due.first;
        LIST_REMOVE(&due, passage);
        forward(passage);
    }
    store_flush(self->inner);
}

static void run_turn(struct loop_task *task)
{
    pass_all(CONTAINER_OF(task, struct memory_store, turn));
}

static void memory_submit(struct store *store, struct store_op *op)
{
    struct memory_store *self = of(store);
    struct passage *passage = mem_zalloc(sizeof *passage);
    *passage = (struct passage){.store = self, .op = op, .done = op->done, .owner = op->owner};
    if (self->faults->ignores_death && op->kind == STORE_LEASE)
        ((struct lease_op *)(void *)op)->holder = 0;
    if (!self->faults->later) {
        forward(passage);
        return;
    }
    LIST_APPEND(&self->waiting, passage);
    loop_defer(store->loop, &self->turn);
}

static void memory_flush(struct store *store)
{
    struct memory_store *self = of(store);
    do
        pass_all(self);
    while (self->waiting.first);
}

static int memory_listen(struct store *store, struct store_ear *ear, struct err *err)
{
    return store_listen(of(store)->inner, ear, err);
}

static void memory_deafen(struct store *store, struct store_ear *ear)
{
    store_deafen(of(store)->inner, ear);
}

static void memory_free(struct store *store)
{
    struct memory_store *self = of(store);
    memory_flush(store);
    loop_undefer(store->loop, &self->turn);
    store_free(self->inner);
    free(self);
}

static const struct store_ops memory_ops = {
    .submit = memory_submit,
    .flush = memory_flush,
    .listen = memory_listen,
    .deafen = memory_deafen,
    .free = memory_free,
};

struct store *store_open_memory(struct loop *loop, const struct store_faults *faults)
{
    struct store *inner = store_embedded_new(table_open_memory(), NULL, loop, false);
    if (!faults)
        return inner;
    struct memory_store *self = mem_zalloc(sizeof *self);
    self->store = (struct store){.ops = &memory_ops, .loop = loop};
    self->inner = inner;
    self->faults = faults;
    self->turn.run = run_turn;
    return &self->store;
}
