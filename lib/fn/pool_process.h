/*
 * pool_process.h: the process of a worker, and how it is ended. Internal to lib/fn: for the kinds
 * of workers, and pool.h.
 *
 * Signals reach all that the process has started, also what has left its group. The end comes in
 * steps, each after the grace, which one timer measures: the same that its kind uses for a timeout
 * before.
 */
#ifndef FIT_FN_POOL_PROCESS_H
#define FIT_FN_POOL_PROCESS_H

#include "sys/loop.h"
#include "sys/spawn.h"

struct pool_worker;

struct pool_process {
    pid_t pid;               /* the kind's to set, and to watch */
    struct loop_child child; /* the same */
    struct spawn_tree tree;  /* whom a signal has reached */
    struct loop_timer timer; /* a timeout of the kind's; then the grace */
};

/* No-op when it has been reaped. */
void pool_process_signal(struct pool_worker *worker, int signo);
/* The same for its group alone, which costs no look at /proc. */
void pool_process_signal_group(struct pool_worker *worker, int signo);
/* It starts nothing more: for several that are killed together (spawn_tree_stop). */
void pool_process_stop(struct pool_worker *worker);

/* Set the timer: so long from now, nanoseconds. */
void pool_process_wait(struct pool_worker *worker, void (*fire)(struct loop_timer *timer),
                       int64_t delay);
/* SIGKILL after the grace. */
void pool_process_kill_later(struct pool_worker *worker);
/* That signal, and SIGKILL after the grace. */
void pool_process_end(struct pool_worker *worker, int signo);
/* After the grace SIGTERM, after another SIGKILL. */
void pool_process_end_later(struct pool_worker *worker);

/* It was reaped: clear the timer, and kill what it has left behind, in its group and of those who
 * were signalled outside. */
void pool_process_gone(struct pool_worker *worker);

#endif
