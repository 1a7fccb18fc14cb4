/*
 * exec_run.h: a process that makes one attempt at a call. Internal to lib/fn.
 *
 * The event's line is on its stdin, then the end; what it prints is the result; its exit ends the
 * attempt, not the end of its output, which a grandchild may hold open for ever. An event that fits
 * is written into the pipe before the process is started, which costs nothing and cannot deadlock;
 * the rest of a larger one is written while its output is read.
 *
 * A run is used again, one process after another; exec.c keeps them, one for each slot.
 */
#ifndef FIT_FN_EXEC_RUN_H
#define FIT_FN_EXEC_RUN_H

#include "fn/collect.h"
#include "fn/errlines.h"
#include "fn/kind.h"
#include "sys/spawn.h"

struct environment;

struct exec_run {
    struct fn *fn;
    struct fn_call *call; /* NULL: the slot is free */
    unsigned slot;
    pid_t pid;
    struct spawn_tree tree; /* whom SIGTERM went to; the zero value while it is not being ended */
    struct loop_child child;
    struct loop_fd in, out;
    struct errlines errors;
    struct collect output;
    struct buf input; /* what the process reads; kept for --raw and for the last LF */
    size_t input_sent;
    size_t input_bytes;
    struct loop_timer timer; /* the timeout, then the grace */
    struct failure *failure; /* why it is being ended; NULL while it is not */
    bool crash;              /* --fault: it is killed, and has failed even if it was quicker */
    void (*ended)(struct exec_run *run, struct failure *failure,
                  const struct attempt_report *report);
    struct exec_run *next_free; /* exec.c's */
};

/* The run of that slot (1..). The process of each start is told of once, when nothing of it is
 * left: ended takes over the failure (NULL: call->lines and count are set) and may start the next.
 */
struct exec_run *exec_run_new(struct fn *fn, unsigned slot,
                              void (*ended)(struct exec_run *run, struct failure *failure,
                                            const struct attempt_report *report));
void exec_run_free(struct exec_run *run); /* nothing runs */

/* Start a process for run->call. NULL, or why not: then there is none, and ended is not called. */
struct failure *exec_run_start(struct exec_run *run, char *const *argv,
                               struct environment *environment);

/* End it: SIGTERM and after the grace SIGKILL, or that now. Its exit ends the attempt, with this
 * failure, which is taken over; the first one counts. */
void exec_run_end(struct exec_run *run, struct failure *failure, bool now);

#endif
