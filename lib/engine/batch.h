/*
 * batch.h: several values in one call: what the function gets, and what its answer means.
 *
 * The function gets an array of the values, byte for byte. It answers with an array of the same
 * length (result i belongs to value i), with one value for all of them, or with nothing. An array
 * of another length is taken for a mistake, because it would not say what belongs to what.
 */
#ifndef FIT_ENGINE_BATCH_H
#define FIT_ENGINE_BATCH_H

#include "base/block.h"
#include "base/buf.h"
#include "fn/function.h"

enum { BATCH_MAX = 4096 }; /* values of one call; more are refused as a usage error */

/* Build the array: empty buf, add, ..., finish. The buf is empty again afterwards. */
void batch_add(struct buf *array, struct str value);
struct slice batch_finish(struct buf *array);

enum batch_answer {
    BATCH_NOTHING, /* no result line */
    BATCH_EACH,    /* an array with one element for each value: walk it with json_iter */
    BATCH_WHOLE,   /* anything else: the result of all values together */
    BATCH_WRONG,   /* an array of another length */
};

/* What a call that has succeeded answered about so many values. */
enum batch_answer batch_answer(const struct fn_call *call, size_t values);

/* The failure of a BATCH_WRONG call. */
struct failure *batch_failure(const struct fn_call *call, size_t values);

#endif
