/*
 * function.h: functions, and how one is called.
 *
 * A function is opened from the user's words; the first may carry a scheme that picks its kind: a
 * process for each event, a line worker, a file, standard output. A call hands it one event and
 * ends exactly once, with results or with a failure. Between the two stand the policies: attempts
 * and back-off, and what policy.h tells of.
 *
 * A function runs a bounded number of calls at once; more of them wait in order. It must not know
 * of jobs, windows, or dead letters.
 */
#ifndef FIT_FN_FUNCTION_H
#define FIT_FN_FUNCTION_H

#include "base/block.h"
#include "base/err.h"
#include "base/rng.h"
#include "fn/failure.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

enum {
    FN_STDERR_TAIL =
        4096, /* bytes of a function's stderr that a dead letter keeps: the last ones */
    FN_SPILL = 256 * 1024, /* a result over this size waits in an unlinked temporary file */
    FN_PIPELINE_MAX = 512, /* events in flight to one line worker at most */
    FN_MAX_JOBS = 10000,   /* calls at once of one function; more are refused as a usage error */
};

struct fn_fault {  /* --fault: what goes wrong on purpose, for each attempt */
    double fail;   /* probability that it fails without being made */
    double crash;  /* probability that its process is killed */
    int64_t delay; /* before it is made, nanoseconds */
};

struct fn_http;
struct fn_limits;
struct policy;

struct fn_settings {
    unsigned jobs;        /* calls at once: processes, or workers; from 1 on */
    unsigned buffer;      /* calls that may wait for it before it has no room; 0: as many as jobs */
    int64_t timeout;      /* of one attempt, nanoseconds; 0: none */
    int64_t grace;        /* from SIGTERM to SIGKILL */
    unsigned retries;     /* attempts after the first */
    int64_t backoff_base; /* full jitter: pattern/retry.h */
    int64_t backoff_cap;
    size_t max_result;    /* bytes of a call's results; more is a bad result */
    bool text;            /* each output line becomes a JSON string */
    bool document;        /* a process's output may be one value on several lines (poll --check) */
    bool raw;             /* a string event is handed over without its quotes */
    bool literal;         /* no placeholders */
    unsigned pipeline;    /* events in flight to one worker; 0: as many as it answers quickly */
    uint64_t max_uses;    /* events after which a worker is replaced; 0: never */
    int64_t max_age;      /* nanoseconds after which it is; 0: never */
    unsigned min_workers; /* kept running, whether or not there are calls (fn_prepare); 0: a worker
                             is started for its first event */
    int64_t idle;         /* one beyond these that had no event for so long is ended; 0: never */
    const char *ping; /* JSON: a worker that fn_prepare starts is ready when it has answered this
                         event; NULL: when its process runs. Counts in nothing */
    struct fn_fault fault;
    const struct fn_http *http;     /* of a URL (http.h); NULL: nothing was said */
    const struct fn_limits *limits; /* of its processes (limits.h); NULL: none */
    struct policy *policy;          /* what stands around the calls (policy.h); NULL: nothing */
    const char *replies; /* of a queue: its calls are requests, and this is the name of the reply
                            set (request.c); NULL: it only takes */
};

extern const struct fn_settings
    fn_defaults; /* one job, no timeout, 2 s grace, no retries, 16 MiB */

struct fn;
struct fn_call;
struct fn_kept;
struct home;
struct store;

/* One ended attempt, for traces, metrics and reports. Valid during the callback. */
struct fn_attempt {
    const struct fn_call *call;
    unsigned number;  /* 1, 2, ... */
    unsigned slot;    /* 1 .. jobs; 0: none was taken */
    int64_t started;  /* clock_wall */
    int64_t duration; /* nanoseconds, from the start of the process or the write to the worker */
    int64_t init; /* of a cold worker: from its start to this, its first, answer; 0: warm, or not a
                     worker */
    size_t bytes_in, bytes_out;
    pid_t pid;
    const struct failure *failure; /* NULL: success */
    const struct rusage *usage;    /* of a process per event, else NULL */
};

/* What the functions of one fitting share; outlives them. Callbacks are called from the loop and
 * may be NULL but for say. */
