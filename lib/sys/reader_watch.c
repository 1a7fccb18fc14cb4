/* reader_watch.c: notices that nobody reads from a pipe any more, without writing to it. */
#include "sys/reader_watch.h"

#include "base/list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel reports EPOLLERR for the end of a pipe to which nobody listens. */
static void left(struct loop_fd *fd, uint32_t events)
{
    struct reader_watch *watch = CONTAINER_OF(fd, struct reader_watch, watch);
    (void)events;
    reader_watch_close(watch);
    watch->gone(watch);
}

void reader_watch_open(struct reader_watch *watch, struct loop *loop, int fd)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode))
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
