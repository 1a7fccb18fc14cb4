/*
 * fanin_result.h: what becomes of a group that has closed: the lines of its result, or the reason
 * why it is dead, and what its letter holds.
 *
 * The result is the array of the values in the order of the parts, or what a join program makes of
 * it. A group that had to close too early (by time, where a number of parts or a predicate says
 * when it is complete, or at the end of the input) is dead, or has a partial result:
 *
 *     {"result":...,"missing":[2,4]}
 *
 * The array has null in the places that are missing; of events without places only their number is
 * known ("missing":2), and where a predicate was waited for nothing ("missing":null). A dead group
 * leaves its parts as the array of their envelopes (envelope.h), so they can be given back.
 */
#ifndef FIT_ENGINE_FANIN_RESULT_H
#define FIT_ENGINE_FANIN_RESULT_H

#include "base/block.h"
#include "base/buf.h"
#include "fn/failure.h"
#include "format/jq.h"
#include "state/fanin.h"

enum {
    FANIN_NAMED = 16,  /* missing parts that a message names; the others are counted */
    FANIN_LISTED = 100 /* that the error of a letter lists; of more it tells the number */
};

enum fanin_failed {             /* parts that are errors */
                    FANIN_FAIL, /* the group is dead */
                    FANIN_SKIP, /* they are left out */
                    FANIN_NULL, /* they are null */
};

enum fanin_at_eof {
    FANIN_AS_FITS, /* keep where groups are stored; else dead, but complete if nothing is missing */
    FANIN_KEEP,
    FANIN_PARTIAL,
    FANIN_DEAD,
};

struct fanin_rules { /* for results */
    bool plain;      /* parts are events without places */
    bool until;      /* a predicate is waited for */
    bool partial;    /* a timeout gives a partial result; else the group is dead */
    enum fanin_at_eof at_eof;
    enum fanin_failed failed;
    bool closed_by; /* results say why the group has closed */
};

/* Append the array of the values, as a partial or a whole result holds it. */
void fanin_result_array(const struct fanin_rules *rules, const struct fanin_group *group,
                        struct buf *array);

/* Why it is dead, or NULL. interrupted: it closed at the end of an input that was not read to its
 * end. */
struct failure *fanin_result_failure(const struct fanin_rules *rules,
                                     const struct fanin_group *group, bool interrupted);

/* What a letter about the group holds. */
void fanin_result_letter(const struct fanin_group *group, struct buf *event);

/* The programs of results. */
struct fanin_join {
    struct jq_program *program; /* NULL: there is none */
    bool given;                 /* it wants the key, as $group */
};

int fanin_result_join_init(struct fanin_join *join, const char *text,
                           struct err *err); /* NULL: none */
void fanin_result_join_free(struct fanin_join *join);

/* The lines of a group that is not dead, each with its LF, and how many. -1 with err: the program
 * cannot be applied. array is that of fanin_result_array, a LF behind it. */
int fanin_result_lines(const struct fanin_rules *rules, const struct fanin_join *join,
                       const struct fanin_group *group, struct slice array, struct slice *lines,
                       size_t *count, struct err *err);

#endif
