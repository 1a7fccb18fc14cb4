/* worker_stray.c: what a line worker prints that answers no event. */
#include "fn/worker_stray.h"

#include <errno.h>
#include <unistd.h>

void worker_stray_found(struct worker *worker)
{
    struct fn *fn = worker->base.fn;
    struct pool *pool = fn->state;
    struct buf text = {0};
    if (pool->told_stray || !fn->context->warn)
        return;
    pool->told_stray = true;
    buf_addf(
        &text,
        "%s: a worker printed a line that answers no event: results may belong to other events",
        fn->name);
    fn->context->warn(fn->context->owner, buf_cstr(&text));
    buf_free(&text);
}

void worker_stray_look(struct worker *worker)
{
    char byte;
    if (!worker->out.active)
        return;
    int fd = worker->out.fd;
    ssize_t got = read(fd, &byte, sizeof byte);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    loop_fd_remove(worker->base.fn->context->loop, &worker->out);
    close(fd);
    if (got > 0)
        worker_stray_found(worker);
}
