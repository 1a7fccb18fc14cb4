/*
 * worker.h: one line worker: a process that answers each line with one line, in order. Internal to
 * lib/fn.
 *
 * worker.c speaks the protocol and watches the process; pool.c keeps the workers and decides which
 * of them gets an event. A worker tells its pool what became of each call through attempt_end and
 * attempt_return, and of itself through pool_leaves and pool_gone.
 */
#ifndef FIT_FN_WORKER_H
#define FIT_FN_WORKER_H

#include "fn/errlines.h"
#include "fn/pool.h"
#include "fn/worker_lines.h"
#include "sys/stream.h"

enum {
    WORKER_QUICK_US = 50,  /* answers that come faster than this deepen the pipeline, */
    WORKER_SLOW_US = 1000, /* and slower ones reduce it to one event at a time */
    WORKER_STALL_S =
        10, /* a first answer later than this is worth a warning: is its output buffered? */
};

struct worker {
    struct pool_worker base; /* first */
    struct stream_out in;
    struct loop_fd out;
    struct errlines errors;
    struct worker_lines lines; /* the answers */
};

/* Start the process. NULL with err. */
struct pool_worker *worker_start(struct fn *fn, unsigned slot, char *const *envp, struct err *err);

/* ---- as struct pool_kind asks for ---- */
void worker_send(struct pool_worker *base, struct fn_call *call);
void worker_flush(struct pool_worker *base);
/* Its input is closed when nothing is in flight; SIGTERM, SIGKILL if it stays. */
void worker_finish(struct pool_worker *base);
void worker_cancel(struct pool_worker *base, enum failure_reason reason, bool now);
bool worker_take_back(struct pool_worker *base, struct fn_list *calls);
void worker_free(struct pool_worker *base);

#endif
