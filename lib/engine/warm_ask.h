/*
 * warm_ask.h: ask the supervisor of a warm pool something that is no call.
 */
#ifndef FIT_ENGINE_WARM_ASK_H
#define FIT_ENGINE_WARM_ASK_H

#include "base/buf.h"
#include "base/err.h"
#include "fn/warm_wire.h"
#include "state/home.h"
#include "sys/loop.h"

#include <sys/types.h>

#define WARM_ASK_WAIT INT64_C(5000000000) /* for the answer, nanoseconds; then it is an error */

/* Append its answer, a line of JSON. 0, and *pid (may be NULL) is the supervisor's; -1 with err,
 * ERR_NOT_FOUND: there is none. */
int warm_ask(struct loop *loop, const struct home *home, const char *pool, enum warm_type what,
             struct buf *answer, pid_t *pid, struct err *err);

#endif
