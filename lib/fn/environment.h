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

#endif
