/* written_sessions.c: which processes have appended to an output file. */
#include "engine/written_sessions.h"

#include "sys/dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Open and lock it. Another process may have removed it meanwhile: then there is a new one. */
static int open_locked(const struct home *home, const char *name)
{
    for (;;) {
        struct stat info;
        int fd = openat(home->run, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || (dir_lock_wait(fd) == 0 && fstat(fd, &info) == 0 && info.st_nlink))
            return fd;
        bool removed = !info.st_nlink;
        close(fd);
        if (!removed)
            return -1;
    }
}

int written_sessions_open(struct written_sessions *sessions, const struct home *home,
                          const struct stat *info)
{
    snprintf(sessions->name, sizeof sessions->name, "written-%llx-%llx",
             (unsigned long long)info->st_dev, (unsigned long long)info->st_ino);
    sessions->fd = open_locked(home, sessions->name);
    if (sessions->fd < 0)
        return -1;
    ssize_t got = pread(sessions->fd, sessions->list, sizeof sessions->list, 0);
    if (got < 0) {
        close(sessions->fd);
        return -1;
    }
    sessions->count = (unsigned)((size_t)got / sizeof *sessions->list);
    return 0;
}

void written_sessions_close(struct written_sessions *sessions)
{
    close(sessions->fd);
}

void written_sessions_remove(struct written_sessions *sessions, const struct home *home)
{
    unlinkat(home->run, sessions->name, 0);
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
