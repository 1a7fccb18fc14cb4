/* socket_counts.c: what has become of the requests of a warm pool. */
#include "engine/socket_counts.h"

#include "engine/latency.h"

#include <inttypes.h>

void socket_counts_end(struct socket_counts *counts, bool failed, int64_t took)
{
    ++*(failed ? &counts->failed : &counts->done);
    counts->times[counts->measured++ % SOCKET_COUNTS_LATEST] = took;
}

void socket_counts_describe(const struct socket_counts *counts, struct buf *members)
{
    struct latency latency = {0};
    buf_addf(members,
             ",\"done\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"dropped\":%" PRIu64
             ",\"refused\":%" PRIu64 ",\"cold\":%" PRIu64 ",\"pings\":%" PRIu64,
             counts->done, counts->failed, counts->dropped, counts->refused, counts->cold,
             counts->pings);
    for (uint64_t i = 0; i < counts->measured && i < SOCKET_COUNTS_LATEST; i++)
        latency_add(&latency, counts->times[i]);
    buf_puts(members, ",\"latency\":");
    latency_json(&latency, members);
    latency_free(&latency);
}
