/* shared_slots.c: a bulkhead: at most so many at once, over all processes that share the name. */
#include "state/shared_slots.h"

#include "base/list.h"
#include "base/mem.h"
#include "state/bell.h"
#include "state/holder_watch.h"

#include <stdlib.h>
#include <string.h>

/* Dead waiters cost a ring with each give; so many rings later they are looked for. */
enum { RINGS_PER_REAP = 64 };

/* What lies in the cell. */
struct slots {
    uint32_t held;    /* holders that are not 0 */
    uint32_t waiting; /* waiters that are not 0 */
    cell_holder holders[SLOTS_MAX];
    cell_holder waiters[SLOTS_WAITERS];
};

struct shared_slots {
    struct cell *cell;
    struct bell *bell; /* NULL: private */
    unsigned limit;
    struct loop *loop;
    void (*free_again)(void *owner);
    void *owner;
    bool waiting;
    unsigned moves;        /* of the cell, as far as it is known here */
    unsigned rings;        /* with waiters */
    struct loop_task gave; /* private: tells a waiter of this process */
    struct holder_watch holders;
    cell_holder *others;      /* room for a copy of the holders, when first needed */
    uint8_t mine[SLOTS_MAX];  /* slots of this process in the cell as it is now */
    uint8_t stray[SLOTS_MAX]; /* taken in a cell that was removed, and not held in this one */
};

/* ---- the cell ---- */

/* The counts are sums of what stands in the tables, whatever was half written. */
static void count(void *payload, const void *context)
{
    (void)context;
    struct slots *slots = payload;
    slots->held = slots->waiting = 0;
    for (int i = 0; i < SLOTS_MAX; i++)
        slots->held += slots->holders[i] != 0;
    for (int i = 0; i < SLOTS_WAITERS; i++)
        slots->waiting += slots->waiters[i] != 0;
}

/* Whoever held or waited is no more. */
static void clear(void *payload, const void *context)
{
    (void)context;
    memset(payload, 0, sizeof(struct slots));
}

static const struct cell_kind slots_kind = {
    .name = "slots",
    .layout = 1,
    .size = sizeof(struct slots),
    .rebase = clear,
    .repair = count,
};

/* A process may be there several times, once for each that waits in it. */
static bool add_waiter(struct slots *slots)
{
    for (int i = 0; i < SLOTS_WAITERS; i++) {
        if (slots->waiters[i])
            continue;
        slots->waiters[i] = cell_self();
        slots->waiting++;
        return true;
    }
    return false;
}

static void remove_waiter(struct slots *slots)
{
    for (int i = 0; i < SLOTS_WAITERS; i++) {
        if (slots->waiters[i] != cell_self())
            continue;
        slots->waiters[i] = 0;
        slots->waiting--;
        return;
    }
}

static void ring(struct shared_slots *shared)
{
    struct err err;
    if (shared->bell)
        bell_ring(shared->bell, &err); /* where it cannot be rung, it cannot be listened to */
    else if (shared->waiting)
        loop_defer(shared->loop, &shared->gave);
}

/*
 * The cell is another one: it was removed. What this process holds is registered there as far as
 * its place is free; the rest it holds beside it. Waiters may still sleep on the old one.
 */
static void settle_in(struct shared_slots *shared, struct slots *slots)
{
    shared->moves = cell_moves(shared->cell);
    for (int i = 0; i < SLOTS_MAX; i++) {
        if (!shared->mine[i])
            continue;
        if (slots->holders[i]) {
            shared->mine[i] = 0;
            shared->stray[i]++;
        } else {
            slots->holders[i] = cell_self();
            slots->held++;
        }
    }
    if (shared->waiting)
        add_waiter(slots);
    ring(shared);
}

static struct slots *lock_slots(struct shared_slots *shared)
{
    struct slots *slots = cell_lock(shared->cell);
    if (shared->moves != cell_moves(shared->cell))
        settle_in(shared, slots);
    return slots;
}

/* ---- other processes ---- */

