/*
 * piped.h: a program started with pipes to its stdin, stdout and stderr. Internal to lib/fn.
 */
#ifndef FIT_FN_PIPED_H
#define FIT_FN_PIPED_H

#include "base/err.h"
#include "sys/spawn.h"

/* [0] is read from, [1] written to; -1: closed. This side's ends do not block. */
struct piped {
    int in[2], out[2], err[2];
};

int piped_open(struct piped *piped, struct err *err); /* 0, or -1 with nothing open */
void piped_close(struct piped *piped);                /* what is still open */

/* Start the program (spec->fds are filled in) and close its ends. The pid, or -1 with err; this
 * side's ends stay open. */
pid_t piped_spawn(struct piped *piped, struct spawn_spec *spec, struct err *err);

/* It could not be watched: kill it and reap it. */
void piped_abandon(pid_t pid);

#endif
