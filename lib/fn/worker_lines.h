/*
 * worker_lines.h: what a line worker prints, line by line. Internal to lib/fn: for worker.c.
 *
 * It is read into blocks, and lines are slices of these: a result is not copied.
 */
#ifndef FIT_FN_WORKER_LINES_H
#define FIT_FN_WORKER_LINES_H

#include "base/block.h"

#include <stdbool.h>
#include <sys/types.h>

struct worker_lines { /* zeroed */
    /* Private. */
    struct block *block;
    size_t from;     /* where the line begins that is not yet whole */
    size_t searched; /* no LF between from and it */
};

void worker_lines_free(struct worker_lines *lines);

/* Read once, without blocking. Bytes read; 0: there are none now; -1: at the end. */
ssize_t worker_lines_read(struct worker_lines *lines, int fd);
/* The next whole line, without its LF; its block is borrowed until the next read. */
bool worker_lines_next(struct worker_lines *lines, struct slice *line);
/* When there is none: bytes of the one that has begun. */
size_t worker_lines_begun(const struct worker_lines *lines);

#endif
