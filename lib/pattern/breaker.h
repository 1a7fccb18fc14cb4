/*
 * breaker.h: a circuit breaker: stop calling what is down.
 *
 * The meanings are those of resilience4j's CircuitBreaker (its documentation, "CircuitBreaker", and
 * the behaviour of its CircuitBreakerStateMachine, version 2): closed, it judges a sliding window
 * of the last calls, or of the last seconds, from min_calls results on; at or above failure_rate,
 * or slow_rate, it opens. Open, it denies until open_for has passed; then the next admission finds
 * it half-open, where `probes` calls are admitted and judged in a window of their own: at or above
 * a rate it opens again, else it closes. Forced open it denies, disabled it admits, until told
 * otherwise.
 *
 * Every admission carries the generation; each transition begins a new one, and a result of an
 * older generation changes nothing. A probe is a lease of its holder: it ends with its result, and
 * is given back to be admitted again by an ignored outcome, by breaker_release, or by breaker_reap
 * when the holder is gone.
 *
 * One difference: the probes are judged when `probes` of them have a result, where resilience4j
 * does it at min_calls of them if that is less; so `probes` calls are always made.
 *
 * Pure: times are arguments, nanoseconds of any clock that does not go back. One that does makes
 * nothing wait longer than the open time from then on. A struct breaker holds no pointers: it can
 * lie in shared memory or be stored. It knows no locks.
 */
#ifndef FIT_PATTERN_BREAKER_H
#define FIT_PATTERN_BREAKER_H

#include "pattern/breaker_settings.h"
#include "pattern/breaker_window.h"

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_LOG = 16 }; /* transitions that are remembered, the last ones */

enum breaker_state {
    BREAKER_CLOSED,
    BREAKER_OPEN,
    BREAKER_HALF_OPEN,
    BREAKER_FORCED_OPEN,
    BREAKER_DISABLED,
};

struct breaker_transition {
    int64_t at; /* the time that the caller gave */
    uint64_t generation;
    uint8_t from, to; /* enum breaker_state */
    uint8_t cause;    /* enum breaker_cause */
};

enum breaker_cause {
    BREAKER_BY_FAILURES,
    BREAKER_BY_SLOWNESS,
    BREAKER_BY_CONSECUTIVE,
    BREAKER_BY_TIME,   /* open_for has passed */
    BREAKER_BY_PROBES, /* they went well */
    BREAKER_BY_HAND,
};

/* A probe without a result. */
struct breaker_probe {
    uint64_t holder; /* 0: the place is free */
    uint64_t number; /* of its ticket */
};

struct breaker {
    uint64_t generation;
    uint32_t state;       /* enum breaker_state */
    uint32_t openings;    /* in a row: without being closed or disabled between */
    int64_t since;        /* the last transition */
    int64_t until;        /* open: until then */
    uint32_t consecutive; /* failures in a row, since the last transition */
    uint64_t denied;      /* admissions refused, ever */
    uint64_t transitions; /* ever; the last BREAKER_LOG are in log[n % BREAKER_LOG] */
    struct breaker_transition log[BREAKER_LOG];
    struct breaker_counts probed; /* results of the probes of this generation */
    uint32_t probes; /* admitted in this half-open period, with or without a result, less those
                        given back */
    uint64_t probes_ever;
    struct breaker_probe held[BREAKER_PROBES_MAX];
    struct breaker_window window;
};

/* Handed out with an admission, handed back with its result. */
struct breaker_ticket {
    uint64_t generation;
    uint64_t probe; /* its number, which no other probe has; 0: no probe */
};

enum breaker_outcome {
    BREAKER_SUCCESS,
    BREAKER_FAILURE,
    BREAKER_IGNORED, /* says nothing about what is called: the caller's own fault, or an
                        interruption */
};

/* A closed breaker in generation 1. */
void breaker_init(struct breaker *breaker, const struct breaker_settings *settings, int64_t now);

/*
 * May a call be made? True fills the ticket, which is then owed to breaker_record or
 * breaker_release. holder (not 0) stands for who will have the probe, if it is one. The first
 * admission after the open time makes it half-open. Settings may differ from those of the last
 * call, as for breaker_fit.
 */
bool breaker_admit(struct breaker *breaker, const struct breaker_settings *settings, int64_t now,
                   uint64_t holder, struct breaker_ticket *ticket);

/* The settings are other ones: another shape of window empties it, and keeps the state; a shorter
 * open time ends sooner, and fewer probes may be enough to judge by. */
void breaker_fit(struct breaker *breaker, const struct breaker_settings *settings, int64_t now);

/* Would it admit now? Changes nothing. For those who only look, and as the cheap check before. */
bool breaker_would_admit(const struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now);

/* When it may next be worth asking: now, if it would admit; INT64_MAX: not before somebody acts (a
 * probe ends, or its holder; a hand). */
int64_t breaker_next_chance(const struct breaker *breaker, const struct breaker_settings *settings,
                            int64_t now);

/*
 * The call has ended: count it, and judge. duration in nanoseconds. An ignored outcome counts
 * nowhere, and gives a probe back. Of several causes the log names the first of enum breaker_cause.
 * True: the state has changed.
 */
bool breaker_record(struct breaker *breaker, const struct breaker_settings *settings,
                    const struct breaker_ticket *ticket, enum breaker_outcome outcome,
                    int64_t duration, int64_t now);

/* The admitted call was not made: its probe, if it is one, is given back. */
void breaker_release(struct breaker *breaker, const struct breaker_ticket *ticket);

/* Give back the probes whose holders gone() says are no more. The number given back. */
uint32_t breaker_reap(struct breaker *breaker, bool (*gone)(void *context, uint64_t holder),
                      void *context);

/*
 * By hand: to any state. BREAKER_CLOSED begins with an empty window, as every closing does.
 * BREAKER_OPEN lasts as an opening by failures would. A transition even if it was in that state, so
 * that calls under way do not count.
 */
void breaker_set(struct breaker *breaker, const struct breaker_settings *settings,
                 enum breaker_state state, int64_t now);

/* The clock that gave the times is no more (a reboot): an open time begins anew now, and what is in
 * a window of time is as old as it was at the last result. The log keeps the times it has. */
void breaker_rebase(struct breaker *breaker, const struct breaker_settings *settings, int64_t now);

/* The counts of the window as they stand now (of time: without what has passed out of it), or of
 * the probes while half-open; rates in percent, -1 with fewer results than are judged: min_calls,
 * or probes. An open breaker still has the window that it had when it was closed. */
struct breaker_counts breaker_counts(const struct breaker *breaker, int64_t now);
double breaker_failure_rate(const struct breaker *breaker, const struct breaker_settings *settings,
                            int64_t now);
double breaker_slow_rate(const struct breaker *breaker, const struct breaker_settings *settings,
                         int64_t now);

const char *breaker_state_name(enum breaker_state state); /* "closed", "open", "half_open", ... */
const char *breaker_cause_name(enum breaker_cause cause); /* "failure_rate", "slow_rate", ... */

#endif
