/*
 * pool.h: what kinds of functions with long-lived workers have in common. Internal to lib/fn.
 *
 * A worker is a process that answers many events. Each has one of the function's slots; it is
 * started when there is an event for it and all others are busy, and its place is taken by a new
 * one when it has served its time (max_uses, max_age). If workers end without one answer, the next
 * starts after a pause that grows. The kind speaks with the worker and watches its process; the
 * pool decides which worker gets an event, and when one is started or let go.
 *
 * A call for which a worker was started is not bound to it: the first one that is known to take it
 * at once gets it (pool_hand_on.c). The new one is sent the call at once, as most do not say when
 * they are ready but by an answer; while it has not begun to read, the call is taken back for one
 * that is warm and has nothing to do.
 *
 * After fn_prepare a pool keeps min_workers that take events, whether or not there are calls
 * (pool_keep.c). A worker that is started for that is sent the ping first, and is ready when it has
 * answered. The ping is a call of the pool's own: an attempt that counts in nothing. Calls do not
 * wait for it if another worker can be started; with --pipeline they may stand behind it, and go
 * back uncounted if it fails.
 *
 * A worker gives up its slot (pool_leaves) as soon as nothing is in flight to it and it takes no
 * more; its process may go on for the grace, until pool_gone. So a slot has at most one worker, and
 * every worker is either in its slot or on the list of those that are ending.
 */
#ifndef FIT_FN_POOL_H
#define FIT_FN_POOL_H

#include "fn/kind.h"
#include "fn/pool_process.h"

enum {
    POOL_BYTES = 128 * 1024, /* bytes in flight to one worker; one larger event goes alone */
    POOL_CRASH_LIMIT =
        16, /* failed starts beyond it no longer lengthen the pause before the next */
};

enum pool_state {
    POOL_READY,    /* takes events */
    POOL_FINISHED, /* takes no more, but keeps its slot until what is in flight is answered */
    POOL_ENDING,   /* nothing is in flight; it is being ended */
};

/* What a kind's own struct of a worker begins with. Zeroed; set up by the pool but for what is
 * said. */
struct pool_worker {
    struct fn *fn; /* the kind's to set at the start */
    unsigned slot; /* 1 .. jobs; the same */
    struct pool_process process;
    enum pool_state state; /* the kind's to move on */
    struct fn_list flight; /* the kind's: calls sent and not answered, oldest first */
    size_t flight_bytes;   /* the kind's: bytes of their events */
    unsigned depth;        /* how many may be in flight; from 1 on, the kind's to adapt */
    uint64_t uses;         /* events sent, but for the ping */
    uint64_t answers;      /* the kind's: to all events */
    int64_t born;          /* clock_now */
    int64_t last_heard;    /* the kind's: loop_now of the last answer, or of the last event that was
                              sent while none was in flight */
    bool dirty;            /* has gathered lines to be flushed */
    bool finished, cancelled; /* it was told to */
    bool unready; /* the kind's: it has not said yet that it takes events. One that never says so
                     has it false; pool_tend when it has */
    bool warm;    /* the kind's: it has answered, or said that it is ready */
    bool reading; /* it has begun with the first event that it was sent */
    bool kept;    /* it is there without a call that waits for it */
    bool pinging; /* the ping is in flight; it is not ready yet */
    bool pinged;  /* and was answered: one of its answers */
    struct fn_call ping;
    struct pool_worker *next; /* in the list of those that are ending */
};

