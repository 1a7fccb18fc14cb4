/*
 * gate.h: the calls of one function that wait for its policy. Internal to lib/fn.
 *
 * An attempt passes two doors. At the first it stands in a lane: for its time (throttle), or for a
 * slot of its key (bulkhead --key); there is one lane, or one for each key that has calls. At the
 * second it stands in the function's own queue (fn->waiting), and needs a slot of the function, one
 * of the shared bulkhead, and last the breaker's admission, so that what is admitted is made at
 * once. A breaker that is open is seen at the first door already: what would only be refused waits
 * for nothing.
 *
 * Everybody who waits is woken by a timer, by a slot that is given back, or by the breaker's bell.
 */
#ifndef FIT_FN_GATE_H
#define FIT_FN_GATE_H

#include "fn/kind.h"

struct gate;

struct gate *gate_new(struct fn *fn, struct policy *policy);
void gate_free(struct gate *gate); /* nothing waits any more; NULL is a no-op */

/* The call wants to make an attempt: it comes to fn->waiting, or is refused (attempt_refuse). */
void gate_enter(struct gate *gate, struct fn_call *call);
/* The function has a slot free and nobody who waits for it. */
void gate_feed(struct gate *gate);
/* The queue of the function has been looked at. */
void gate_watch(struct gate *gate);

enum gate_answer { GATE_PASS, GATE_WAIT, GATE_REFUSED };
/* The second door, for a call that the function could make now; *why of GATE_REFUSED is the
 * caller's. */
enum gate_answer gate_ask(struct gate *gate, struct fn_call *call, struct failure **why);

/* The attempt has ended; failure NULL: success. */
void gate_end(struct gate *gate, struct fn_call *call, const struct failure *failure);
/* It was not made after all: the call is back in fn->waiting. */
void gate_return(struct gate *gate, struct fn_call *call);
/* The call leaves without an attempt: refused, cancelled. */
void gate_leave(struct gate *gate, struct fn_call *call);

/* The call is ended. True: it waited at the first door, and is taken off; gate_leave is next. */
bool gate_withdraw(struct gate *gate, struct fn_call *call);

bool gate_has_room(const struct gate *gate);
bool gate_may_retry(struct gate *gate);
/* A call that waits at the first door, taken off; NULL: none. */
struct fn_call *gate_pull(struct gate *gate);

#endif
