/*
 * reply.h: answers to what was asked of workers through a queue, until who asked has them.
 *
 * A request is a message of a queue (queue.h) that asks for an answer. It is known by a key in a
 * reply set: the same key is the same question, and a question has one answer at a time. So
 *
 *   - to ask what is under way already adds nothing, and waits for that answer;
 *   - to ask what is answered already gives that answer: who was killed and asks again has nothing
 *     done twice, and neither loses what was done meanwhile nor what is being done;
 *   - several who ask the same at once share the answer. It stays until each of them has forgotten
 *     it, or is gone: nobody takes it from another;
 *   - who asks again after the answer was forgotten by all has it done again.
 *
 * The askers are processes, or what stands for them, and forget when they have made use of an
 * answer. What they forget before it is answered is not begun any more, unless others wait for it.
 * Who is killed forgets nothing. An answer goes after REPLY_KEEP in any case, also if nobody ever
 * fetches it; who still waits then waits in vain.
 *
 * The bell "reply" of the set's name is rung when there are new answers. A set is made by its first
 * request and goes when it has been empty for REPLY_KEEP.
 */
#ifndef FIT_STATE_REPLY_H
#define FIT_STATE_REPLY_H

#include "base/block.h"
#include "base/hash.h"
#include "state/cell.h"
#include "state/store.h"

enum {
    REPLY_READ_MAX = 4096, /* answers of one read; who asks for more gets so many */
    REPLY_SWEEP = 1024,    /* answers past their time, and sets, that one sweep looks at; it goes on
                              from there with a later transaction */
};
/* Nanoseconds. */
#define REPLY_KEEP  (INT64_C(7 * 24 * 3600) * 1000000000) /* an answer lasts so long */
#define REPLY_CLEAN (INT64_C(3600) * 1000000000)          /* all sets are swept so often */

enum reply_verb { REPLY_READ, REPLY_FORGET };

struct reply_op { /* first in those below */
    struct store_op op;
    enum reply_verb verb;
    struct str set; /* its name (home_check_name); borrowed until done */
};

struct reply_answer {
    struct hash128 request;
    bool failed;        /* there are no results: lines is why, an object without a LF, with the
                           members that a dead letter says it with */
    uint64_t count;     /* results */
    struct slice lines; /* each with its LF */
};

/* A read: answers in the order in which they came. STORE_OK also without such a set. */
struct reply_read {
    struct reply_op own;
    uint64_t after; /* the number behind which to begin */
    unsigned count; /* at most so many */
    size_t bytes;   /* and no further one when they are so long together */
    bool (*wants)(void *owner, struct hash128 request); /* others are passed over; NULL: all */
    void *owner;
    /* The answer; reply_read_clear frees it. */
    struct reply_answer *answers;
    unsigned got;
    uint64_t through; /* all up to there were looked at: go on behind it */
    bool more;        /* there are further ones */
};

/* STORE_OK, also for what is not there. */
struct reply_forget {
    struct reply_op own;
    cell_holder asker;
    const struct hash128 *requests; /* borrowed until done */
    size_t count;
};

/* Zeroed but for the set and what is asked; each sets up op and submits. done and owner of own.op
 * are the caller's to set. */
void reply_read(struct store *store, struct reply_read *read);
void reply_forget(struct store *store, struct reply_forget *forget);

void reply_read_clear(struct reply_read *read); /* drop the answer */

#endif
