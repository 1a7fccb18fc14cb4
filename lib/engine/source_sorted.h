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
 * too large, the program fails) is passed on too, without a place in the order, for the plan to end
 * it.
 */
#ifndef FIT_ENGINE_SOURCE_SORTED_H
#define FIT_ENGINE_SOURCE_SORTED_H

#include "engine/sort_key.h"
#include "engine/source.h"

#include <stddef.h>

/* The token of an event that has no value. Of others it is 0. */
enum { SOURCE_SORTED_PLACELESS = 1 };

/* Takes over the lines of count > 0 inputs (inputs.h). key is borrowed. */
struct source *source_sorted(struct source *const *lines, size_t count, struct sort_key *key);

/* The lines of the files, FIFOs and devices of paths, of stdin if there are none. NULL with err. */
struct source *source_sorted_open(struct loop *loop, const char *const *paths, size_t count,
                                  size_t max_event, struct sort_key *key, struct err *err);

#endif