/* Unlock, and say who stands in the table, which has so many places, so many of them filled: others
 * than this process, sorted. That may change at once. */
static size_t others(struct shared_slots *shared, const cell_holder *table, size_t places,
                     size_t filled)
{
    size_t len = 0;
    if (!shared->others)
        shared->others = mem_array(SLOTS_MAX, sizeof *shared->others);
    for (size_t i = 0; i < places && len < filled; i++) {
        if (table[i])
            shared->others[len++] = table[i];
    }
    cell_unlock(shared->cell);
    return holder_watch_sort(shared->others, len);
}

static size_t other_holders(struct shared_slots *shared)
{
    const struct slots *slots = lock_slots(shared);
    return others(shared, slots->holders, SLOTS_MAX, slots->held);
}

static size_t other_waiters(struct shared_slots *shared)
{
    const struct slots *slots = lock_slots(shared);
    return others(shared, slots->waiters, SLOTS_WAITERS, slots->waiting);
}

/* Of the others, keep those that are gone. The number. */
static size_t keep_gone(struct shared_slots *shared, size_t len)
{
    size_t gone = 0;
    for (size_t i = 0; i < len; i++) {
        if (holder_watch_gone(&shared->holders, shared->others[i]))
            shared->others[gone++] = shared->others[i];
    }
    return gone;
}

/* Strike out of the table who is gone. The number of places. */
static uint32_t strike_out(const struct shared_slots *shared, size_t gone, cell_holder *table,
                           size_t len)
{
    uint32_t struck = 0;
    for (size_t i = 0; i < len; i++) {
        if (!table[i] || !holder_watch_has(shared->others, gone, table[i]))
            continue;
        table[i] = 0;
        struck++;
    }
    return struck;
}

/*
 * Free what dead processes hold. To find out takes microseconds for each process, so it is done
 * outside the lock; a holder never lives again. True: something was freed.
 */
static bool reap_holders(struct shared_slots *shared)
{
    size_t gone = keep_gone(shared, other_holders(shared));
    if (!gone)
        return false;
    struct slots *slots = lock_slots(shared);
    uint32_t freed = strike_out(shared, gone, slots->holders, SLOTS_MAX);
    uint32_t waiting = slots->waiting;
    slots->held -= freed;
    cell_unlock(shared->cell);
    if (freed > 1 && waiting)
        ring(shared); /* more than who reaps will take */
    return freed > 0;
}

static void reap_waiters(struct shared_slots *shared)
{
    size_t gone = keep_gone(shared, other_waiters(shared));
    if (!gone)
        return;
    struct slots *slots = lock_slots(shared);
    slots->waiting -= strike_out(shared, gone, slots->waiters, SLOTS_WAITERS);
    cell_unlock(shared->cell);
}

/* Watch who holds slots now. False: one of them has ended meanwhile. */
static bool watch_holders(struct shared_slots *shared)
{
    size_t len = other_holders(shared);
    return holder_watch_set(&shared->holders, shared->others, len);
}

static void tell(void *owner)
{
    struct shared_slots *shared = owner;
    if (shared->waiting)
        shared->free_again(shared->owner);
}

static void tell_later(struct loop_task *task)
{
    tell(CONTAINER_OF(task, struct shared_slots, gave));
}

/* ---- taking and giving ---- */

static int take_free(struct shared_slots *shared)
{
    struct slots *slots = lock_slots(shared);
    int slot = 0;
    /* If fewer are held than the limit, one below it is free. */
    while (slots->held < shared->limit && slot < (int)shared->limit && slots->holders[slot])
        slot++;
    bool taken = slots->held < shared->limit && slot < (int)shared->limit;
    if (taken) {
        slots->holders[slot] = cell_self();
        slots->held++;
        shared->mine[slot] = 1;
    }
    cell_unlock(shared->cell);
    return taken ? slot : -1;
}

/*
 * Before a waiter sleeps, all who hold slots are watched (and if nobody waits, the next look at
 * them is cheap). Whoever comes to hold one later had it from a giver, who rings, or from a dead
 * one, whose watch wakes: then this is called again.
 */
