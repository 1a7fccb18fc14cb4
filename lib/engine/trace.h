/*
 * trace.h: a line of JSON for each attempt at a call (--trace).
 *
 * "trace" is the trace id that the function saw in TRACEPARENT: the fitting's own one, or the hash
 * of the event's identity.
 */
#ifndef FIT_ENGINE_TRACE_H
#define FIT_ENGINE_TRACE_H

#include "engine/engine.h"

/* Append to the file; path is kept. -1 with err. */
int trace_open(struct engine *engine, const char *path, struct err *err);

#endif
