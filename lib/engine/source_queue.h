/*
 * source_queue.h: the messages of a durable queue as events, each leased while it is worked on.
 *
 * Messages are leased ahead, as many as are begun soon: few for slow functions, so that they are
 * left to other workers, and thousands for quick ones. Leases are extended until their last message
 * has ended. What becomes of an event becomes of its message:
 *
 *     done, dropped      acknowledged, once results are written
 *     failed             given back, to be received again after a delay that doubles (full jitter),
 *                        while it has been received less often than max_receives
 *     failed for good    buried: the letter is kept by the store, with the end of the message in
 *                        one commit; with --dead it is written there first
 *     interrupted, or    given back at once; this receive does not count
 *     not yet begun
 *     held off           by a policy (an open breaker): the same, but to come after a while
 *
 * Of a message that asks for an answer (state/reply.h), the results are that, and are committed
 * with its end; so is the failure that would be its letter, also with --dead.
 *
 * The engine ends when all of these are committed.
 */
#ifndef FIT_ENGINE_SOURCE_QUEUE_H
#define FIT_ENGINE_SOURCE_QUEUE_H

#include "base/rng.h"
#include "engine/source.h"
#include "pattern/retry.h"
#include "state/store.h"

enum {
    SOURCE_QUEUE_BYTES = 1024 * 1024, /* bytes of one lease; a larger event comes alone */
};
/* Leases grow while all of one has been worked on within the first, and shrink when it takes longer
 * than the second: nanoseconds. */
#define SOURCE_QUEUE_QUICK INT64_C(100000000)
#define SOURCE_QUEUE_SLOW  INT64_C(1000000000)

struct source_queue_settings {
    const char *queue;
    int64_t visibility;
    unsigned max_receives; /* 0: any number */
    unsigned jobs;         /* calls at once: so many are leased at first */
    size_t max_event;
    bool until_empty; /* end when nothing is ready, and nothing in flight of anybody */
    int64_t wait;     /* end when nothing has come for so long; negative: never */
    struct retry_policy backoff;
};

/* settings are copied; the rest is borrowed, and outlives it. NULL with err. */
struct source *source_queue(struct store *store, const struct source_queue_settings *settings,
                            struct rng *rng, struct err *err);

#endif
