/*
 * internal.h: the engine's own structs, shared by the files that make up the engine. Internal to
 * lib/engine.
 *
 * engine.c sets up, with opening.c for the functions and engine_state.c for what is kept; run.c
 * runs, admit.c takes events and starts jobs, job.c hears from the plan what became of them,
 * settle.c writes results and settles outcomes; ending.c ends a run early, closing.c closes the
 * functions. A job is on exactly one of the lists below, in the order of its life; a silent one
 * that has only to be counted is on none.
 */
#ifndef FIT_ENGINE_INTERNAL_H
#define FIT_ENGINE_INTERNAL_H

#include "engine/deadletter.h"
#include "engine/engine.h"
#include "engine/identity.h"
#include "engine/report.h"
#include "engine/serial.h"
#include "sys/reader_watch.h"
#include "sys/stream.h"

enum job_state { JOB_HELD, JOB_STARTED, JOB_FINISHED, JOB_EMITTING, JOB_EMITTED };

/* What every job needs stands in front, on few cache lines. */
struct engine_job {
    struct job job; /* first: what plans see */
    struct engine_job *next, *prev;
    enum job_state state;
    enum source_outcome outcome;
    uint64_t token;
    uint64_t run_place; /* recall.h */
    size_t cost;        /* bytes that it holds */
    bool silent;        /* on no list until it is finished: nobody waits for its results */
    bool has_results;   /* which must be written before it is settled */
    bool unsaid;        /* they could not be written */
    bool made, asks;    /* as in source_event */
    bool spared;        /* what is kept for it stays, for a later run */
    struct slice lines; /* the first results; most jobs have no others */
    struct result *more, *last_more;
    struct letter *letters, *last_letter; /* to be written when it is emitted */
    struct buf id;
    struct serial_place place;
    unsigned letters_open; /* being written */
    size_t emitted;        /* bytes of the slice at hand that are in the sink */
    uint64_t mark;         /* where its results end in the sink; nowhere, if that has failed */
    uint64_t length;       /* of an oversized line; else 0 */
    struct parked *parked; /* NULL: it is the only job of its event */
    struct fn_kept *kept;  /* answers that it has made use of once it is settled */
    struct engine_job *next_released;
};

/* Further results of a job. */
struct result {
    struct result *next;
    struct slice lines;
};

struct observer {
    void (*attempted)(void *owner, const struct fn_attempt *attempt);
    void *owner;
};

struct job_list {
    struct engine_job *first, *last;
};

struct engine {
    const struct common_options *options;
    struct loop *loop;
    struct rng rng;
    struct fn_context context;
    bool redrives;     /* FIT_REDRIVE: the events are dead letters of the state */
    char *state;       /* the path of the state, as far as the user named it; else NULL */
    struct home *home; /* NULL: nothing has needed it yet */
    struct store *store;
    struct store *memory;  /* NULL: nothing has needed it yet */
    struct recall *recall; /* NULL: no --ledger */
    struct json_paths *paths;
    struct json_value *values;   /* of the scan under way */
    struct fn_settings settings; /* of the options, with the policy */
    struct policy *policy;       /* NULL: none is asked for */
    void (*policy_changed)(void *owner);
    void *policy_owner;
    struct fn **fns;
    size_t fn_count;
    struct plan *plan;
    struct source *source;
    struct identity *identity;
    bool wants_id;         /* identities are needed when a job starts */
    struct serial *serial; /* NULL: no --serial-by */
    struct jq_program *serial_by;
    struct engine_job *released; /* held jobs whose turn has come */
    struct loop_task start_held; /* starts them */

    struct job_list order;    /* held, started, finished: as read */
    struct job_list emitting; /* finished, and everything before them emitted */
    struct job_list emitted;  /* waiting for their bytes to be written */
    struct engine_job *free;
    unsigned window; /* jobs on the three lists */
    uint64_t parked; /* events that have not ended, whose jobs may have left it (job_park) */
    size_t window_bytes;

    struct stream_out out; /* the sink */
    struct stream_out err; /* stderr: functions' words, letters without another place, messages */
    struct deadletter *deadletter;
    struct fn *dead_sink;           /* of --dead; NULL: the state, or stderr */
    bool letters_kept;              /* in the state */
    struct buf origin;              /* deadletter_origin, once a kept letter has needed it */
    struct fn_context dead_context; /* its own: writing letters counts as no attempt */
    struct report report;
    struct observer *observers;
    size_t observer_count;
    struct reporting *reporting; /* NULL while the engine is being made */

