/*
 * home.h: the state directory: what lies where in it, and which format it has.
 *
 *     format        "fittings-state 1": written when it is made, never changed
 *     data.mdb      the store's records, and lock.mdb (store_lmdb.c)
 *     run/          what may be lost: cells (cell.h), bells (bell.h), sockets
 *
 * fit-state(5) describes it for others. A directory with a newer format, or with other files and no
 * format, is refused and left as it is. It is made with mode 0700, with the folders above it. What
 * is in it belongs to one user: whoever may write there may change what functions are given.
 *
 * A URL names a distributed engine in its place. None is built in: it is refused with ERR_USAGE.
 */
#ifndef FIT_STATE_HOME_H
#define FIT_STATE_HOME_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum {
    HOME_FORMAT = 1,  /* the format that this build makes, and the newest that it reads */
    HOME_NAME = 1024, /* bytes of a name (of a queue, a breaker, ...): a longer one is refused */
    HOME_FILE = 64,   /* bytes of what home_file gives, with its NUL */
};

struct home {
    char *path;
    int fd;  /* the directory */
    int run; /* its folder run/ */
};

/* Open, and make what is missing. NULL with ERR_USAGE (a URL, nothing), ERR_STATE, ERR_SYSTEM. */
struct home *home_open(const char *path, struct err *err);
void home_free(struct home *home); /* NULL is a no-op */

/* Does it name a distributed engine, and not a directory? */
bool home_is_url(const char *path);

/* Is it there? For those who only look: a command that lists makes no directory. */
bool home_exists(const char *path);

/* Can things be named so: not empty, at most HOME_NAME bytes, UTF-8 without control bytes? 0, or -1
 * with ERR_USAGE. */
int home_check_name(const char *name, struct err *err);

/*
 * A file name for something of that kind and name, safe whatever the name holds: "breaker-NAME" if
 * the name is plain ([A-Za-z0-9_-] and dots not in front, at most 32 bytes), else with
 * its hash: "breaker=HASH". Two names never give the same.
 */
const char *home_file(const char *kind, struct str name, char file[HOME_FILE]);

#endif
