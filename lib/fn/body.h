/*
 * body.h: the body of an answer, one JSON document, as a result. Internal to lib/fn.
 */
#ifndef FIT_FN_BODY_H
#define FIT_FN_BODY_H

#include "fn/kind.h"

/*
 * Take the bytes as the call's result (call->lines, call->count); body is empty afterwards. A
 * document over several lines becomes one, what is one line stays as it is, nothing but blanks is
 * no result. With --text each line of it is one. NULL, or why it is no result.
 */
struct failure *body_take(const struct fn *fn, struct buf *body, struct fn_call *call);

#endif