struct fn_context {
    struct loop *loop;
    struct rng *rng;
    const char *command;                        /* FIT_COMMAND */
    const char *path;                           /* where programs are searched (PATH) */
    const char *temp_dir;                       /* for results over FN_SPILL */
    char *const *environment;                   /* inherited by the functions */
    const char *state;                          /* FIT_STATE; NULL: as inherited */
    uint64_t attempts, failed_attempts;         /* counted by lib/fn */
    void *owner;                                /* for the callbacks */
    void (*say)(void *owner, struct str lines); /* whole lines from a function's stderr */
    void (*attempted)(void *owner, const struct fn_attempt *attempt);
    void (*room)(void *owner); /* a function that was full can take calls again */
    void (*prepared)(void *owner, struct fn *fn); /* fn_prepare: min_workers are ready */
    /* Before that: one has ended before it was ready, or cannot be started; failed: so many times
     * in a row, errors: the end of what it has said. */
    void (*unprepared)(void *owner, struct fn *fn, unsigned failed, const char *why,
                       struct str errors);
    void (*warn)(void *owner, const char *text); /* something that a person should know */
    void (*fatal)(void *owner,
                  const struct err *err); /* a file or a queue can no longer be written */
    /* The store of the state directory, the owner's; NULL with err. NULL: there are no queues. */
    struct store *(*store)(void *owner, struct err *err);
    /* The directory itself, for what needs no store; the same, and not made: ERR_NOT_FOUND if it is
     * not there. NULL: there are no pools. */
    struct home *(*home)(void *owner, struct err *err);
};

/* ---- opening and closing ---- */

/*
 * Open a function from words (copied), or from one string that is split first. NULL with ERR_USAGE,
 * ERR_NOT_FOUND (exit 127), ERR_NOT_USABLE (126), ERR_SYSTEM. Starts no process: that is left to
 * the first call.
 */
struct fn *fn_open(struct fn_context *context, const struct fn_settings *settings,
                   char *const *words, size_t count, struct err *err);
struct fn *fn_open_string(struct fn_context *context, const struct fn_settings *settings,
                          const char *text, struct err *err);

const char *fn_name(const struct fn *fn); /* as the user wrote it, for dead letters and messages */
/* file:, queue:, topic: or -, whose calls give back no result of their own */
bool fn_is_sink(const struct fn *fn);
bool fn_is_silent(const struct fn *fn); /* and not -: they end without results */
/* The same of one that is not opened, which would make the file. -1 with err: it is none. */
int fn_string_is_silent(const char *text, struct err *err);
bool fn_wants_id(const struct fn *fn); /* calls must carry the event's identity */

/*
 * End what still runs when no call is left: workers see the end of their input and are given the
 * grace, gathered lines are written. closed is called once, perhaps at once. Then fn_free.
 */
void fn_close(struct fn *fn, void (*closed)(void *owner), void *owner);
void fn_free(struct fn *fn); /* NULL is a no-op */

/* ---- calling ---- */

struct fn_call {
    /* Filled in by the caller, who owns the struct until done is called. The rest zeroed. */
    struct slice event; /* one validated JSON value; the caller's reference, kept until done */
    struct str id;      /* identity of the event; {NULL, 0} only if !fn_wants_id */
    struct str
        scope; /* what of the event this is ("2" for stage or part 2), into FIT_IDEMPOTENCY_KEY */
    uint64_t number;   /* of the event or part in its input, for logs of attempts; 0: none */
    uint64_t key;      /* of a policy that tells keys apart: hash_64 of it, not 0 */
    struct str cursor; /* FIT_CURSOR, as it stands there (poll --cursor); {NULL, 0}: none */
    bool ping;  /* it only keeps the function warm, and a pool is told so: there it is aside */
    bool aside; /* it counts in nothing: it passes by the policy, is tried once, and no attempt is
                   counted or reported */
    void (*done)(struct fn_call *call); /* exactly once; may be called before fn_call returns */
    void *owner;
    struct fn_kept **kept; /* what is to be told when the answer was made use of is put there, in
                              front (fn_kept_end); NULL: it is of no use beyond done */
    /* The answer, valid from done on and the caller's to drop and free. */
    struct slice lines;      /* the results, each a line of JSON with its LF */
    size_t count;            /* how many */
    struct failure *failure; /* NULL: success */
    unsigned attempts;
    int64_t init; /* of an attempt that met a cold worker, as in fn_attempt; 0: none did */
    bool shown;   /* it is the answer of an earlier run, and was printed then (engine/recall.h) */
    /* Private to fn/. */
    struct fn *fn;
    struct fn_call *next, *prev;
    void *run;        /* the process or worker that has it, while it runs */
    bool unwanted;    /* it stands in for one that was ended */
    bool own;         /* its attempt is its kind's own: nothing else knows of it */
    void *pass;       /* what it holds of the policy (gate.c); NULL: nothing */
    unsigned refused; /* attempts that a policy did not allow */
    struct loop_timer timer;
    int64_t first_at, started; /* clock_now of the first and of this attempt */
    uint64_t mark;             /* where it ends in a file's stream */
    int state;
};

