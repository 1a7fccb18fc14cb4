/*
 * subscription.h: the right to read a topic for a subscriber, which one process at a time has.
 *
 * To have it, or to wait until the process that has it ends or lets go. The subscriber is made by
 * the first that asks. The end of this process gives it back.
 */
#ifndef FIT_ENGINE_SUBSCRIPTION_H
#define FIT_ENGINE_SUBSCRIPTION_H

#include "state/topic.h"

struct subscription {
    struct store *store;
    struct str topic, subscriber; /* borrowed */
    uint64_t from;                /* as topic_open's */
    int64_t wait;                 /* nanoseconds; 0: ask once */
    /* The answer. */
    uint64_t token;
    uint64_t position;
    uint64_t missed; /* topic_open.before */
    bool is_new;
    cell_holder by; /* who has it instead; 0: not known */
};

/* Set but for the answer. 1: had; 0: another process has it; -1 with err, or with err->text empty
 * when that was said. Turns the loop while it waits; signals end the process. */
int subscription_open(struct subscription *subscription, struct err *err);

#endif
