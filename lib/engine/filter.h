/*
 * filter.h: what the mains of filters do alike.
 *
 * A filter opens the function that its words name, makes a plan, and runs it on the lines of
 * standard input. Where a step is given NULL in place of what the step before makes, that one has
 * failed, and err says why: it is left as it is.
 */
#ifndef FIT_ENGINE_FILTER_H
#define FIT_ENGINE_FILTER_H

#include "engine/engine.h"
#include "engine/options.h"

/* The function of the words, or "-" where there are none: events are given back as they are. NULL
 * with err. */
struct fn *filter_open(struct engine *engine, const struct options_words *function,
                       struct err *err);

/* The lines of stdin; the engine frees them when it runs. NULL with err. */
struct source *filter_lines(struct engine *engine, struct err *err);

/* Run the plan on them: the exit status, also of what has failed before. */
int filter_run(struct engine *engine, struct plan *plan, struct err *err);

#endif
