/*
 * failure.h: why an event failed.
 *
 * One struct failure is what a dead letter says. It is made where the failure is noticed, passes
 * upwards with its ownership, and is freed by who writes the letter or tries again.
 */
#ifndef FIT_FN_FAILURE_H
#define FIT_FN_FAILURE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum failure_reason {
    FAILURE_EXIT,          /* the function ended with a status other than 0 */
    FAILURE_SIGNAL,        /* a signal ended it */
    FAILURE_TIMEOUT,       /* it was ended because its time was over */
    FAILURE_ERROR,         /* it answered with an error (a line worker's "!") */
    FAILURE_BAD_RESULT,    /* its result is not JSON, or larger than --max-result */
    FAILURE_BAD_JSON,      /* the input line is not JSON */
    FAILURE_TOO_LARGE,     /* the input line is longer than --max-event */
    FAILURE_BAD_EVENT,     /* a jq program or a placeholder cannot be applied to the event */
    FAILURE_NO_ROUTE,      /* no predicate selected it */
    FAILURE_BRANCH_FULL,   /* its function took no more (route --branch-full dead) */
    FAILURE_BREAKER_OPEN,  /* the breaker is open: no call was made */
    FAILURE_THROTTLED,     /* it came faster than the rate (--on-excess) */
    FAILURE_BULKHEAD_FULL, /* no slot of the bulkhead became free */
    FAILURE_QUEUE_FULL,    /* the queue takes no more (queue push --on-full fail) */
    FAILURE_EXPIRED,       /* its turn in a queue came too late (queue push --expire) */
    FAILURE_POISON,        /* received from a queue as often as is allowed, and never ended */
    FAILURE_PURGED,        /* the queue was emptied before it was handled */
    FAILURE_PARTS,         /* some of its parts failed (fan-out --split, aggregate) */
    FAILURE_INCOMPLETE,    /* parts of its group have not come in time (fanin) */
    FAILURE_LATE,          /* its group was closed without it (fanin) */
    FAILURE_NOT_NEEDED,    /* others have answered before it (aggregate --need) */
    FAILURE_SPAWN,         /* the function could not be started */
    FAILURE_INIT,          /* its runtime could not be initialised (lambda:) */
    FAILURE_HTTP,          /* the server answered with another status than 2xx */
    FAILURE_CONNECTION,    /* a server, or a pool, was not reached, or did not answer in full */
    FAILURE_POOL_FULL,     /* the pool's queue takes no more (warm:) */
    FAILURE_WRITE,         /* the result or the event could not be written */
    FAILURE_FAULT,         /* --fault said so */
    FAILURE_NOT_UNDONE,    /* its undo was not called, as a later stage's has failed (chain) */
    FAILURE_HALTED,        /* --halt now ended it */
    FAILURE_INTERRUPTED,   /* a signal to the fitting ended it */
    FAILURE_REASONS
};

/* Whether another attempt makes sense. */
enum failure_class {
    FAILURE_ORDINARY,  /* tried again while retries are left */
    FAILURE_TEMPORARY, /* the function says: try again (75, 111) */
    FAILURE_PERMANENT, /* never tried again (65, 100, 126, 127, bad events) */
};

struct failure {
    enum failure_reason reason;
    enum failure_class class;
    int exit;            /* the status, -1: none */
    int signal;          /* the signal's number, 0: none */
    int status;          /* of HTTP, 0: none */
    int64_t retry_after; /* the function asks to wait so long before the next attempt, nanoseconds;
                            0: it says nothing */
    unsigned attempts;   /* attempts made; 0 where none was */
    unsigned stage;      /* 1.. in a chain; 0: none */
    uint64_t part;       /* 1.. of a split event; 0: none. Letters count from 0, as jq does */
    uint64_t parts;      /* of how many */
    int64_t first_at;    /* wall clock of the first and the last attempt; 0: none */
    int64_t last_at;
    char *message;     /* one line for people; owned, may be NULL */
    char *detail;      /* the error as JSON text, from the function itself; owned, may be NULL */
    char *function;    /* the function as the user wrote it; owned, may be NULL */
    struct buf errors; /* the end of what the function wrote to stderr */
    char *recorded;    /* all that a letter says of it, as an earlier run has written it: the rest
                          counts for nothing then; owned, NULL for a failure of this run */
};

const char *
failure_name(enum failure_reason reason); /* "exit", "bad_json", ... as in a dead letter */

/* It is not the event that failed, nor its function: the run ended before, or what it emits could
 * not be written. A temporary file that could not is of one attempt only, and of class ordinary. */
bool failure_is_of_run(const struct failure *failure);

/* Nothing was tried: a policy (breaker, rate, bulkhead) did not allow it. */
bool failure_is_held_off(enum failure_reason reason);

/*
 * The failure that an object tells of, with the members that a dead letter says it with; what is
 * not known there is left out. Its class is what the reason and the status say of it.
 */
struct failure *failure_read(struct str object);

/* A new failure, with a formatted message (NULL for none). */
struct failure *failure_new(enum failure_reason reason, enum failure_class class,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What the function itself says of it: JSON, copied. "retry_after" in an object is a number of
 * seconds to wait before the next attempt, at most a day. */
void failure_explain(struct failure *failure, struct str detail);
void failure_free(struct failure *failure); /* NULL is a no-op */
struct failure *failure_dup(const struct failure *failure);

/*
 * The failure of a function that ended with a wait status (as of waitpid) other than success. The
 * classes are those of DESIGN.md 1.2; 75 and 65 are EX_TEMPFAIL and EX_DATAERR of sysexits.h, 111
 * and 100 those of qmail and execline.
 */
struct failure *failure_of_status(int status);

/* Of a status of HTTP other than 2xx: 408, 425, 429 and 5xx may go well another time. */
enum failure_class failure_class_of_http(int status);

#endif
