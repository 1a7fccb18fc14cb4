/*
 * split_result.h: how results of parts are written: into the array of an event, into envelopes,
 * into the dead letter of an event.
 */
#ifndef FIT_ENGINE_SPLIT_RESULT_H
#define FIT_ENGINE_SPLIT_RESULT_H

#include "base/buf.h"
#include "fn/failure.h"

#include <stdbool.h>
#include <stddef.h>

/* Append the results of a part, count lines, as one value: null for none, an array for several. */
void split_value(struct buf *out, struct str lines, size_t count);

/* Append one more element, given as text or as lines, to an array that split_close ends. */
void split_add(struct buf *array, struct str value);
void split_add_lines(struct buf *array, struct str lines, size_t count);
void split_close(struct buf *array);

struct split_envelope {
    struct str group;
    size_t index, count;
    struct str value;              /* {NULL, 0}: none */
    const struct failure *failure; /* NULL: none */
};

void split_envelope(struct buf *line, const struct split_envelope *envelope);

/* The failed parts of an event. Zeroed; split_failures_end empties it. */
struct split_failures {
    struct failure *first;
    size_t count;
    struct buf text; /* of the first ones, for people */
    struct buf list; /* the same as JSON */
};

/* Note the failure (taken over) of so many parts from index on; of those beyond limit only the
 * number. */
void split_failures_take(struct split_failures *failures, size_t index, size_t parts, size_t limit,
                         struct failure *failure);

/* The failure of the event: of parts in all so many did not run. NULL when none was noted. */
struct failure *split_failures_end(struct split_failures *failures, size_t parts, size_t not_run);

#endif
