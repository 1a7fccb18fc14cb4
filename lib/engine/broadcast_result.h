/*
 * broadcast_result.h: what the subscribers of an event gave, as one line.
 *
 * An object with a member for each, in the order of the command line: a subscriber with one result
 * gives that value, one without a result null, one with several an array of them. One that has
 * failed is a member of "errors" instead. Those that give no results, or did not get the event,
 * have none; if all are such, there is no line.
 */
#ifndef FIT_ENGINE_BROADCAST_RESULT_H
#define FIT_ENGINE_BROADCAST_RESULT_H

#include "fn/function.h"

#define BROADCAST_RESULT_ERRORS "errors" /* no subscriber can have this name */

struct broadcast_result { /* zeroed: nothing yet */
    struct buf line, errors;
    bool fresh; /* something in it is to be printed */
};

/* Add what a call has come to; key is the name as a member, with its colon. hidden: it has been
 * printed before. */
void broadcast_result_add(struct broadcast_result *result, struct str key,
                          const struct fn_call *call, bool hidden);

/* The line with its LF, a new reference; empty: there is none. Empties the result. */
struct slice broadcast_result_end(struct broadcast_result *result);

#endif
