/*
 * redrive_run.h: a fitting run again with the dead letters of one command line.
 *
 * The fitting takes the letters by itself (source_letters.h) and removes each that ends done; this
 * process starts it, hands signals on and waits. It dies with this process.
 */
#ifndef FIT_ENGINE_REDRIVE_RUN_H
#define FIT_ENGINE_REDRIVE_RUN_H

#include "engine/redrive_groups.h"

/*
 * state: the path of the directory. The exit status of the fitting, or of what went wrong before,
 * which has been said. *signalled: this process has got a signal: no more are to be started.
 */
int redrive_run(const struct redrive_group *group, const char *state, bool *signalled);

#endif
