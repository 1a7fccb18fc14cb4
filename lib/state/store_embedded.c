/*
 * store_embedded.c: the store of one machine: operations gathered into transactions over records.
 *
 * Group commit: what was submitted is committed when the loop is about to sleep, when a group is
 * full, or when the oldest operation has waited STORE_LATENCY. While a commit is being synced the
 * process waits; what its input and its functions bring meanwhile makes the next group. A
 * transaction that runs out of room in the map is undone, the map grows, and it is done again; one
 * that fails otherwise leaves all its operations not applied.
 */
#include "state/apply.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "state/bell.h"
#include "state/ledgers.h"

#include <stdlib.h>

/* A bell to be rung after the commit. */
struct ring {
    struct bell *bell;
    char *kind;
    struct buf name;
    bool due;
};

struct store {
    struct home *home;
    struct loop *loop;
    struct table *table;
    struct ledgers *ledgers; /* NULL: they are records too */
    bool synced;
    struct store_op *first, *last; /* submitted */
    size_t count, records, bytes;  /* records: those that are not of ledgers */
    int64_t oldest;
    bool committing;
    struct loop_idle idle;
    struct loop_timer timer;
    struct loop_task turn; /* after a commit: another turn, in which others flush */
    struct ring *rings;
    size_t ring_count;
};

static int (*const appliers[STORE_KINDS])(struct apply *apply, struct store_op *op) = {
    [STORE_QUEUE] = queue_apply,
    [STORE_LEDGER] = ledger_apply,
    [STORE_DEAD] = dead_apply,
};

/* Ledgers are logs of their own where there is a directory. */
static bool is_record(const struct store *store, const struct store_op *op)
{
    return op->kind != STORE_LEDGER || !store->ledgers;
}

/* ---- bells ---- */

static struct ring *ring_of(struct store *store, const char *kind, struct str name)
{
    for (size_t i = 0; i < store->ring_count; i++) {
        struct ring *ring = &store->rings[i];
        if (strcmp(ring->kind, kind) == 0 && str_eq(buf_str(&ring->name), name))
            return ring;
    }
    store->rings = mem_realloc(store->rings, (store->ring_count + 1) * sizeof *store->rings);
    struct ring *ring = &store->rings[store->ring_count++];
    *ring = (struct ring){.bell = bell_open(store->home, kind, name), .kind = mem_strdup(kind)};
    buf_add_str(&ring->name, name);
    return ring;
}

void apply_ring(struct apply *apply, const char *kind, struct str name)
{
    if (apply->store->home)
        ring_of(apply->store, kind, name)->due = true;
}

/* A bell that cannot be rung has no one else to tell: who waits looks again in time. */
static void ring_due(struct store *store)
{
    struct err err;
    for (size_t i = 0; i < store->ring_count; i++) {
        if (store->rings[i].due)
            bell_ring(store->rings[i].bell, &err);
        store->rings[i].due = false;
    }
}

/* ---- transactions ---- */

static int apply_all(struct apply *apply, struct store_op *first)
{
    for (struct store_op *op = first; op; op = op->next) {
        if (!is_record(apply->store, op))
            continue;
        op->status = STORE_OK;
        if (appliers[op->kind](apply, op) < 0)
            return -1;
    }
    return queue_flush(apply);
}

/* One try. *full: it may work after the map has grown. */
static int try_commit(struct store *store, struct store_op *first, bool *full, struct err *err)
{
    struct apply apply = {.wall = clock_wall(), .now = clock_now(), .store = store};
    *full = false;
    apply.txn = table_begin(store->table, true, err);
    if (!apply.txn)
        return -1;
    int status = apply_all(&apply, first);
    queue_forget(&apply);
    if (status < 0) {
        *err = apply.txn->err;
        *full = apply.txn->full;
        table_abort(apply.txn);
        return -1;
    }
    return table_commit(apply.txn, err);
}

static void finish(struct store *store, struct store_op *first, const struct err *err)
{
    while (first) {
        struct store_op *op = first;
        first = op->next; /* the op is its owner's from here on */
        if (err && is_record(store, op)) {
            op->status = STORE_NOT_APPLIED;
            op->err = err;
        }
        op->done(op);
    }
}