/* Begin a call. Many may be begun: what the function cannot run now waits its turn. */
void fn_call(struct fn *fn, struct fn_call *call);

/*
 * End a call that nobody waits for any more: its done is called before this returns, with that
 * reason as its failure. What has begun goes on without it. A process is ended: SIGTERM to its
 * group, the grace, SIGKILL. A worker is let finish, because others stand behind it in its
 * pipeline and because it is warm: its answer is thrown away. Until then both keep their slot, and
 * what they hold of the policy; fn_close waits for them.
 *
 * False: nothing was done, and done has been called or will be as always. The call has ended, or
 * its line is on its way into a file or a queue, which cannot be taken back.
 */
bool fn_end(struct fn_call *call, enum failure_reason reason);

/*
 * An answer that is kept elsewhere until it has been made use of, so that a run that is killed
 * before finds it again: that of a request to a queue. Several are a list, of any functions.
 */
struct fn_kept {
    struct fn_kept *next;
    struct fn *fn;
};

/* used: it may go now. Else it stays, for a later run. Frees the list; NULL is a no-op. */
void fn_kept_end(struct fn_kept *kept, bool used);

/*
 * The lean form of a call, for millions of lines into a file: no answer but that it is written.
 * Zeroed by the caller, who owns it until done is called, which is not before fn_put has returned.
 */
struct fn_put {
    void (*done)(struct fn_put *put, struct failure *failure); /* NULL: written; else the taker's */
    /* Private to fn/. */
    struct fn_put *next;
    uint64_t mark; /* where it ends in the file's stream */
};

/* Begin it with a line (without LF, borrowed). False: nothing was done, this needs a call. */
bool fn_put(struct fn *fn, struct fn_put *put, struct str line);

/*
 * Of a function with workers (lines:, lambda:): start min_workers now, and keep so many from here
 * on; the context's prepared is called once, when so many (but not more than jobs) have become
 * ready. No-op for others, but that prepared is called, before this returns.
 */
void fn_prepare(struct fn *fn);

/* What its workers are doing now, and have done; all 0 for a function without workers. */
struct fn_workers {
    unsigned running, ready, busy; /* processes; of them those that take events; that have some */
    uint64_t started, crashed; /* ever; ended without having been told to, or with calls in flight
                                  that were not cancelled */
};
struct fn_workers fn_workers(const struct fn *fn);

/* Would another call begin soon, or only add to a queue? Callers stop taking events when it says
 * no; room() says when again. */
bool fn_has_room(const struct fn *fn);

/* Would a call that is begun now be made at once? For who can take calls back while they wait. */
bool fn_has_slot(const struct fn *fn);

/* No more events are at hand just now: send on what was gathered for efficiency. */
void fn_flush(struct fn *fn);

/* The same, and there will be no more events before calls have ended: send on also what could grow
 * further (a frame of a compressed file). */
void fn_press(struct fn *fn);

/*
 * End every call, waiting or running, with that reason: running processes get SIGTERM, the grace,
 * SIGKILL (at once with now). Calls begun afterwards fail so too.
 */
void fn_cancel(struct fn *fn, enum failure_reason reason, bool now);

#endif
