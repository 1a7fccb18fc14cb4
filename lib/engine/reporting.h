/*
 * reporting.h: what a run tells about itself: --progress, --metrics, --trace, --stats, -v.
 *
 * Internal to lib/engine. A report that cannot be written is said, and the exit status becomes 1;
 * the events go on.
 */
#ifndef FIT_ENGINE_REPORTING_H
#define FIT_ENGINE_REPORTING_H

#include "engine/engine.h"
#include "engine/report.h"

struct attempt_log;
struct reporting;

/* In this order. open comes last in engine_new. */
int reporting_open(struct engine *engine, struct err *err);
void reporting_begin(struct engine *engine);
/* Something else is about to be written to the terminal. */
void reporting_hide(struct engine *engine);
void reporting_hide_for_output(struct engine *engine); /* on stdout */
void reporting_end(struct engine *engine);  /* stdout and stderr are about to be closed */
void reporting_tell(struct engine *engine); /* they are, and everything is counted */
void reporting_free(struct reporting *reporting);

void reporting_failed(struct engine *engine, const struct err *err);

/* attempt_log.c: the open ones; closing waits for slow readers until then (clock_now). */
struct attempt_log **reporting_logs(struct engine *engine);
void reporting_close_logs(struct engine *engine, int64_t until);

#endif
