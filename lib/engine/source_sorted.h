/*
 * source_sorted.h: the lines of several sorted inputs as one sorted stream.
 *
 * Each input is sorted by the value of a jq program, in jq's order (format/json_order.h). A line of
 * each open input is at hand, the least of them is the next event; lines with equal values come in
 * the order of the inputs, and within an input in its own. So each input that has not ended is
 * waited for.
 *
 * A line that is less than the one before it in its input is passed on as soon as it is seen, the
 * input is named in a warning, once, and the run ends as failed. A line without a value (no JSON,
 * too large, the program fails) is passed on too, without a place in the order: the plan ends it.
 */
#ifndef FIT_ENGINE_SOURCE_SORTED_H
#define FIT_ENGINE_SOURCE_SORTED_H

#include "engine/source.h"

#include <stddef.h>

/* Takes over the lines of the inputs (inputs.h), also when it fails. NULL with err. */
struct source *source_sorted(struct source *const *lines, size_t count, const char *program,
                             struct err *err);

/* The lines of the files, FIFOs and devices of paths, of stdin if there are none. NULL with err. */
struct source *source_sorted_open(struct loop *loop, char *const *paths, size_t count,
                                  size_t max_event, const char *program, struct err *err);

/* The token of an event is 0, or this: why it has no value, for the plan that it comes to. */
struct failure *source_sorted_failure(uint64_t token);

#endif
