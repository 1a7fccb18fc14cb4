/* written_sessions.c: which processes have appended to an output file. */
#include "engine/written_sessions.h"

#include "sys/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int written_sessions_open(struct written_sessions *sessions, const struct home *home,
                          const struct stat *info)
{
    char name[HOME_FILE];
    snprintf(name, sizeof name, "written-%llx-%llx", (unsigned long long)info->st_dev,
             (unsigned long long)info->st_ino);
    sessions->fd = openat(home->run, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    sessions->count = 0;
    if (sessions->fd < 0)
        return -1;
    ssize_t got = dir_lock_wait(sessions->fd) < 0
                      ? -1
                      : pread(sessions->fd, sessions->list, sizeof sessions->list, 0);
    if (got < 0) {
        int cause = errno;
        close(sessions->fd);
        errno = cause;
        return -1;
    }
    sessions->count = (unsigned)((size_t)got / sizeof *sessions->list);
    return 0;
}

void written_sessions_close(struct written_sessions *sessions)
{
    close(sessions->fd);
}

/* The whole list by one write, which no signal tears. */
int written_sessions_add(struct written_sessions *sessions, uint64_t id, uint64_t start)
{
    if (sessions->count == WRITTEN_SESSIONS)
        memmove(sessions->list, sessions->list + 1, --sessions->count * sizeof *sessions->list);
    sessions->list[sessions->count++] = (struct written_session){id, start};
    size_t len = sessions->count * sizeof *sessions->list;
    return pwrite(sessions->fd, sessions->list, len, 0) == (ssize_t)len ? 0 : -1;
}

uint64_t written_sessions_end(const struct written_sessions *sessions, uint64_t id)
{
    for (unsigned i = sessions->count; i-- > 0;) {
        if (sessions->list[i].id == id)
            return i + 1 == sessions->count ? UINT64_MAX : sessions->list[i + 1].start;
    }
    return 0;
}