    struct loop_task take; /* takes events */
    struct loop_task turn; /* another turn, so that letters gathered while idle go out, too */
    struct loop_idle idle; /* flushes */
    struct loop_timer budget, grace;
    int64_t flushed_at;
    uint64_t finished, died; /* jobs that their plans have ended; for --halt */
    struct err failure;      /* the last one that was said (engine_fail) */
    bool settling, settle_again;
    bool started; /* engine_run has begun */
    bool source_ended;
    bool stopping;              /* no more events are taken */
    struct reader_watch reader; /* of stdout */
    bool unread;                /* it has left, which is to be looked at when an event has ended */
    bool reader_gone;           /* EPIPE on stdout */
    bool out_failed;            /* another error there */
    bool failed;                /* exit status 1 */
    bool letters_said;          /* on stderr */
    bool budget_spent;
    bool halted;
    bool closing; /* the functions are being closed */
    size_t closed;
    size_t removing; /* functions that are closed while the fitting runs */
    int signal;      /* the first that arrived */
};

/* ---- ending.c ---- */
void engine_ended(struct engine *engine);      /* no more events will come */
void engine_check_halt(struct engine *engine); /* --halt, after an event has died */
void ending_drain(struct engine *engine); /* stop, and cancel what has not ended after the grace */
int ending_watch_signals(struct engine *engine);
void ending_budget_over(struct loop_timer *timer);
void ending_watch_reader(struct engine *engine);
void ending_check_reader(struct engine *engine); /* an event has ended, and nobody reads stdout */

/* ---- closing.c ---- */
void engine_check_end(struct engine *engine); /* close the functions once nothing is left */

/* ---- engine_state.c ---- */
/* Where it is, as far as the user says. */
int engine_state_open(struct engine *engine, struct err *err);
void engine_state_free(struct engine *engine);
struct home *engine_state_find(void *owner, struct err *err);   /* fn_context.home */
struct store *engine_state_store(void *owner, struct err *err); /* fn_context.store */

/* ---- opening.c ---- */
void opening_init(struct engine *engine);               /* the context of all functions */
void opening_fatal(void *owner, const struct err *err); /* fn_context.fatal */

/* ---- engine.c ---- */
void engine_say(void *owner, struct str lines); /* on stderr; fn_context.say */
void engine_warn(void *owner, const char *text);
void engine_fit_values(struct engine *engine); /* programs were compiled: values for their paths */

/* ---- run.c ---- */
void run_out_progress(struct stream_out *out); /* the sink was written, or has failed */
void run_idle(struct loop_idle *idle);         /* nothing is at hand: what was gathered goes out */
void run_turn(struct loop_task *task);         /* nothing but that the loop turns once more */

/* ---- admit.c ---- */
void admit_wake(struct engine *engine); /* there may be events, and room for them */
struct engine_job *admit_new_job(struct engine *engine, struct slice event, uint64_t length);
bool admit_window_full(const struct engine *engine);
void admit_next_of_key(struct engine *engine,
                       struct engine_job *job); /* a job has ended: the next of its key may start */
void admit_task(struct loop_task *task);

/* ---- settle.c ---- */
void settle_finish(struct engine_job *job); /* its plan has ended it */
void settle_advance(struct engine *engine); /* those before have ended, or are waited for no more */
void settle_progress(struct engine *engine); /* something was written, or can be */
void settle_letter_written(struct engine_job *job);
void settle_write_letters(struct engine_job *job);
void settle_add_letter(struct engine_job *job, struct str event, struct failure *failure,
                       const struct letter_way *way);
void settle_whole_letter(struct engine_job *job, struct failure *failure); /* takes it over */
void settle_flush(struct engine *engine);

/* Will the source be asked for events? */
static inline bool engine_takes(const struct engine *engine)
{
    return !engine->source_ended && (!engine->stopping || engine->source->drains);
}

/* The job holds so many bytes more, of results or letters, until it is settled. */
static inline void engine_add_cost(struct engine_job *job, size_t bytes)
{
    job->cost += bytes;
    job->job.engine->window_bytes += bytes;
}

static inline struct engine_job *engine_job_of(struct job *job)
{
    return (struct engine_job *)(void *)job;
}

#endif
