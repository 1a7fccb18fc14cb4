/*
 * report.h: what a run has counted, and how it is told.
 */
#ifndef FIT_ENGINE_REPORT_H
#define FIT_ENGINE_REPORT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A count of a command's own. The strings and the number outlive the run. */
struct report_count {
    const char *name; /* "duplicates" */
    const char *help; /* "Parts that were there already." */
    const uint64_t *count;
};

enum { REPORT_COUNTS = 4 }; /* at most so many */

struct report {
    /* Events taken: read = done + dead + dropped + returned + those in the window. */
    uint64_t read;
    uint64_t done;
    uint64_t dead;
    uint64_t dropped;
    uint64_t returned;  /* to their source, which will hand them out again */
    bool returns;       /* the source can */
    uint64_t letters;   /* dead letters: an event may have several, one for each part that failed */
    uint64_t results;   /* result lines */
    uint64_t bytes_in;  /* of events */
    uint64_t bytes_out; /* of results */
    uint64_t attempts;  /* at calls of functions */
    uint64_t failed_attempts;
    uint64_t replayed; /* calls that the ledger has answered */
    int64_t started;   /* clock_now */
    /* Events that the source has made of others (source.makes): they are in none of the above but
     * letters, results and bytes_out. */
    const char *makes;
    struct report_made {
        uint64_t read, done, dead, dropped, returned;
    } made;
    struct report_count counts[REPORT_COUNTS];
    unsigned counted;
};

/* One line of JSON with LF, for --stats. */
void report_format(const struct report *report, int64_t now, struct buf *line);

#endif
