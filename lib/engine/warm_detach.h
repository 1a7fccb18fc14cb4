/*
 * warm_detach.h: the supervisor of a warm pool as a process in the background.
 *
 * `warm start --detach` starts itself again, in a session of its own, with the hidden option
 * --detached. The process in the background tells on its standard output, a pipe, how far it is;
 * the one in front waits for that, and passes on what it says and how it ends if it fails before.
 */
#ifndef FIT_ENGINE_WARM_DETACH_H
#define FIT_ENGINE_WARM_DETACH_H

#include "base/err.h"
#include "state/home.h"

enum {
    WARM_LOG_MAX = 1024 * 1024
}; /* bytes of a log; a longer one is put aside at the next start */

#define WARM_LISTENS  "listening\n"
#define WARM_IS_READY "ready\n"

/*
 * Start it: words are those of the verb, "start NAME ...". Returns when it has said that (one of
 * the above), or has ended: an exit status, 0 for the former. -1 with err: it could not be started.
 */
int warm_detach(const struct home *home, const char *pool, char *const *words, const char *until,
                struct err *err);

#endif
