/*
 * recall.h: calls that are made once: what the ledger has is answered from it, what a call gives is
 * recorded before anybody hears of it.
 *
 * A record belongs to a call: the event's identity and the call's scope (which stage, which part).
 * A plan makes its calls with job_call (engine.h), which comes here when there is a ledger; then a
 * chain remembers stages and a split event its parts without knowing. Failures are not recorded: a
 * rerun tries them again.
 *
 * With --new an answer that an earlier run has printed (call->shown) is not printed again; the
 * plans ask recall_hides. What was recorded but not printed, because that run was killed in
 * between, is printed, and belongs to this run from then on. "Printed" is known for a run as a
 * whole, as the lowest place that is not settled (the window `places`), and written along with
 * other records, so what a killed run had printed last may be printed again, but nothing is left
 * out.
 */
#ifndef FIT_ENGINE_RECALL_H
#define FIT_ENGINE_RECALL_H

#include "engine/engine.h"

#define RECALL_NO_PLACE UINT64_MAX /* of a job that counts as never printed */

struct recall;
struct engine_job;

/* Open the ledger and begin a run. NULL with err. */
struct recall *recall_new(struct engine *engine, const char *ledger, bool only_new,
                          struct err *err);
void recall_free(struct recall *recall); /* NULL is a no-op */

void recall_call(struct recall *recall, struct engine_job *job, struct fn *fn,
                 struct fn_call *call);

/* For a call about several jobs: the answer about one of them, to be dropped by the caller. False:
 * there is none. */
bool recall_find(struct recall *recall, struct engine_job *job, struct slice *lines, size_t *count,
                 bool *shown);
/* Record what such a call gave for one of them, which then ends with it. */
void recall_end_take(struct recall *recall, struct engine_job *job, struct slice lines,
                     size_t count);

/* A plan's own texts: job_knows and job_note (engine.h). */
bool recall_knows(struct recall *recall, struct engine_job *job, struct str scope,
                  struct buf *text);
void recall_note(struct recall *recall, struct engine_job *job, struct str scope, struct str text,
                 void (*done)(void *owner), void *owner);

/* --new: not to be printed again? */
bool recall_hides(const struct recall *recall, bool shown);

/* A job has been taken, and has been settled (printed: its results are written). */
void recall_admitted(struct recall *recall, struct engine_job *job);
void recall_settled(struct recall *recall, struct engine_job *job, bool printed);

/* The run is over: how far it has printed is written. */
void recall_end(struct recall *recall);

#endif
