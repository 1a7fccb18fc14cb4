/* watch.c: hear in the loop of what others do: that a process has ended, that a file is removed. */
#include "sys/watch.h"

#include "base/list.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Add fd to the loop, or close it. */
static int add_or_close(struct loop *loop, struct loop_fd *watch, int fd)
{
    if (loop_fd_add(loop, watch, fd, EPOLLIN) == 0)
        return 0;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

static void remove_and_close(struct loop *loop, struct loop_fd *watch)
{
    if (!watch->active)
        return;
    loop_fd_remove(loop, watch);
    close(watch->fd);
}

/* ---- processes ---- */

static void process_ready(struct loop_fd *fd, uint32_t events)
{
    (void)events;
    struct watch_process *watch = CONTAINER_OF(fd, struct watch_process, fd);
    watch_process_remove(watch);
    watch->ended(watch);
}

int watch_process_add(struct loop *loop, struct watch_process *watch, pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* always close-on-exec */
    if (fd < 0)
        return -1;
    watch->loop = loop;
    watch->fd.ready = process_ready;
    return add_or_close(loop, &watch->fd, fd);
}

void watch_process_remove(struct watch_process *watch)
{
    remove_and_close(watch->loop, &watch->fd);
}

bool watch_process_ended(const struct watch_process *watch)
{
    struct pollfd fd = {.fd = watch->fd.fd, .events = POLLIN};
    return watch->fd.active && poll(&fd, 1, 0) == 1 && (fd.revents & POLLIN);
}

/* ---- removals ---- */

static void removal_ready(struct loop_fd *fd, uint32_t events)
{
    (void)events;
    struct watch_removal *watch = CONTAINER_OF(fd, struct watch_removal, fd);
    char notes[1024];
    while (read(fd->fd, notes, sizeof notes) > 0)
        ;
    watch->removed(watch);
}

int watch_removal_add(struct loop *loop, struct watch_removal *watch, int file)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return -1;
    /* While the file is open, its removal is no more than a change of its count of links. */
    if (inotify_add_watch(fd, path, IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF) < 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    watch->loop = loop;
    watch->fd.ready = removal_ready;
    return add_or_close(loop, &watch->fd, fd);
}

void watch_removal_remove(struct watch_removal *watch)
{
    remove_and_close(watch->loop, &watch->fd);
}
