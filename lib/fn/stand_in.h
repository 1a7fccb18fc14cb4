/*
 * stand_in.h: a call in the place of one that was ended (fn_end) while its attempt goes on.
 * Internal to lib/fn.
 *
 * The attempt needs somebody to be told of its end, to hold what it has of the policy, and to name
 * in traces; the caller has its struct back and may have freed it. A stand-in owns what it says of
 * the call, is never tried again, throws the answer away and frees itself.
 */
#ifndef FIT_FN_STAND_IN_H
#define FIT_FN_STAND_IN_H

#include "fn/function.h"

/* For a call that runs; takes over what it holds of the policy. The kind puts it in its place. */
struct fn_call *stand_in_for(struct fn_call *call);

#endif
