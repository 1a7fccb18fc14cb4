/*
 * group.h: when the parts of a group are together: the rules of fan-in.
 *
 * A group is open from its first part on, and closes once, for a reason: enough parts have come, a
 * predicate says so, nothing has come for a while, or it has been open for too long; or its input
 * has ended. Here are the rules and what of a group they need; where parts are kept, and how long a
 * closed group is remembered, is for the state (state/fanin.h). The aggregator of Hohpe and Woolf,
 * Enterprise Integration Patterns, with its completeness conditions.
 *
 * Times are times of day in nanoseconds, because a group outlives processes and boots. A clock that
 * steps back closes nothing early.
 */
#ifndef FIT_PATTERN_GROUP_H
#define FIT_PATTERN_GROUP_H

#include <stdbool.h>
#include <stdint.h>

enum group_closing {               /* why it has closed */
                     GROUP_OPEN,   /* it has not */
                     GROUP_COUNT,  /* all parts are there */
                     GROUP_UNTIL,  /* the predicate is true of them */
                     GROUP_IDLE,   /* no part has come for so long */
                     GROUP_WITHIN, /* so long after the first one */
                     GROUP_AT_EOF, /* no more parts can come */
                     GROUP_CLOSINGS
};

struct group_rules {
    uint64_t count; /* parts that make it complete; 0: no such rule, or the parts say how many */
    bool until;     /* there is a predicate */
    int64_t idle;   /* 0: no such rule */
    int64_t within; /* 0: no such rule */
};

struct group {
    uint64_t expected; /* parts; 0: not known */
    uint64_t parts;    /* that are there, each once */
    int64_t first_at, last_at;
    enum group_closing closing;
};

enum group_verdict {
    GROUP_TAKEN,
    GROUP_DUPLICATE, /* it is there already */
    GROUP_LATE,      /* the group is closed, and had no such part */
    GROUP_WRONG,     /* it contradicts the others: another count, or an index beyond it */
};

/* "count", "until", "idle", "within", "eof". */
const char *group_closing_name(enum group_closing closing);

#endif
