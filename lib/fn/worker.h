/*
 * worker.h: one line worker: a process that answers each line with one line, in order. Internal to
 * lib/fn.
 *
 * worker.c speaks the protocol and watches the process; lines.c keeps the pool and decides which
 * worker gets an event. A worker tells its pool what became of each call through attempt_end and
 * attempt_return, and of itself through worker_gone.
 */
#ifndef FIT_FN_WORKER_H
#define FIT_FN_WORKER_H

#include "fn/errlines.h"
#include "fn/kind.h"
#include "sys/spawn.h"
#include "sys/stream.h"

enum {
    WORKER_BYTES = 128 * 1024, /* bytes in flight to one worker; one larger event goes alone */
    WORKER_QUICK_US = 50,      /* answers that come faster than this deepen the pipeline, */
    WORKER_SLOW_US = 1000,     /* and slower ones reduce it to one event at a time */
    WORKER_STALL_S =
        10, /* a first answer later than this is worth a warning: is its output buffered? */
};

enum worker_state {
    WORKER_READY,    /* takes events */
    WORKER_FINISHED, /* takes no more, but keeps its slot until what is in flight is answered */
    WORKER_ENDING,   /* nothing is in flight; it is being ended */
};

struct worker {
    struct fn *fn;
    unsigned slot;
    enum worker_state state;
    pid_t pid;
    struct spawn_tree tree; /* whom SIGTERM went to */
    struct loop_child child;
    struct stream_out in;
    struct loop_fd out;
    struct errlines errors;
    struct block *block;   /* read into; the answers are slices of it */
    size_t from;           /* where the line begins that is not yet whole */
    size_t searched;       /* no LF between from and it */
    struct fn_list flight; /* calls sent and not answered, oldest first */
    size_t flight_bytes;
    unsigned depth; /* how many may be in flight */
    uint64_t uses;  /* events sent */
    uint64_t answers;
    int64_t born, last_heard; /* clock_now */
    struct loop_timer timer;  /* the timeout of the oldest call; later the grace */
    bool dirty;               /* has gathered lines to be flushed */
    struct worker *next;      /* in the pool's list of those that are ending */
};

/* Start the process. NULL with err. */
struct worker *worker_start(struct fn *fn, unsigned slot, char *const *envp, struct err *err);

bool worker_has_room(const struct worker *worker);
/* Send one event: its line is gathered until worker_flush. */
void worker_send(struct worker *worker, struct fn_call *call);
void worker_flush(struct worker *worker);

/* Take no more events; end when those in flight are answered, by closing its input; SIGTERM,
 * SIGKILL if it stays. */
void worker_finish(struct worker *worker);
/* End it now. The oldest call fails with failure (taken over), the younger ones go back to the
 * queue. */
void worker_break(struct worker *worker, struct failure *failure);
/* A call in flight is ended, and instead takes its place: its answer will come as always. */
void worker_forsake(struct worker *worker, struct fn_call *call, struct fn_call *instead);
/* End it; every call in flight fails with reason. */
void worker_cancel(struct worker *worker, enum failure_reason reason, bool now);

/* ---- lines.c, for worker.c ---- */
void worker_leaves(
    struct worker *worker);              /* nothing is in flight, it is ending: its slot is free */
void worker_gone(struct worker *worker); /* its process is gone: the last use of the struct, which
                                            the pool frees */

#endif
