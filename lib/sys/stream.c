/* stream.c: bytes out to a descriptor without ever blocking the loop. */
#include "sys/stream.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum stream_mode {
    STREAM_FILE,   /* never blocks, or cannot be asked: written at once */
    STREAM_PIPE,   /* a description that is ours and non-blocking */
    STREAM_SOCKET, /* non-blocking by each call */
    STREAM_SHARED, /* somebody else's description: by PIPE_BUF bytes, when poll says so */
};

int stream_reopen(int fd, int flags)
{
    struct stat info;
    char path[64];
    if (fstat(fd, &info))
        return -1;
    if (!S_ISFIFO(info.st_mode) && !(S_ISCHR(info.st_mode) && isatty(fd))) {
        errno = EINVAL;
        return -1;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own < 0 || flags != O_RDONLY)
        return own;
    /*
     * A FIFO that is opened after its last writer left never reports the end to poll. The old
     * description does, and reading it cannot block any more.
     */
    struct pollfd old = {.fd = fd, .events = POLLIN};
    if (poll(&old, 1, 0) == 1 && (old.revents & POLLHUP)) {
        close(own);
        errno = ENXIO;
        return -1;
    }
    return own;
}

/*
 * For a description that others share: poll, then a read that does not block where the kernel has
 * such (pipes: since 6.4). A file may say that it would have to ask the disk: then it has to.
 */
static ssize_t read_shared(int fd, void *bytes, size_t room)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct iovec piece = {bytes, room};
    struct stat info;
    int count = poll(&ready, 1, 0);
    if (count <= 0) {
        errno = count == 0 || errno == EINTR ? EAGAIN : errno;
        return -1;
    }
    ssize_t got = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);
    if (got >= 0 || (errno == EAGAIN && fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)))
        return got;
    return read(fd, bytes, room);
}

ssize_t stream_read(int fd, void *bytes, size_t room)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -1;
    if (flags & O_NONBLOCK)
        return read(fd, bytes, room);
    ssize_t got = recv(fd, bytes, room, MSG_DONTWAIT);
    if (got >= 0 || errno != ENOTSOCK)
        return got;
    return read_shared(fd, bytes, room);
}

/* ---- writing ---- */

static void tell_owner(struct stream_out *out)
{
    if (out->progress)
        out->progress(out);
}

static void report_error(struct loop_task *task)
{
    tell_owner(CONTAINER_OF(task, struct stream_out, report));
}

static void stop_waiting(struct stream_out *out)
{
    loop_fd_remove(out->loop, &out->watch);
    out->waiting = false;
}

static void fail(struct stream_out *out, int error)
{
    /* A peer that closes with bytes unread resets the connection; the next write would be EPIPE. */
    out->error = out->mode == STREAM_SOCKET && error == ECONNRESET ? EPIPE : error;
    stop_waiting(out);
    buf_free(&out->bytes);
    out->start = 0;
    loop_defer(out->loop, &out->report);
}

