/*
 * environment.h: the environment of a function: what the fitting inherited, and the FIT_ variables.
 * Internal to lib/fn.
 */
#ifndef FIT_FN_ENVIRONMENT_H
#define FIT_FN_ENVIRONMENT_H

#include "fn/function.h"

struct environment;

/* Copies the inherited variables but for those that it sets. */
struct environment *environment_new(const struct fn_context *context);
void environment_free(struct environment *environment);

/*
 * The variables for one attempt in one slot; call is NULL for a worker, which gets those only that
 * do not depend on the event. deadline is on the wall clock, 0: none. Valid until the next call.
 */
char *const *environment_for(struct environment *environment, const struct fn_call *call,
                             unsigned slot, int64_t deadline);

/* FIT_IDEMPOTENCY_KEY, without its name: of the event and of what part of it the call is about,
 * never of the attempt or the run. */
void environment_add_key(const struct fn_call *call, struct buf *out);

/* The same of TRACEPARENT, of one attempt. */
void environment_add_trace(const struct environment *environment, const struct fn_call *call,
                           struct buf *out);

#endif
