/* state_filter.h: `state put`, `get` and `seen` over a stream of events (--key). */
#ifndef FIT_ENGINE_STATE_FILTER_H
#define FIT_ENGINE_STATE_FILTER_H

#include "engine/plan_state.h"

/* Read the verb's command line and run the filter. The exit status. */
int state_filter_run(enum plan_state_kind kind, int argc, char **argv);

/* Run it over a descriptor's lines. *complete as in plan_state. */
int state_filter_lines(const struct plan_state_settings *settings, int fd, const char *name,
                       bool *complete);

#endif