/* What a kind can do with a worker. Calls are ended with attempt_end and attempt_return. */
struct pool_kind {
    /* Start the process. NULL with err. */
    struct pool_worker *(*start)(struct fn *fn, unsigned slot, struct err *err);
    /* Send one event, with call->run set to the worker; may be gathered until flush, which is
     * called before the loop sleeps. */
    void (*send)(struct pool_worker *worker, struct fn_call *call);
    void (*flush)(struct pool_worker *worker); /* NULL: nothing is gathered */
    /* Take no more events; when those in flight are answered, end. No-op when it is ending. */
    void (*finish)(struct pool_worker *worker);
    /* End it; every call in flight fails with the reason. With now its process is killed at once,
     * also when it is ending. */
    void (*cancel)(struct pool_worker *worker, enum failure_reason reason, bool now);
    /* Take back all calls in flight, if the worker has seen nothing of them: true, and *calls has
     * them. */
    bool (*take_back)(struct pool_worker *worker, struct fn_list *calls);
    void (*free)(struct pool_worker *worker);
};

/* A pool is the first member of the kind's own state (fn->state). */
struct pool {
    /* Private to pool*.c. */
    const struct pool_kind *kind;
    struct fn *fn;
    struct pool_worker **slots;  /* settings.jobs of them; NULL: no worker */
    unsigned running;            /* slots with a worker */
    struct pool_worker *current; /* being filled */
    struct pool_worker *ending;  /* out of their slot, not yet gone */
    struct loop_task flush;      /* sends what this turn has gathered */
    struct loop_timer restart;
    bool starting;          /* some worker may not have begun with its first event */
    unsigned failed_starts; /* in a row: workers that ended before they were of use */
    bool warned;            /* of them; once is enough */
    bool paused;            /* no new worker before the restart timer fires */
    bool closing;
    bool keeping; /* fn_prepare was called */
    bool told_prepared;
    struct loop_task tend;  /* start those that are missing */
    struct loop_timer look; /* when the next may have been idle for too long, or too old */
    bool told_stray;        /* the kind's: that a worker printed what answers no event */
    uint64_t started, crashed;
};

void pool_init(struct pool *pool, struct fn *fn, const struct pool_kind *kind);
void pool_free(struct pool *pool); /* after it has closed, or before a worker was started */

/* ---- what a fn_kind with workers is made of; fn->state is a pool ---- */
bool pool_has_slot(const struct fn *fn);
void pool_begin(struct fn *fn, struct fn_call *call);
void pool_crash(struct fn *fn, struct fn_call *call);
void pool_cancel(struct fn *fn, enum failure_reason reason, bool now);
void pool_close(struct fn *fn);
void pool_prepare(struct fn *fn);
struct fn_workers pool_workers(const struct fn *fn);
/* A call in flight is ended, and instead takes its place: its answer will come as always. */
void pool_forsake(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                  enum failure_reason reason);

/* ---- for the kinds: what has become of a worker ---- */

/*
 * It takes no more and its slot is free. Nothing is in flight, or the kind gives up what is right
 * behind this: calls in flight say that it did not end well. Once, before pool_gone.
 */
void pool_leaves(struct pool_worker *worker);
/* Calls that it had have ended, or it has become ready: it may have others. */
void pool_freed(struct fn *fn);
/* Of its first answer, how long it took from its start; 0: it was not started for that call. */
int64_t pool_init_time(const struct pool_worker *worker);
/* Its process is gone: the last use of the struct, which is freed. */
void pool_gone(struct pool_worker *worker);

/* ---- between pool.c, pool_keep.c and pool_hand_on.c ---- */

/* An event for a worker that has room. */
void pool_give(struct pool_worker *worker, struct fn_call *call);

/* NULL with err. */
struct pool_worker *pool_start(struct pool *pool, unsigned slot, struct err *err);
void pool_failed_start(struct pool *pool); /* the next start comes after a pause */
void pool_lost_unused(struct pool *pool);  /* that was one which had no event in flight */
void pool_finish(struct pool_worker *worker);
bool pool_is_old(const struct pool_worker *worker); /* beyond max_age */
void pool_keep_init(struct pool *pool);
void pool_keep_end(struct pool *pool);
/* A worker was started, has left its slot or will: look in this turn whether one is missing, and
 * by the timer whether one has become idle or old. */
void pool_tend(struct pool *pool);

#endif
