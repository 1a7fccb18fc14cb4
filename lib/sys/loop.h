/*
 * loop.h: the event loop: descriptors, timers, children, signals and deferred work.
 *
 * One thread, epoll underneath. Watches are embedded in their owner's struct (zeroed before first
 * use) and cost no allocation. Callbacks may add and remove any watch, also their own, and free its
 * owner: a ready event of a removed watch is never delivered. A regular file cannot be watched (it
 * never blocks): use loop_defer.
 *
 * Order within a turn: ready descriptors, signals, children and timers; then deferred work; then,
 * only if nothing is deferred and nothing was ready, the idle hooks; then it sleeps. Times are
 * clock_now() nanoseconds.
 */
#ifndef FIT_SYS_LOOP_H
#define FIT_SYS_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/types.h>

struct loop;

enum { LOOP_SIGNALS = 16 }; /* different signals that one loop can handle */

/*
 * Also ignores SIGPIPE, so that writing to a reader that has left is EPIPE, and gives SIGCHLD its
 * default disposition, as a parent may have passed it on ignored, which makes the kernel throw exit
 * statuses away.
 */
struct loop *loop_new(struct err *err);

/* Restores the signal mask and dispositions. Watches need not have been removed. */
void loop_free(struct loop *loop);

/* Until loop_stop: 0, or -1 when the kernel refuses to wait. Not to be called by a callback. */
int loop_run(struct loop *loop, struct err *err);
void loop_stop(struct loop *loop);

/* The time that the current turn began: cheap, good enough for deadlines. */
int64_t loop_now(const struct loop *loop);

/* ---- descriptors ---- */

struct loop_fd {
    /* events: EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR. */
    void (*ready)(struct loop_fd *watch, uint32_t events);
    int fd;
    uint32_t events; /* what is waited for; 0: paused */
    bool active;
};

/* Watch fd (level-triggered). -1 with errno EPERM for a regular file. */
int loop_fd_add(struct loop *loop, struct loop_fd *watch, int fd, uint32_t events);

/* 0 events: it stays active, but paused. */
int loop_fd_change(struct loop *loop, struct loop_fd *watch, uint32_t events);

/* To be called before close(2). No-op when not active. */
void loop_fd_remove(struct loop *loop, struct loop_fd *watch);

/* ---- timers ---- */

struct loop_timer {
    void (*fire)(struct loop_timer *timer);
    int64_t at;
    uint32_t place; /* 1 + index in the heap; 0: not set */
};

/*
 * Moves it if it is set. Timers fire in the order of their times; of the same time, in the order in
 * which they were set. One that is set to the past by a firing timer waits for the next turn.
 */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at);
void loop_timer_clear(struct loop *loop, struct loop_timer *timer); /* no-op when not set */

/* ---- children ---- */

struct loop_child {
    /* It ended and was reaped; status as of waitpid. */
    void (*exited)(struct loop_child *child, int status, const struct rusage *usage);
    struct loop_fd watch;
    struct loop *loop;
    pid_t pid; /* 0 after it was reaped */
};

/*
 * Watch a child process through a pidfd; it is reaped when it ends. -1 with errno. A status that
 * somebody else has collected is reported as exit status 255.
 */
int loop_child_add(struct loop *loop, struct loop_child *child, pid_t pid);

/* Stop watching: the process is the caller's to reap. No-op when it is not watched. */
void loop_child_remove(struct loop *loop, struct loop_child *child);

/* ---- signals ---- */

/*
 * Call handle in the loop (not in signal context) whenever signo arrives, also if it was ignored.
 * The signal is blocked and read from a descriptor: no system call is interrupted. -1 with errno,
 * ENOSPC for more than LOOP_SIGNALS signals.
 */
int loop_signal(struct loop *loop, int signo, void (*handle)(void *context, int signo),
                void *context);

/* ---- deferred work and idleness ---- */

struct loop_task {
    void (*run)(struct loop_task *task);
    struct loop_task *next;
    bool queued;
};

/*
 * Run task once, in the next turn, after a look at the descriptors. Queueing a queued task does
 * nothing.
 */
void loop_defer(struct loop *loop, struct loop_task *task);
void loop_undefer(struct loop *loop, struct loop_task *task);

struct loop_idle {
    void (*run)(struct loop_idle *idle);
    struct loop_idle *next;
};

/* Call before the loop sleeps: to flush what was gathered. */
void loop_idle_add(struct loop *loop, struct loop_idle *idle);
void loop_idle_remove(struct loop *loop, struct loop_idle *idle);

#endif
