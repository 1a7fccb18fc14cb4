/*
 * store_embedded.c: the store of one machine: operations gathered into transactions over records.
 *
 * Group commit: what was submitted is committed when the loop is about to sleep, when a group is
 * full, or when the oldest operation has waited STORE_LATENCY. While a commit is being synced the
 * process waits; what its input and its functions bring meanwhile makes the next group. A
 * transaction that runs out of room in the map is undone, the map grows, and it is done again; one
 * that fails otherwise leaves all its operations not applied.
 */
#include "state/store_engine.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "state/apply.h"
#include "state/ledgers.h"
#include "state/rings.h"

#include <stdlib.h>

struct embedded {
    struct store store; /* first */
    struct table *table;
    struct ledgers *ledgers; /* NULL: they are records too */
    bool synced;
    struct store_op *first, *last; /* submitted */
    size_t count, records, bytes;  /* records: those that are not of ledgers */
    bool committing;
    bool urgent;  /* of those submitted one is not patient */
    int64_t took; /* the last commit */
    struct loop_idle idle;
    struct loop_timer timer;
    struct loop_task turn; /* after a commit: another turn, in which others flush */
    struct rings rings;
};

static struct embedded *of(struct store *store)
{
    return (struct embedded *)(void *)store;
}

static int (*const appliers[STORE_KINDS])(struct apply *apply, struct store_op *op) = {
    [STORE_KV] = kv_apply,         [STORE_LEASE] = lease_apply, [STORE_QUEUE] = queue_apply,
    [STORE_LEDGER] = ledger_apply, [STORE_DEAD] = dead_apply,   [STORE_FANIN] = fanin_apply,
    [STORE_TOPIC] = topic_apply,   [STORE_REPLY] = reply_apply, [STORE_CURSOR] = cursor_apply,
};

/* Ledgers are logs of their own where there is a directory. */
static bool is_record(const struct embedded *self, const struct store_op *op)
{
    return op->kind != STORE_LEDGER || !self->ledgers;
}

void apply_ring(struct apply *apply, const char *kind, struct str name)
{
    rings_add(&of(apply->store)->rings, kind, name);
}

/* ---- transactions ---- */

static int apply_all(struct apply *apply, struct store_op *first)
{
    for (struct store_op *op = first; op; op = op->next) {
        if (!is_record(of(apply->store), op))
            continue;
        op->status = STORE_OK;
        op->err = NULL;
        if (appliers[op->kind](apply, op) < 0)
            return -1;
    }
    if (queue_flush(apply) < 0 || fanin_flush(apply) < 0)
        return -1;
    return topic_flush(apply) < 0 ? -1 : reply_flush(apply);
}

static void forget_all(struct apply *apply)
{
    queue_forget(apply);
    fanin_forget(apply);
    topic_forget(apply);
    reply_end(apply);
}

/* One try. *full: it may work after the map has grown. */
static int try_commit(struct embedded *self, struct store_op *first, bool *full, struct err *err)
{
    struct apply apply = {.store = &self->store};
    *full = false;
    rings_forget(&self->rings);
    apply.txn = table_begin(self->table, true, err);
    if (!apply.txn)
        return -1;
    apply.wall = clock_wall(); /* no other process writes meanwhile: times are in order, too */
    apply.now = clock_now();
    int status = apply_all(&apply, first);
    forget_all(&apply);
    if (status < 0) {
        *err = apply.txn->err;
        *full = apply.txn->full;
        table_abort(apply.txn);
        return -1;
    }
    status = table_commit(apply.txn, err);
    *full = status < 0 && err->kind == ERR_LIMIT;
    return status;
}

static void finish(struct embedded *self, struct store_op *first, const struct err *err)
{
    while (first) {
        struct store_op *op = first;
        first = op->next; /* the op is its owner's from here on */
        if (err && is_record(self, op)) {
            op->status = STORE_NOT_APPLIED;
            op->err = err;
        }
        op->done(op);
    }
}

static int commit_records(struct embedded *self, struct store_op *group, struct err *err)
{
    bool full;
    int status = try_commit(self, group, &full, err);
    while (status < 0 && full && table_grow(self->table, err))
        status = try_commit(self, group, &full, err);
    if (status == 0)
        rings_ring(&self->rings);
    return status;
}

