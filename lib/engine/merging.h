/*
 * merging.h: merging inputs into one stream (fanin --merge): its options and its run.
 */
#ifndef FIT_ENGINE_MERGING_H
#define FIT_ENGINE_MERGING_H

#include "engine/engine.h"
#include "engine/options.h"

/* What merging_options fills. */
struct merging {
    bool on;
    const char *sorted; /* the program by whose values the inputs are sorted; NULL: as they come */
    const char *tag;    /* the member that names an event's input; NULL: none */
};

extern const struct option_group merging_options;

/* NULL, or why the options do not go together. */
const char *merging_conflict(const struct merging *merging);

/* Open the inputs (inputs.h), merge them and return the exit status. */
int merging_run(struct engine *engine, const struct merging *merging, char *const *inputs,
                size_t count, size_t max_event);

#endif
