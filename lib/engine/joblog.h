/*
 * joblog.h: the log of GNU parallel (--joblog): nine columns that other tools read.
 *
 * A line for each attempt: Seq (the line of the event, or the number of the part or batch), Host
 * (always ":"), Starttime, JobRuntime, Send and Receive (bytes), Exitval (-1 for a failure that is
 * neither an exit nor a signal), Signal, Command.
 */
#ifndef FIT_ENGINE_JOBLOG_H
#define FIT_ENGINE_JOBLOG_H

#include "engine/engine.h"

/* Begin the file anew; path is kept. -1 with err. */
int joblog_open(struct engine *engine, const char *path, struct err *err);

#endif