/* By poll, then by a write that does not block where the kernel has such (pipes: since 6.4). */
static ssize_t write_shared(struct stream_out *out, const struct iovec *part)
{
    struct pollfd ready = {.fd = out->target, .events = POLLOUT};
    struct iovec piece = *part;
    int count = poll(&ready, 1, 0);
    if (count <= 0) {
        errno = count ? errno : EAGAIN;
        return -1;
    }
    if (piece.iov_len > PIPE_BUF)
        piece.iov_len = PIPE_BUF;
    ssize_t put = pwritev2(out->target, &piece, 1, -1, RWF_NOWAIT);
    if (put >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return put;
    return write(out->target, piece.iov_base, piece.iov_len);
}

static ssize_t write_once(struct stream_out *out, struct iovec *parts, int count)
{
    if (out->mode == STREAM_SHARED)
        return write_shared(out, parts);
    if (out->mode != STREAM_SOCKET)
        return writev(out->target, parts, count);
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    return sendmsg(out->target, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Once the descriptor can be waited for, what it does not take is no error. */
static void wait_for_room(struct stream_out *out)
{
    if (out->waiting)
        return;
    if (loop_fd_add(out->loop, &out->watch, out->target, EPOLLOUT))
        fail(out, errno);
    else
        out->waiting = true;
}

static size_t gathered(const struct stream_out *out)
{
    return out->bytes.len - out->start;
}

static void drop_gathered(struct stream_out *out, size_t count)
{
    out->start += count;
    if (out->start < out->bytes.len)
        return;
    out->start = 0;
    buf_clear(&out->bytes);
    if (out->bytes.cap > STREAM_KEEP)
        buf_free(&out->bytes);
}

/* One write of the gathered bytes and extra, which is shortened. True if another one makes sense.
 */
static bool write_some(struct stream_out *out, struct str *extra)
{
    size_t pending = gathered(out);
    union {
        const char *constant;
        char *base;
    } rest = {extra->data}; /* iovec is not const-correct */
    struct iovec parts[2] = {{out->bytes.data + out->start, pending}, {rest.base, extra->len}};
    ssize_t put =
        pending ? write_once(out, parts, extra->len ? 2 : 1) : write_once(out, &parts[1], 1);
    if (put < 0 && errno == EINTR)
        return true;
    if (put < 0 && errno == EAGAIN) {
        wait_for_room(out);
        return false;
    }
    if (put < 0) {
        fail(out, errno);
        return false;
    }
    size_t done = (size_t)put, asked = pending + extra->len;
    size_t of_pending = done < pending ? done : pending;
    out->written += done;
    if (extra->len) {
        extra->data += done - of_pending;
        extra->len -= done - of_pending;
    }
    if (of_pending)
        drop_gathered(out, of_pending);
    /* A pipe or socket that took a part is full. A file says why only when it is asked again. */
    if (done < asked && (out->mode == STREAM_PIPE || out->mode == STREAM_SOCKET)) {
        wait_for_room(out);
        return false;
    }
    return true;
}

static void write_out(struct stream_out *out, struct str *extra)
{
    while (!out->error && (gathered(out) || extra->len) && write_some(out, extra))
        ;
}

static void target_ready(struct loop_fd *watch, uint32_t events)
{
    (void)events; /* a hang-up shows as the error of the write */
    struct stream_out *out = CONTAINER_OF(watch, struct stream_out, watch);
    uint64_t before = out->written;
    struct str none = {0};
    write_out(out, &none);
    if (out->error)
        return;
    if (!gathered(out))
        stop_waiting(out);
    if (out->written > before)
        tell_owner(out);
}

/* ---- for the owner ---- */

void stream_open(struct stream_out *out, struct loop *loop, int fd, bool owned)
{
    struct stat info;
    int flags = fcntl(fd, F_GETFL);
    *out = (struct stream_out){.progress = out->progress, .loop = loop, .fd = fd, .target = fd};
    out->watch.ready = target_ready;
    out->report.run = report_error;
    out->owned = owned;
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &info)) {
        fail(out, EBADF);
        return;
    }
    if (S_ISSOCK(info.st_mode)) {
        out->mode = STREAM_SOCKET;
    } else if (S_ISFIFO(info.st_mode) || (S_ISCHR(info.st_mode) && isatty(fd))) {
        out->mode = STREAM_PIPE;
        if (owned && (flags & O_NONBLOCK))
            return;
        int own = stream_reopen(fd, O_WRONLY);
        if (own >= 0)
            out->target = own;
        else
            out->mode = STREAM_SHARED;
    }
}

/* Written bytes are moved out of the way only when they are at least half: each byte is moved less
 * than once. */
static void gather(struct stream_out *out, struct str bytes)
{
    struct buf *buf = &out->bytes;
    if (buf->cap - buf->len < bytes.len && out->start >= gathered(out)) {
        buf_consume(buf, out->start);
        out->start = 0;
    }
    buf_add(buf, bytes.data, bytes.len);
}

void stream_add(struct stream_out *out, struct str bytes)
{
    if (out->error)
        return;
    out->accepted += bytes.len;
    if (!out->waiting && gathered(out) + bytes.len >= STREAM_GATHER)
        write_out(out, &bytes);
    if (!out->error && bytes.len)
        gather(out, bytes);
}

/* Gathered whole before anything is written, so that one write holds whole lines. */
void stream_add_line(struct stream_out *out, struct str line)
{
    if (out->error)
        return;
    out->accepted += line.len + 1;
    gather(out, line);
    buf_addc(&out->bytes, '\n');
    if (!out->waiting && gathered(out) >= STREAM_GATHER)
        stream_flush(out);
}

void stream_flush(struct stream_out *out)
{
    struct str none = {0};
    if (!out->waiting)
        write_out(out, &none);
}

/* Read what is in the pipe: all that was written, or less if its reader has read some, which is
 * then put back: nobody else writes, and there was room for it. True: it was all. */
static bool read_back(const struct stream_out *out, char *bytes)
{
    char path[64];
    size_t len = 0;
    ssize_t got;
    snprintf(path, sizeof path, "/proc/self/fd/%d", out->target);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (len < out->written && ((got = read(fd, bytes + len, (size_t)out->written - len)) > 0 ||
                                  (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    bool all = len == out->written;
    for (size_t at = 0; !all && at<len; at += got> 0 ? (size_t)got : 0) {
        got = write(out->target, bytes + at, len - at);
        if (got < 0 && errno != EINTR)
            break;
    }
    close(fd);
    return all;
}

bool stream_take_back(struct stream_out *out)
{
    if (out->error || out->mode != STREAM_PIPE || !out->owned || out->target != out->fd ||
        out->written > STREAM_BACK)
        return false;
    char *bytes = out->written ? mem_alloc((size_t)out->written) : NULL;
    bool all = !bytes || read_back(out, bytes);
    free(bytes);
    if (!all)
        return false;
    stop_waiting(out);
    buf_clear(&out->bytes);
    out->start = 0;
    out->accepted = out->written = 0;
    return true;
}

void stream_fail(struct stream_out *out, int error)
{
    if (!out->error)
        fail(out, error);
}

/* nanoseconds < 0: for any time. */
static void wait_for(const struct stream_out *out, int64_t nanoseconds)
{
    struct pollfd ready = {.fd = out->target, .events = POLLOUT};
    int64_t milliseconds = nanoseconds / 1000000 + 1;
    poll(&ready, 1, nanoseconds < 0 ? -1 : milliseconds < INT_MAX ? (int)milliseconds : INT_MAX);
}

/* How often a wait for a slow reader looks for a signal: nanoseconds. */
#define DRAIN_LOOK INT64_C(100000000)

/* Does a signal wait that asks the process to end? The loop has them blocked. */
static bool is_asked_to_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
            sigismember(&pending, SIGHUP));
}

void stream_drain(struct stream_out *out, size_t most)
{
    struct str none = {0};
    while (!out->error && gathered(out) > most && !is_asked_to_end()) {
        wait_for(out, DRAIN_LOOK);
        write_out(out, &none);
    }
}

int stream_close(struct stream_out *out, int64_t until)
{
    struct str none = {0};
    int64_t left;
    if (out->fd < 0)
        return 0;
    write_out(out, &none);
    while (!out->error && gathered(out) && (left = until - clock_now()) > 0) {
        wait_for(out, left);
        write_out(out, &none);
    }
    int error = out->error ? out->error : gathered(out) ? ETIMEDOUT : 0;
    stop_waiting(out);
    loop_undefer(out->loop, &out->report);
    buf_free(&out->bytes);
    out->start = 0;
    if (out->target != out->fd)
        close(out->target);
    if (out->owned && out->error != EBADF && close(out->fd) && errno != EINTR && !error)
        error = errno;
    out->fd = out->target = -1;
    if (!error)
        return 0;
    errno = error;
    return -1;
}
