/*
 * worker_stray.h: what a line worker prints that answers no event. Internal to lib/fn.
 *
 * An answer is known by its place only. So a line too many, of a greeting, of an event answered
 * twice, or a total at the end, may have been taken for the answer to the next event: whoever reads
 * the results has to hear of it. It is said once for a function, not for each worker.
 */
#ifndef FIT_FN_WORKER_STRAY_H
#define FIT_FN_WORKER_STRAY_H

#include "fn/worker.h"

/* It has printed such a line. */
void worker_stray_found(struct worker *worker);

/* Nothing is in flight, and its input is closed: look at what it prints until its output ends, and
 * close it on the first byte. No-op when it is closed. */
void worker_stray_look(struct worker *worker);

#endif
