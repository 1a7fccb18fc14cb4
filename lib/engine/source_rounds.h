/*
 * source_rounds.h: an event every so often, which says no more than that it is time.
 *
 * The first comes at once, the others at whole multiples of the interval after it, so that they do
 * not drift. While one has not ended no other begins: the times that pass meanwhile are left out.
 * For what repeats as long as its process lives; a clock that remembers is source_ticks.h.
 */
#ifndef FIT_ENGINE_SOURCE_ROUNDS_H
#define FIT_ENGINE_SOURCE_ROUNDS_H

#include "engine/source.h"

/* every is in nanoseconds; 0: once. */
struct source *source_rounds(struct loop *loop, int64_t every);

#endif
