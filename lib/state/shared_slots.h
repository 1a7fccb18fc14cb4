/*
 * shared_slots.h: a bulkhead: at most so many at once, over all processes that share the name.
 *
 * A slot is a lease of a live process: when its holder is gone it is free, at the latest when
 * somebody wants one. Taking and giving cost no system call unless somebody waits. Who waits sleeps
 * in the kernel: on a bell that a giver rings if there are waiters, and on pidfds of the holders,
 * so that a kill -9 wakes it too (up to HOLDER_WATCH_MAX of them; that another one was killed is
 * noticed with the next give, or when somebody comes to take). All that wait are woken, and one
 * gets the slot: which, is left to chance.
 *
 * No wake-up is lost: a waiter registers, then looks again, then sleeps, and a giver looks for
 * waiters in the same lock in which it gives. To register is a lease, too.
 *
 * The number of slots is what each process says; one that says fewer takes none while that many are
 * held by all, whatever others allow. Slots are of a process: after a fork the child holds none.
 */
#ifndef FIT_STATE_SHARED_SLOTS_H
#define FIT_STATE_SHARED_SLOTS_H

#include "state/cell.h"
#include "state/home.h"
#include "sys/loop.h"

enum {
    SLOTS_MAX = 4096,     /* more are refused as a usage error */
    SLOTS_WAITERS = 1024, /* that wait for one name; the next is refused */
};

struct shared_slots;

struct shared_slots_use {
    unsigned limit, held, waiting; /* as far as they live */
};

/* home NULL: private. free_again is called in the loop when a slot may have become free, only while
 * shared_slots_wait is on. loop NULL: for who never waits. NULL with err. */
struct shared_slots *shared_slots_open(struct home *home, struct str name, unsigned limit,
                                       struct loop *loop, void (*free_again)(void *owner),
                                       void *owner, bool *reset, struct err *err);
void shared_slots_free(struct shared_slots *shared); /* gives back what it holds; NULL is a no-op */

/* The number of the slot, from 0, or -1: all are taken. */
int shared_slots_take(struct shared_slots *shared);
void shared_slots_give(struct shared_slots *shared, int slot);

/* Want one, or no longer. After turning it on, and each time that free_again was called, take once
 * more before sleeping: that also finds out whom to watch. -1 with err. */
int shared_slots_wait(struct shared_slots *shared, bool on, struct err *err);

struct shared_slots_use shared_slots_look(struct shared_slots *shared);

int shared_slots_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                      struct err *err);

#endif
