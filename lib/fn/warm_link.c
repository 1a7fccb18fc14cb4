/* warm_link.c: a connection to the supervisor of a warm pool, seen from the client. */
#include "fn/warm_link.h"

#include "base/list.h"
#include "sys/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

const char *warm_file(struct str pool, enum warm_file which, char file[WARM_FILE])
{
    static const char *const suffixes[] = {
        [WARM_SOCKET] = "sock", [WARM_LOCK] = "lock", [WARM_LOG] = "log"};
    char stem[HOME_FILE];
    snprintf(file, WARM_FILE, "%s.%s", home_file("warm", pool, stem), suffixes[which]);
    return file;
}

static void lose(struct warm_link *link, const char *why)
{
    warm_link_close(link);
    link->lost(link->owner, why);
}

static void gone(struct warm_link *link)
{
    lose(link, link->refused ? "it is root's, and takes no other user's calls"
                             : "the supervisor has gone");
}

static void broken(struct stream_out *out)
{
    struct warm_link *link = CONTAINER_OF(out, struct warm_link, out);
    if (out->error && link->open)
        gone(link);
}

static void hear(struct warm_link *link)
{
    struct warm_frame frame;
    struct err err;
    int got = 0;
    while (link->open && (got = warm_next(&link->reader, &frame, &err)) > 0) {
        link->refused = false;
        link->heard(link->owner, &frame);
    }
    if (link->open && got < 0)
        lose(link, err.text);
    else if (link->open && link->paused)
        link->paused(link->owner);
}

static void ready(struct loop_fd *watch, uint32_t events)
{
    struct warm_link *link = CONTAINER_OF(watch, struct warm_link, in);
    (void)events;
    ssize_t got = warm_read(&link->reader, watch->fd);
    if (got > 0)
        hear(link);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        gone(link);
}

static void flush(struct loop_task *task)
{
    struct warm_link *link = CONTAINER_OF(task, struct warm_link, flush);
    stream_flush(&link->out);
}

/* The loop knows a descriptor once, and reading and writing wait separately. */
static int watch(struct warm_link *link, int fd, struct err *err)
{
    int again = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (again < 0)
        return err_sys(err, "keep a connection");
    if (loop_fd_add(link->loop, &link->in, fd, EPOLLIN) < 0) {
        err_sys(err, "watch a connection");
        close(again);
        return -1;
    }
    link->out.progress = broken;
    stream_open(&link->out, link->loop, again, true);
    return 0;
}

int warm_link_open(struct warm_link *link, const struct home *home, struct str pool,
                   struct err *err)
{
    char file[WARM_FILE];
    struct unix_peer peer = {0};
    int fd = unix_socket_connect(home->run, warm_file(pool, WARM_SOCKET, file), err);
    if (fd < 0)
        return -1;
    link->in.ready = ready;
    link->flush.run = flush;
    unix_socket_peer(fd, &peer);
    if (watch(link, fd, err) < 0) {
        close(fd);
        return -1;
    }
    link->pid = peer.pid;
    link->refused = peer.uid != geteuid();
    link->open = true;
    return 0;
}

void warm_link_close(struct warm_link *link)
{
    if (!link->open)
        return;
    link->open = false;
    loop_undefer(link->loop, &link->flush);
    stream_close(&link->out, 0);
    int fd = link->in.fd;
    loop_fd_remove(link->loop, &link->in);
    close(fd);
    warm_reader_free(&link->reader);
}

void warm_link_send(struct warm_link *link, const struct warm_frame *frame)
{
    warm_send(&link->out, frame);
    loop_defer(link->loop, &link->flush);
}
