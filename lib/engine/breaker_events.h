/*
 * breaker_events.h: a file with a line for each change of a breaker's state.
 *
 * Those that this process sees, with those in between that others caused, as long as the breaker
 * remembers them (BREAKER_LOG).
 */
#ifndef FIT_ENGINE_BREAKER_EVENTS_H
#define FIT_ENGINE_BREAKER_EVENTS_H

#include "engine/engine.h"

struct breaker_events;

/* Append to the file from now on. name and path are kept; the engine has a breaker. Outlives the
 * run of the engine. NULL with err. */
struct breaker_events *breaker_events_open(struct engine *engine, const char *name,
                                           const char *path, struct err *err);
void breaker_events_free(struct breaker_events *events); /* NULL is a no-op */

#endif
