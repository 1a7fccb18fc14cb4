/* loop_child.c: children in the loop, through pidfds. */
#include "sys/loop.h"

#include "base/list.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void child_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events;
    struct loop_child *child = CONTAINER_OF(watch, struct loop_child, watch);
    struct rusage usage = {0};
    int status = 0;
    pid_t pid = wait4(child->pid, &status, WNOHANG, &usage);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return;
    if (pid < 0)
        status = 255 << 8;
    loop_child_remove(child->loop, child);
    child->pid = 0;
    child->exited(child, status, &usage);
}

int loop_child_add(struct loop *loop, struct loop_child *child, pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* always close-on-exec */
    if (fd < 0)
        return -1;
    child->watch.ready = child_ready;
    if (loop_fd_add(loop, &child->watch, fd, EPOLLIN)) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    child->loop = loop;
    child->pid = pid;
    return 0;
}

void loop_child_remove(struct loop *loop, struct loop_child *child)
{
    if (!child->watch.active)
        return;
    loop_fd_remove(loop, &child->watch);
    close(child->watch.fd);
}
