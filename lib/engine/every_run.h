/*
 * every_run.h: a run of `every`, by its options: with what it keeps, with its source and its plan.
 */
#ifndef FIT_ENGINE_EVERY_RUN_H
#define FIT_ENGINE_EVERY_RUN_H

#include "engine/every_options.h"
#include "engine/ticks_setup.h"

/* The exit status. name is what it keeps is named, and what its events are said to come from. */
int every_run(const struct ticks_setup *setup, const char *name,
              const struct options_words *function);

/* One event, as if it were that time. */
int every_run_test(const char *name, const struct options_words *function, int64_t at);

#endif
