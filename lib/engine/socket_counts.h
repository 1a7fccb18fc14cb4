/*
 * socket_counts.h: what has become of the requests of a warm pool, for `warm status`. Internal to
 * lib/engine: for source_socket.c.
 */
#ifndef FIT_ENGINE_SOCKET_COUNTS_H
#define FIT_ENGINE_SOCKET_COUNTS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { SOCKET_COUNTS_LATEST = 1024 }; /* calls, the last ones, whose times are told */

struct socket_counts { /* zeroed */
    uint64_t done, failed;
    uint64_t dropped;                    /* nobody waited for it any more */
    uint64_t refused;                    /* for want of room, or at the end */
    uint64_t cold;                       /* a worker was started for it */
    uint64_t pings;                      /* that have come; they are in none of the others */
    int64_t times[SOCKET_COUNTS_LATEST]; /* from coming to being answered, nanoseconds */
    uint64_t measured;
};

void socket_counts_end(struct socket_counts *counts, bool failed, int64_t took);

/* Append them as members of an object, with a comma before each. */
void socket_counts_describe(const struct socket_counts *counts, struct buf *members);

#endif
