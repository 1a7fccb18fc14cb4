/* reader_watch.c: notices that nobody reads any more, without writing. */
#include "sys/reader_watch.h"

#include "base/list.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel reports EPOLLERR for the end of a pipe to which nobody listens; for a connection that
 * is closed in both directions EPOLLHUP, also unasked. */
static void left(struct loop_fd *fd, uint32_t events)
{
    struct reader_watch *watch = CONTAINER_OF(fd, struct reader_watch, watch);
    (void)events;
    reader_watch_close(watch);
    watch->gone(watch);
}

/* A datagram that nobody was there for says nothing of the next one. */
static bool can_lose_reader(int fd)
{
    struct stat info;
    int type;
    socklen_t size = sizeof type;
    if (fstat(fd, &info) < 0)
        return false;
    if (S_ISSOCK(info.st_mode))
        return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
    return S_ISFIFO(info.st_mode);
}

void reader_watch_open(struct reader_watch *watch, struct loop *loop, int fd)
{
    if (!can_lose_reader(fd))
        return;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* others may watch the descriptor itself */
    if (own < 0)
        return;
    watch->loop = loop;
    watch->fd = own;
    watch->watch.ready = left;
    if (loop_fd_add(loop, &watch->watch, own, EPOLLERR) < 0) {
        close(own);
        watch->loop = NULL;
    }
}

void reader_watch_close(struct reader_watch *watch)
{
    if (!watch->loop)
        return;
    loop_fd_remove(watch->loop, &watch->watch);
    close(watch->fd);
    watch->loop = NULL;
}
