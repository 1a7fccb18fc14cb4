/*
 * answer.h: one line from a line worker, as a result or a failure. Internal to lib/fn.
 */
#ifndef FIT_FN_ANSWER_H
#define FIT_FN_ANSWER_H

#include "base/block.h"
#include "fn/kind.h"

enum { ANSWER_MESSAGE = 1024 }; /* bytes of an error that is not JSON which are kept */

/*
 * Read an answer (its block and its bytes without CR and LF). NULL, with *lines the result and its
 * LF, a new reference; it stays empty for the empty line, which is no result. Else the failure:
 * FAILURE_ERROR if the function says so with "!", any other when the line is no answer at all.
 */
struct failure *answer_read(const struct fn *fn, struct slice answer, struct slice *lines);

#endif
