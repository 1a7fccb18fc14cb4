/*
 * stream.h: bytes out to a descriptor without ever blocking the loop.
 *
 * A stream_out gathers bytes and writes them in large pieces when told to, or when it is full; what
 * the descriptor does not take waits for EPOLLOUT. Descriptors that are shared with other processes
 * (stdin, stdout) are not switched to non-blocking, which would switch them for everybody: a pipe,
 * FIFO or terminal is opened anew through /proc/self/fd; a socket is written with MSG_DONTWAIT; if
 * neither works, at most PIPE_BUF bytes are written when poll says so. Regular files are written at
 * once.
 *
 * progress says that written grew after the stream had waited, or that error was set. It is called
 * by the loop only, never from within a function of this header, and may close and free the stream.
 * SIGPIPE must be ignored (loop_new sees to it).
 */
#ifndef FIT_SYS_STREAM_H
#define FIT_SYS_STREAM_H

#include "base/buf.h"
#include "base/str.h"
#include "sys/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STREAM_GATHER = 64 * 1024,    /* bytes gathered before a write is made unasked */
    STREAM_KEEP = 16 * 64 * 1024, /* a larger buffer is given back when it has run empty */
    STREAM_BACK = 64 * 1024,      /* bytes written that are taken back; more are left */
};

struct stream_out {
    /* Set by the owner before stream_open. */
    void (*progress)(struct stream_out *out); /* see below; may be NULL */
    /* To be read. */
    uint64_t accepted; /* bytes ever added */
    uint64_t written;  /* bytes the kernel has taken, in order */
    int error; /* errno of the failed write, for good; 0: fine. What was not written is dropped.
                  EPIPE: the reader has left, also where the kernel calls that a reset */
    /* Private. */
    struct loop *loop;
    struct loop_fd watch;
    struct loop_task report; /* tells the owner of an error that a call of its own met */
    struct buf bytes;
    size_t start; /* bytes before it are written */
    int fd;       /* what was given */
    int target;   /* what is written to: fd, or its private description */
    int mode;
    bool owned;
    bool waiting;
};

/*
 * Take fd for writing; with owned it is closed at the end. What is shared is handled as above. A
 * bad fd shows as error.
 */
void stream_open(struct stream_out *out, struct loop *loop, int fd, bool owned);

/* Gather bytes (copied). Writes when STREAM_GATHER is reached. Cheap no-op after an error. */
void stream_add(struct stream_out *out, struct str bytes);
void stream_add_line(struct stream_out *out, struct str line); /* adds LF */

void stream_flush(struct stream_out *out); /* write what can be written now */
static inline uint64_t stream_pending(const struct stream_out *out)
{
    return out->accepted - out->written;
}

/* As if a write had failed so: to be called when something else has told that no write can succeed.
 * No-op after an error. */
void stream_fail(struct stream_out *out, int error);

/*
 * Take everything back that was ever added, if the reader of a pipe that is the stream's own has
 * read nothing of it yet: true, and the stream is as new. False: it has, or nobody can tell;
 * nothing is changed then.
 */
bool stream_take_back(struct stream_out *out);

/*
 * Write until at most that many bytes are pending, however long the reader takes; or until an
 * error, or a signal for the loop that asks the process to end.
 */
void stream_drain(struct stream_out *out, size_t most);

/*
 * Flush, waiting up to until (clock_now; 0: not at all) for a slow reader; then close what is
 * owned, checking it. -1 with errno: that of a failed write, or ETIMEDOUT when bytes are left
 * (stream_pending). The stream is over in any case; to close it again does nothing.
 */
int stream_close(struct stream_out *out, int64_t until);

/*
 * Read what is there without blocking: like read(2), -1/EAGAIN when nothing is. It may block only
 * before Linux 6.4 or on a terminal, when fd has no description of its own (stream_reopen) and
 * another process takes at this moment what poll saw.
 */
ssize_t stream_read(int fd, void *bytes, size_t room);

/*
 * A private non-blocking description of a shared descriptor (see above), close-on-exec and the
 * caller's; or -1: it is a regular file or a socket, or cannot be had, and fd itself is to be used.
 * flags: O_RDONLY or O_WRONLY.
 */
int stream_reopen(int fd, int flags);

#endif
