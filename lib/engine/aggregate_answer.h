/*
 * aggregate_answer.h: what came of the parts of an event, and how it is written: one object, or the
 * failure of the event.
 *
 * The object has a member for each part that there is an answer of, in the order of the parts, and
 * behind them what a reader should know: "cached", which of them are older answers, and "errors",
 * which parts have failed.
 */
#ifndef FIT_ENGINE_AGGREGATE_ANSWER_H
#define FIT_ENGINE_AGGREGATE_ANSWER_H

#include "base/buf.h"
#include "fn/failure.h"

#include <stdbool.h>
#include <stddef.h>

enum part_state {
    PART_OPEN,   /* it is not known yet */
    PART_HERE,   /* it has answered */
    PART_CACHED, /* it has failed, and an older answer is there */
    PART_FAILED,
    PART_ENDED, /* it was not needed any more */
};

struct part_answer {
    struct str name;
    enum part_state state;
    bool optional;
    struct str lines; /* PART_HERE: count of them */
    size_t count;
    struct str older;              /* PART_CACHED: the value */
    int64_t age;                   /* nanoseconds */
    const struct failure *failure; /* PART_CACHED, PART_FAILED */
};

enum aggregate_verdict {
    AGGREGATE_WAIT,
    AGGREGATE_ANSWER,
    AGGREGATE_DEAD, /* what is needed cannot come any more */
};

/* need 0: all parts that are not optional. */
enum aggregate_verdict aggregate_judge(const struct part_answer *parts, size_t count, size_t need);

/* Append the object. */
void aggregate_write(struct buf *out, const struct part_answer *parts, size_t count, size_t need);

/* Why the event is dead: the failure of the first part that it is dead of, made one that names all
 * that have failed. */
struct failure *aggregate_failure(const struct part_answer *parts, size_t count, size_t need);

/* Can a part be called so, or would it hide what stands behind the parts? */
bool aggregate_is_reserved(struct str name);

#endif
