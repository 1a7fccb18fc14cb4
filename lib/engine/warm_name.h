/*
 * warm_name.h: which process a warm pool's name belongs to.
 *
 * In run/ of the state directory a pool has a lock file and a socket. Who holds the lock is
 * the supervisor: it has written into the file who it is, and may replace the socket of one that
 * was killed. Both go when it ends. A lock file that nobody holds is what a killed one has left.
 */
#ifndef FIT_ENGINE_WARM_NAME_H
#define FIT_ENGINE_WARM_NAME_H

#include "base/buf.h"
#include "base/err.h"
#include "state/home.h"

#include <sys/types.h>

struct warm_name;

/* Take the name, and listen: *listener is a descriptor of the caller's. One that does not listen
 * yet, or no more, is waited for, 10 s at most: then the pool can be called, or is ours. NULL with
 * err; ERR_STATE with EWOULDBLOCK in sys_errno: another process has it. */
struct warm_name *warm_name_take(const struct home *home, const char *pool, int *listener,
                                 struct err *err);
void warm_name_hide(struct warm_name *name); /* nobody finds the socket any more */
void warm_name_free(struct warm_name *name); /* hide, and give the name back; NULL is a no-op */

/* Remove what one that was killed has left. False: there is nothing, or it is alive. */
bool warm_name_clear(const struct home *home, const char *pool);

struct warm_holder {
    char *pool; /* its name */
    pid_t pid;
    bool alive;
    struct buf since; /* RFC 3339 */
};

void warm_holder_free(struct warm_holder *holder);

/*
 * All names that are taken, or were when their process was killed, in the order of their bytes; the
 * caller frees each, and the array. -1 with err.
 */
int warm_name_list(const struct home *home, struct warm_holder **holders, size_t *count,
                   struct err *err);

#endif
