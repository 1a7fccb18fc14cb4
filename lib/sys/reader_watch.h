/*
 * reader_watch.h: notices that nobody reads any more, without writing.
 *
 * Who writes learns that from the write (EPIPE). Who has nothing to write for hours would keep a
 * whole pipeline from ending until then. A pipe has lost its reader when nobody has its other end
 * open, a connection when it is closed in both directions: a peer that has only ended its own
 * writing may still read. Over a network a peer that closes looks like one of these until it is
 * written to.
 */
#ifndef FIT_SYS_READER_WATCH_H
#define FIT_SYS_READER_WATCH_H

#include "sys/loop.h"

struct reader_watch {
    void (*gone)(struct reader_watch *watch); /* set by the owner; called once, in the loop */
    /* Private. */
    struct loop *loop;
    struct loop_fd watch;
    int fd;
};

/* Watch the readers of fd, which stays the caller's. What is no pipe, FIFO or stream socket is
 * never said to be left; nor is one that cannot be watched. Zeroed before but for gone. */
void reader_watch_open(struct reader_watch *watch, struct loop *loop, int fd);
void reader_watch_close(struct reader_watch *watch); /* no-op when it is not open */

#endif
