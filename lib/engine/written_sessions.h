/*
 * written_sessions.h: which processes have appended to an output file, one after the other.
 *
 * For written.h. A session is a process that writes to a file from some offset on, alone. The list
 * of them stands in run/ of the state directory, in a file named by device and inode; what lies
 * between two starts was written by the session before, and never changes. It may be lost: then
 * nothing is known of the file.
 *
 * The list is locked while it is open, and opening waits for others: they hold it briefly.
 */
#ifndef FIT_ENGINE_WRITTEN_SESSIONS_H
#define FIT_ENGINE_WRITTEN_SESSIONS_H

#include "state/home.h"

#include <stdint.h>
#include <sys/stat.h>

enum { WRITTEN_SESSIONS = 64 }; /* that are known; the oldest are forgotten */

struct written_session {
    uint64_t id;
    uint64_t start; /* the size of the file then */
};

struct written_sessions {
    int fd;
    char name[HOME_FILE];
    unsigned count;
    struct written_session list[WRITTEN_SESSIONS]; /* the latest last */
};

/* Of the file that info is of; made if it is not there. -1: nothing is open then. */
int written_sessions_open(struct written_sessions *sessions, const struct home *home,
                          const struct stat *info);
void written_sessions_close(struct written_sessions *sessions);

/* Nothing need be known of the file any more. */
void written_sessions_remove(struct written_sessions *sessions, const struct home *home);

int written_sessions_add(struct written_sessions *sessions, uint64_t id, uint64_t start);

/* Where what that session has written ends: the start of the next one, UINT64_MAX if it is the
 * last; 0: it is not known. */
uint64_t written_sessions_end(const struct written_sessions *sessions, uint64_t id);

#endif