int shared_slots_take(struct shared_slots *shared)
{
    int slot = take_free(shared);
    while (slot < 0 && reap_holders(shared))
        slot = take_free(shared);
    while (slot < 0 && shared->loop && !watch_holders(shared)) {
        reap_holders(shared);
        slot = take_free(shared);
    }
    return slot;
}

void shared_slots_give(struct shared_slots *shared, int slot)
{
    struct slots *slots = lock_slots(shared);
    uint32_t waiting = slots->waiting;
    if (shared->stray[slot]) {
        shared->stray[slot]--;
    } else if (shared->mine[slot] && slots->holders[slot] == cell_self()) {
        shared->mine[slot] = 0;
        slots->holders[slot] = 0;
        slots->held--;
    }
    cell_unlock(shared->cell);
    if (!waiting)
        return;
    ring(shared);
    if (++shared->rings % RINGS_PER_REAP == 0)
        reap_waiters(shared);
}

static void stop_waiting(struct shared_slots *shared)
{
    struct slots *slots = lock_slots(shared);
    remove_waiter(slots);
    cell_unlock(shared->cell);
    shared->waiting = false;
    if (shared->bell)
        bell_deafen(shared->bell);
}

static bool register_waiter(struct shared_slots *shared)
{
    struct slots *slots = lock_slots(shared);
    bool added = add_waiter(slots);
    cell_unlock(shared->cell);
    return added;
}

int shared_slots_wait(struct shared_slots *shared, bool on, struct err *err)
{
    if (on == shared->waiting)
        return 0;
    if (!on) {
        stop_waiting(shared);
        return 0;
    }
    if (shared->bell && bell_listen(shared->bell, shared->loop, tell, shared, err) < 0)
        return -1;
    bool added = register_waiter(shared);
    if (!added) {
        reap_waiters(shared);
        added = register_waiter(shared);
    }
    shared->waiting = added;
    if (added)
        return 0;
    if (shared->bell)
        bell_deafen(shared->bell);
    return err_set(err, ERR_LIMIT, "more than %d processes wait", SLOTS_WAITERS);
}

struct shared_slots_use shared_slots_look(struct shared_slots *shared)
{
    reap_holders(shared);
    reap_waiters(shared);
    const struct slots *slots = lock_slots(shared);
    struct shared_slots_use use = {shared->limit, slots->held, slots->waiting};
    cell_unlock(shared->cell);
    return use;
}

/* ---- opening ---- */

struct shared_slots *shared_slots_open(struct home *home, struct str name, unsigned limit,
                                       struct loop *loop, void (*free_again)(void *owner),
                                       void *owner, bool *reset, struct err *err)
{
    if (limit < 1 || limit > SLOTS_MAX) {
        err_set(err, ERR_USAGE, "%u slots: there can be 1 to %d", limit, SLOTS_MAX);
        return NULL;
    }
    struct cell *cell = cell_open(home, &slots_kind, name, NULL, reset, err);
    if (!cell)
        return NULL;
    struct shared_slots *shared = mem_zalloc(sizeof *shared);
    shared->cell = cell;
    shared->bell = home ? bell_open(home, "slots", name) : NULL;
    shared->limit = limit;
    shared->loop = loop;
    shared->free_again = free_again;
    shared->owner = owner;
    shared->gave.run = tell_later;
    holder_watch_init(&shared->holders, loop, tell, shared);
    return shared;
}

void shared_slots_free(struct shared_slots *shared)
{
    if (!shared)
        return;
    if (shared->waiting)
        stop_waiting(shared);
    for (int i = 0; i < SLOTS_MAX; i++) {
        if (shared->mine[i])
            shared_slots_give(shared, i);
    }
    holder_watch_free(&shared->holders);
    if (shared->loop)
        loop_undefer(shared->loop, &shared->gave);
    bell_free(shared->bell);
    cell_free(shared->cell);
    free(shared->others);
    free(shared);
}

int shared_slots_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                      struct err *err)
{
    return cell_list(home, &slots_kind, each, owner, err);
}
