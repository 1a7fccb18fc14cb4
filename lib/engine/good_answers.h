/*
 * good_answers.h: the last good answer of each part, for as long as it may stand in for a new one.
 *
 * Answers are kept in memory, by part and by a key of the user's; with a name also in the store, so
 * that the next process finds them: as the value of the key "aggregate/NAME/PART", or
 * "aggregate/NAME/PART/KEY", {"at":MILLISECONDS SINCE 1970,"value":ANSWER}, which ends with its
 * time. Only the last answer counts: while one is being written, those that come are not, but for
 * the last of them. Who shares a name shares the answers.
 *
 * Must not know of jobs and calls.
 */
#ifndef FIT_ENGINE_GOOD_ANSWERS_H
#define FIT_ENGINE_GOOD_ANSWERS_H

#include "base/buf.h"
#include "state/kv.h"

enum {
    GOOD_ANSWERS = 16384,          /* kept in memory; the oldest are forgotten for new ones */
    GOOD_BYTES = 32 * 1024 * 1024, /* the same; a larger answer is not kept */
    GOOD_KEY = 4096,               /* bytes of a key; under a longer one nothing is kept or found */
};

struct good_answers;

/* keep: nanoseconds that an answer may stand in. store NULL: in memory only; else name is borrowed
 * as long as they live. */
struct good_answers *good_answers_new(int64_t keep, struct store *store, const char *name);
void good_answers_free(struct good_answers *all); /* writes what is pending; NULL is a no-op */

/* A part has answered with that value (JSON) just now. key may be {NULL, 0}: there is none. */
void good_answers_note(struct good_answers *all, struct str part, struct str key, struct str value);

/* The question for the last one that is young enough. */
struct good_look {
    struct kv_op op; /* first; private */
    struct good_answers *all;
    void (*done)(struct good_look *look); /* once, perhaps before good_answers_look returns */
    /* The answer. */
    bool found;
    struct buf value; /* the asker's to free */
    int64_t age;      /* nanoseconds */
    struct buf key;   /* private */
};

/* look is zeroed but for done, and the asker's again when that is called. */
void good_answers_look(struct good_answers *all, struct str part, struct str key,
                       struct good_look *look);

#endif