static int commit_records(struct store *store, struct store_op *group, struct err *err)
{
    bool full;
    int status = try_commit(store, group, &full, err);
    while (status < 0 && full && table_grow(store->table, err))
        status = try_commit(store, group, &full, err);
    if (status == 0)
        ring_due(store);
    return status;
}

static void commit_group(struct store *store)
{
    struct store_op *group = store->first;
    struct err err;
    size_t records = store->records;
    store->first = store->last = NULL;
    store->count = store->records = store->bytes = 0;
    loop_timer_clear(store->loop, &store->timer);
    if (store->ledgers)
        ledgers_commit(store->ledgers, group, store->synced);
    int status = records ? commit_records(store, group, &err) : 0;
    finish(store, group, status == 0 ? NULL : &err);
}

static void run_turn(struct loop_task *task)
{
    (void)task;
}

static void commit(struct store *store)
{
    if (store->committing)
        return;
    store->committing = true;
    while (store->first)
        commit_group(store);
    store->committing = false;
    loop_defer(store->loop, &store->turn);
}

static void before_sleep(struct loop_idle *idle)
{
    struct store *store = CONTAINER_OF(idle, struct store, idle);
    if (store->first)
        commit(store);
}

static void waited_long(struct loop_timer *timer)
{
    commit(CONTAINER_OF(timer, struct store, timer));
}

static void read_now(struct store *store, struct store_op *op)
{
    struct err err = {0};
    struct apply apply = {.wall = clock_wall(), .now = clock_now(), .store = store};
    op->status = STORE_OK;
    if (!is_record(store, op)) {
        ledgers_read(store->ledgers, op);
        op->done(op);
        return;
    }
    apply.txn = table_begin(store->table, false, &err);
    if (!apply.txn) {
        op->status = STORE_NOT_APPLIED;
    } else if (appliers[op->kind](&apply, op) < 0) {
        err = apply.txn->err;
        op->status = STORE_NOT_APPLIED;
    }
    queue_forget(&apply);
    op->err = op->status == STORE_NOT_APPLIED ? &err : NULL;
    op->done(op);
    if (apply.txn)
        table_abort(apply.txn);
}

/* ---- the interface ---- */

struct store *store_open(struct home *home, struct loop *loop,
                         const struct store_settings *settings, struct err *err)
{
    struct table *table = table_open_lmdb(home->path, !settings->unsynced, err);
    if (!table)
        return NULL;
    struct store *store = mem_zalloc(sizeof *store);
    store->home = home;
    store->loop = loop;
    store->table = table;
    store->ledgers = ledgers_new(home);
    store->synced = !settings->unsynced;
    store->idle.run = before_sleep;
    store->timer.fire = waited_long;
    store->turn.run = run_turn;
    loop_idle_add(loop, &store->idle);
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store_flush(store);
    loop_idle_remove(store->loop, &store->idle);
    loop_undefer(store->loop, &store->turn);
    loop_timer_clear(store->loop, &store->timer);
    for (size_t i = 0; i < store->ring_count; i++) {
        bell_free(store->rings[i].bell);
        free(store->rings[i].kind);
        buf_free(&store->rings[i].name);
    }
    free(store->rings);
    ledgers_free(store->ledgers);
    table_close(store->table);
    free(store);
}

void store_submit(struct store *store, struct store_op *op)
{
    op->next = NULL;
    op->err = NULL;
    if (op->reads) {
        read_now(store, op);
        return;
    }
    if (!store->first)
        loop_timer_set(store->loop, &store->timer, loop_now(store->loop) + STORE_LATENCY);
    if (store->last)
        store->last->next = op;
    else
        store->first = op;
    store->last = op;
    store->records += is_record(store, op);
    store->bytes += op->cost;
    if (++store->count >= STORE_GROUP || store->bytes >= STORE_GROUP_BYTES)
        commit(store);
}

void store_flush(struct store *store)
{
    commit(store);
}

size_t store_pending(const struct store *store)
{
    return store->count;
}

struct loop *store_loop(const struct store *store)
{
    return store->loop;
}

struct home *store_home(const struct store *store)
{
    return store->home;
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
