/*
 * group.h: when the parts of a group are together: the rules of fan-in.
 *
 * A group is open from its first part on, and closes once, for a reason: enough parts have come, a
 * predicate says so, nothing has come for a while, or it has been open for too long; or its input
 * has ended. Here are the rules and what of a group they need; where parts are kept, and which ones
 * are there, is for the state (state/fanin.h). The aggregator of Hohpe and Woolf, Enterprise
 * Integration Patterns, with its completeness conditions.
 *
 * The first rule that holds closes it. Of those that hold at the same moment it is the first in the
 * order of enum group_closing. A part that comes when the time of its group is over finds it
 * closed, whether anybody has looked meanwhile or not.
 *
 * Times are times of day in nanoseconds, never negative, because a group outlives processes and
 * boots. A clock that steps back closes nothing early: what came later than now is taken to have
 * come now.
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

#define GROUP_NEVER INT64_MAX /* a time that does not come */

struct group_rules {
    uint64_t count; /* parts that make it complete; 0: no such rule, or the parts say how many */
    bool until;     /* there is a predicate */
    int64_t idle;   /* 0: no such rule */
    int64_t within; /* 0: no such rule */
};

struct group {         /* zeroed: one without parts */
    uint64_t expected; /* parts; 0: not known */
    uint64_t parts;    /* that are there, each once */
    uint64_t span;     /* all of them have places below this */
    int64_t first_at, last_at;
    enum group_closing closing;
};

struct group_part { /* what it says of itself */
    bool indexed;   /* it has a place; else it comes behind all that are there */
    uint64_t index; /* from 0 */
    uint64_t expected;
};

enum group_verdict {
    GROUP_TAKEN,
    GROUP_DUPLICATE, /* it is there already */
    GROUP_LATE,      /* the group is closed, and had no such part */
    GROUP_WRONG,     /* it contradicts the others: another count, or an index beyond it */
};

/* What is to become of the part: GROUP_TAKEN or GROUP_LATE, for a part that is not there yet, or
 * GROUP_WRONG. The owner, who knows which ones are there, finds duplicates. Changes nothing. */
enum group_verdict group_judge(const struct group *group, const struct group_part *part);

/* Add a part whose verdict is GROUP_TAKEN. It closes the group if it makes it complete by count.
 * Returns its place. */
uint64_t group_take(struct group *group, const struct group_rules *rules,
                    const struct group_part *part, int64_t now);

/* When an open group will close by time, if no part comes: GROUP_NEVER, or a time. */
int64_t group_due(const struct group *group, const struct group_rules *rules);

/* Close it if it is open and its time is over at `now`: true. */
bool group_expire(struct group *group, const struct group_rules *rules, int64_t now);

/* Has the clock stepped back behind what has come? Then that has come now: true. For groups to
 * which no part comes any more. */
bool group_set_back(struct group *group, int64_t now);

/* Was what closed it what it waited for? False: it had to close without. Idle time and a span of
 * time are waited for where no number of parts and no predicate is; the end of the input is never
 * waited for, except by a group that has no rule at all. */
bool group_is_complete(const struct group *group, const struct group_rules *rules);

/* So long after that; GROUP_NEVER when there is no such time. */
int64_t group_after(int64_t at, int64_t span);

/* "count", "until", "idle", "within", "eof". */
const char *group_closing_name(enum group_closing closing);

#endif
