/*
 * elsewhere.h: --to queue:NAME: the function is called by the workers of a queue, and its answers
 * come back (fn/request.c). For commands that take one function as words, in whose place it stands.
 */
#ifndef FIT_ENGINE_ELSEWHERE_H
#define FIT_ENGINE_ELSEWHERE_H

#include "engine/engine.h"
#include "engine/options.h"

extern const struct option_group elsewhere_options; /* into: nothing */

/* What is wrong with the command line, or NULL: --to and function words exclude each other, and so
 * do --to and what is of a function that is called here. */
const char *elsewhere_conflict(const struct common_options *common,
                               const struct options_words *function);

/* Open the function that the command line names, here or elsewhere; common is that of the engine.
 * NULL with err. */
struct fn *elsewhere_open(struct engine *engine, struct common_options *common,
                          const struct options_words *function, struct err *err);

#endif
