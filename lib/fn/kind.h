/*
 * kind.h: what a kind of function is to the rest of lib/fn. Internal to lib/fn.
 *
 * function.c opens functions and ends them; attempt.c takes a call through its attempts; a kind
 * makes one attempt. The kinds know nothing of retries, and attempt.c nothing of processes.
 */
#ifndef FIT_FN_KIND_H
#define FIT_FN_KIND_H

#include "fn/function.h"
#include "format/template.h"

struct fn_kind {
    const char *scheme; /* "lines:"; the kind of a process per event has "" */
    bool program;       /* the first word is a program to be found and may hold placeholders */
    bool whole;         /* the scheme is part of its word ("https://") */
    bool sink;          /* calls give back no result of their own */
    bool silent;        /* nor the event */
    bool wants_id;      /* needs call->id */

    int (*open)(struct fn *fn, struct err *err);
    /* Can an attempt begin now? */
    bool (*has_slot)(const struct fn *fn);
    /* Make one attempt; ends, perhaps before it returns, with exactly one attempt_end (or
     * attempt_return). */
    void (*begin)(struct fn *fn, struct fn_call *call);
    /* Optional: as fn_put, when has_slot. */
    bool (*put)(struct fn *fn, struct fn_put *put, struct str line);
    /* Optional: send on what was gathered. */
    void (*flush)(struct fn *fn);
    /* Optional: the same, and room is wanted (fn_press). */
    void (*press)(struct fn *fn);
    /* Optional: of workers, as fn_prepare and fn_workers. */
    void (*prepare)(struct fn *fn);
    struct fn_workers (*workers)(const struct fn *fn);
    /* Optional: kill what makes this attempt (--fault crash). */
    void (*crash)(struct fn *fn, struct fn_call *call);
    /* Of a kind that keeps answers: as fn_kept_end, of one. */
    void (*unkeep)(struct fn *fn, struct fn_kept *kept, bool used);
    /* A running call is ended (fn_end): instead takes its place until the attempt has ended. NULL:
     * what has begun goes on. */
    void (*forsake)(struct fn *fn, struct fn_call *call, struct fn_call *instead,
                    enum failure_reason reason);
    /* End every running attempt with the reason; see fn_cancel. */
    void (*cancel)(struct fn *fn, enum failure_reason reason, bool now);
    /* No attempt runs but for those that nobody waits for: end what is left and call fn_closed,
     * perhaps at once. */
    void (*close)(struct fn *fn);
    void (*free)(struct fn *fn);
};

struct gate;
struct limits;

struct fn_list {
    struct fn_call *first, *last;
    unsigned count;
};

struct fn {
    struct fn_context *context;
    struct fn_settings settings;
    const struct fn_kind *kind;
    char *name;   /* as the user wrote it */
    char **words; /* without the scheme */
    size_t word_count;
    char *program;             /* where the first word was found; NULL if !kind->program */
    struct template *template; /* NULL: no word holds a placeholder */
    struct limits *limits;     /* NULL: none */
    struct gate *gate;         /* where calls wait for the policy; NULL: there is none */
    struct fn_list waiting;    /* admitted, for want of a slot not begun */
    struct fn_list aside;      /* the same, of calls that pass by the gate */
    struct fn_list sleeping;   /* between two attempts, or delayed */
    bool putable;              /* nothing is asked that needs a whole call (fn_put) */
    bool full;                 /* said that it has no room, and owes a room() */
    bool cancelled;
    enum failure_reason cancel_reason;
    void (*closed)(void *owner);
    void *closed_owner;
    void *state; /* the kind's own */
};

extern const struct fn_kind exec_kind, lines_kind, file_kind, queue_kind, topic_kind, stdout_kind,
    request_kind, warm_kind, lambda_kind, http_kind, https_kind;

void fn_list_append(struct fn_list *list, struct fn_call *call);
void fn_list_prepend(struct fn_list *list, struct fn_call *call);
void fn_list_remove(struct fn_list *list, struct fn_call *call);
void fn_list_replace(struct fn_list *list, struct fn_call *call, struct fn_call *by);

/* ---- attempt.c, for the kinds ---- */

/* What a kind can say of an attempt that it has ended; zero what does not apply. */
struct attempt_report {
    unsigned slot;
    pid_t pid;
    int64_t init;
    size_t bytes_in, bytes_out;
    const struct rusage *usage;
};

/* The attempt is over: call->lines and count are set, or failure (taken over) says why not. */
void attempt_end(struct fn_call *call, struct failure *failure,
                 const struct attempt_report *report);
/* It was not the attempt's fault: the call goes to the front of the queue, and this one does not
 * count. */
void attempt_return(struct fn_call *call);
/* A slot has become free. */
void attempt_pump(struct fn *fn);

/* ---- attempt.c, for gate.c ---- */

/* It may be made as soon as the function has a slot. */
void attempt_ready(struct fn *fn, struct fn_call *call);
/* The policy does not allow it; the failure is taken over. Counts against the retries, though no
 * attempt was made. */
void attempt_refuse(struct fn_call *call, struct failure *failure);

/* ---- attempt.c, for function.c ---- */
void attempt_admit(struct fn *fn, struct fn_call *call);
void attempt_cancel_idle(struct fn *fn); /* end what waits or sleeps */

/* ---- function.c, for the kinds ---- */
void fn_closed(struct fn *fn);

#endif
