/*
 * shared_breaker.h: a circuit breaker (pattern/breaker.h) shared by name between processes.
 *
 * No lock is held across a call. While it is closed an admission is one look at a word of shared
 * memory; results and probes take the lock for some ten nanoseconds. Its settings lie beside it:
 * all judge by the same, those that were written last, or the defaults. Probes are leases of their
 * processes: those of dead ones are given back when probes are wanted. Times are clock_now(): a
 * reboot rebases them.
 */
#ifndef FIT_STATE_SHARED_BREAKER_H
#define FIT_STATE_SHARED_BREAKER_H

#include "pattern/breaker.h"
#include "state/cell.h"
#include "state/home.h"

struct shared_breaker;

/* What is chosen is written to its settings; else opening changes nothing of a breaker that exists.
 * choice NULL: nothing is. home NULL: private. NULL with err. */
struct shared_breaker *shared_breaker_open(struct home *home, struct str name,
                                           const struct breaker_choice *choice, bool *reset,
                                           struct err *err);
void shared_breaker_free(struct shared_breaker *shared); /* NULL is a no-op */

/* As those of pattern/breaker.h. True from the last two: the state has changed (for a log). */
bool shared_breaker_admit(struct shared_breaker *shared, int64_t now,
                          struct breaker_ticket *ticket);
void shared_breaker_release(struct shared_breaker *shared, const struct breaker_ticket *ticket);
bool shared_breaker_record(struct shared_breaker *shared, const struct breaker_ticket *ticket,
                           enum breaker_outcome outcome, int64_t duration, int64_t now);
void shared_breaker_set(struct shared_breaker *shared, enum breaker_state state, int64_t now);

/* When it may next be worth asking (breaker_next_chance), after reaping. */
int64_t shared_breaker_next_chance(struct shared_breaker *shared, int64_t now);

/* A copy to look at; *copy is large (BREAKER_SECONDS_MAX): not on the stack. settings may be NULL.
 */
void shared_breaker_read(struct shared_breaker *shared, struct breaker *copy,
                         struct breaker_settings *settings);

/* Names of those that exist. */
int shared_breaker_list(struct home *home, void (*each)(void *owner, struct str name), void *owner,
                        struct err *err);

#endif
