/*
 * depth.h: how many events are sent ahead of their answers. Internal to lib/fn.
 *
 * Who answers quickly is sent more and more of them at once, which saves both sides most of their
 * system calls and wake-ups; who answers slowly gets one at a time, so that nothing stands behind
 * it that another could do.
 */
#ifndef FIT_FN_DEPTH_H
#define FIT_FN_DEPTH_H

#include "fn/function.h"

#define DEPTH_SLOW INT64_C(1000000) /* nanoseconds for an answer; a longer one ends it */

/* The next depth, after answers that took each nanoseconds, of who is quick below that. From 1 up
 * to FN_PIPELINE_MAX. */
static inline unsigned depth_adapt(unsigned depth, int64_t each, int64_t quick)
{
    if (each > DEPTH_SLOW)
        return 1;
    if (each >= quick || depth >= FN_PIPELINE_MAX)
        return depth;
    return depth * 2 < FN_PIPELINE_MAX ? depth * 2 : FN_PIPELINE_MAX;
}

#endif