static void commit_group(struct embedded *self)
{
    struct store_op *group = self->first;
    struct err err;
    size_t records = self->records;
    int64_t began = clock_now();
    self->urgent = false;
    self->first = self->last = NULL;
    self->count = self->records = self->bytes = 0;
    loop_timer_clear(self->store.loop, &self->timer);
    if (self->ledgers)
        ledgers_commit(self->ledgers, group, self->synced);
    int status = records ? commit_records(self, group, &err) : 0;
    self->took = clock_now() - began;
    finish(self, group, status == 0 ? NULL : &err);
}

static void run_turn(struct loop_task *task)
{
    (void)task;
}

static void commit(struct embedded *self)
{
    if (self->committing)
        return;
    self->committing = true;
    while (self->first)
        commit_group(self);
    self->committing = false;
    loop_defer(self->store.loop, &self->turn);
}

static void before_sleep(struct loop_idle *idle)
{
    struct embedded *self = CONTAINER_OF(idle, struct embedded, idle);
    if (self->urgent)
        commit(self);
}

static void waited_long(struct loop_timer *timer)
{
    commit(CONTAINER_OF(timer, struct embedded, timer));
}

static int read_records(struct embedded *self, struct store_op *op, struct err *err)
{
    struct apply apply = {.wall = clock_wall(), .now = clock_now(), .store = &self->store};
    apply.txn = table_begin(self->table, false, err);
    if (!apply.txn)
        return -1;
    int status = appliers[op->kind](&apply, op);
    forget_all(&apply);
    if (status < 0)
        *err = apply.txn->err;
    table_abort(apply.txn);
    return status;
}

static void read_now(struct embedded *self, struct store_op *op)
{
    struct err err;
    if (!is_record(self, op)) {
        ledgers_read(self->ledgers, op);
    } else if (read_records(self, op, &err) < 0) {
        op->status = STORE_NOT_APPLIED;
        op->err = &err;
    }
    op->done(op);
}

/* ---- the interface ---- */

static void embedded_free(struct store *store)
{
    struct embedded *self = of(store);
    commit(self);
    loop_idle_remove(store->loop, &self->idle);
    loop_undefer(store->loop, &self->turn);
    loop_timer_clear(store->loop, &self->timer);
    rings_free(&self->rings);
    ledgers_free(self->ledgers);
    table_close(self->table);
    free(self);
}

/* How long it may wait for others. The patient leave the process time between commits that a slow
 * disk makes long. */
static int64_t latency(const struct embedded *self, const struct store_op *op)
{
    return op->patient && self->took > STORE_LATENCY / 2 ? 2 * self->took : STORE_LATENCY;
}

static void embedded_submit(struct store *store, struct store_op *op)
{
    struct embedded *self = of(store);
    if (op->reads) {
        read_now(self, op);
        return;
    }
    int64_t at = loop_now(store->loop) + latency(self, op);
    if (!self->first || at < self->timer.at)
        loop_timer_set(store->loop, &self->timer, at);
    self->urgent = self->urgent || !op->patient;
    if (self->last)
        self->last->next = op;
    else
        self->first = op;
    self->last = op;
    self->records += is_record(self, op);
    self->bytes += op->cost;
    if (++self->count >= STORE_GROUP || self->bytes >= STORE_GROUP_BYTES)
        commit(self);
}

static void embedded_flush(struct store *store)
{
    commit(of(store));
}

static int embedded_listen(struct store *store, struct store_ear *ear, struct err *err)
{
    return rings_listen(&of(store)->rings, ear, err);
}

static void embedded_deafen(struct store *store, struct store_ear *ear)
{
    rings_deafen(&of(store)->rings, ear);
}

static const struct store_ops embedded_ops = {
    .submit = embedded_submit,
    .flush = embedded_flush,
    .listen = embedded_listen,
    .deafen = embedded_deafen,
    .free = embedded_free,
};

struct store *store_embedded_new(struct table *table, struct home *home, struct loop *loop,
                                 bool synced)
{
    struct embedded *self = mem_zalloc(sizeof *self);
    self->store = (struct store){.ops = &embedded_ops, .loop = loop, .home = home};
    self->table = table;
    self->ledgers = home ? ledgers_new(home) : NULL;
    self->synced = synced;
    self->idle.run = before_sleep;
    self->timer.fire = waited_long;
    self->turn.run = run_turn;
    self->rings = (struct rings){.home = home, .loop = loop};
    loop_idle_add(loop, &self->idle);
    return &self->store;
}
