/*
 * attempt_log.h: a file with a line for each attempt at a call.
 *
 * Lines are gathered and written when nothing else is to do. When the file cannot be written the
 * run goes on without it, says so, and ends with status 1. A slow reader (a FIFO) is waited for
 * once ATTEMPT_LOG_BUFFER bytes are gathered.
 */
#ifndef FIT_ENGINE_ATTEMPT_LOG_H
#define FIT_ENGINE_ATTEMPT_LOG_H

#include "engine/engine.h"

enum { ATTEMPT_LOG_BUFFER = 1024 * 1024 };

struct attempt_log;

/*
 * Open the file (path is kept), anew or to append, and observe the attempts of the engine, which
 * closes and frees the log. format appends a line with its LF; without it (NULL) there is in the
 * file only what attempt_log_add puts there. NULL with err.
 */
struct attempt_log *attempt_log_open(struct engine *engine, const char *path, bool anew,
                                     void (*format)(struct buf *line,
                                                    const struct fn_attempt *attempt),
                                     struct err *err);
void attempt_log_add(struct attempt_log *log, struct str lines);

#endif
