/*
 * reply_record.h: the records of reply sets. Internal to lib/state: queue_*.c ask and answer here.
 *
 *     SPACE_ANSWER  set (4), 0, key (16) -> a request: state (1), number of askers (2), for each
 *                       of them holder (8), boot (8); then of one that
 *                       waits (0): its message: queue (4), lane (1), seq (8)
 *                       is answered (1) or has failed (2): the answer's number (8)
 *                   set (4), 1, number (8) -> an answer: the same state (1), key (16), when (8),
 *                       number of results (8), what they are (packed)
 *                   set (4), 2 -> struct reply_numbers, each a u64; the set's name
 *     SPACE_META    "replies" -> when all sets are to be swept (8), the set to go on with (4)
 *
 * Keys are hashes, and fall on pages all over; so what is large stands where its place is in order.
 *
 * A message that asks says of which request it is. It answers only what still waits for it: the
 * request may have been forgotten meanwhile, or been asked anew with another message.
 *
 * Sets that a transaction has to do with are kept decoded while it lasts, and written at its end
 * (reply_flush).
 */
#ifndef FIT_STATE_REPLY_RECORD_H
#define FIT_STATE_REPLY_RECORD_H

#include "state/apply.h"
#include "state/reply.h"

enum reply_part { REPLY_REQUEST, REPLY_ANSWER, REPLY_SET }; /* of a set, in its keys */
enum {
    REPLY_PREFIX = 4 + 1, /* bytes of a key: set and part; then */
    REPLY_NUMBER = REPLY_PREFIX + 8,
    REPLY_KEY = REPLY_PREFIX + 16,
};

struct reply_numbers {       /* as it is stored: only u64 */
    uint64_t last;           /* the number that was given last */
    uint64_t open, answered; /* requests, and those of them that are answered */
    uint64_t touched;        /* clock_wall of the last change */
};

struct reply_set {
    struct reply_set *next;
    uint32_t number;
    struct buf name;
    struct reply_numbers numbers;
    bool dirty, ring;
};

struct reply_ask { /* the request that a message is about */
    uint32_t set;
    struct hash128 request;
};

struct reply_message { /* of a queue */
    uint32_t queue;
    unsigned lane;
    uint64_t seq;
};

struct reply_request { /* as it stands in the table: valid until the next put or remove */
    bool answered, failed;
    struct str askers;
    struct reply_message message; /* that it waits for */
    uint64_t number;              /* of its answer */
};

struct reply_stored { /* an answer, the same */
    struct hash128 request;
    bool failed;
    int64_t at;
    uint64_t count;
    struct str packed;
};

/* ---- reply_set.c ---- */

/* NULL: there is none (not with make), or the transaction has failed. */
struct reply_set *reply_set_named(struct apply *apply, struct str name, bool make);
struct reply_set *reply_set_numbered(struct apply *apply, uint32_t number);
/* How many answers it holds; 0 also when there is none. Of what is committed. */
uint64_t reply_set_answers(struct apply *apply, struct str name);

struct str reply_key(unsigned char key[REPLY_PREFIX], uint32_t set, enum reply_part part);

/* If it is time to look: answers and sets past their time go, some of them. Each transaction that
 * has to do with a set looks; so do workers who find nothing to do. */
int reply_sweep(struct apply *apply);

/* ---- reply_record.c ---- */

struct str reply_number_key(unsigned char key[REPLY_NUMBER], uint32_t set, uint64_t number);

/* 1, 0: there is none, -1. */
int reply_find(struct apply *apply, const struct reply_set *set, struct hash128 request,
               struct reply_request *found);
/* An answer, from its record. -1. */
int reply_read_stored(struct apply *apply, struct str record, struct reply_stored *stored);

/* The asker waits for it too. */
int reply_join(struct apply *apply, const struct reply_set *set, struct hash128 request,
               cell_holder asker);
/* It waits for that message now, whatever was there; with those who have asked it before. */
int reply_wait(struct apply *apply, struct reply_set *set, struct hash128 request,
               cell_holder asker, const struct reply_message *message);
/* Does it wait for that message (lane is not looked at)? 1, 0, -1. */
int reply_waits(struct apply *apply, const struct reply_ask *ask,
                const struct reply_message *message);
/* The message has ended so; without effect when the request does not wait for it. */
int reply_answer(struct apply *apply, const struct reply_ask *ask,
                 const struct reply_message *message, bool failed, uint64_t count,
                 struct str lines);
/* The asker waits for it no more; it goes when nobody does. */
int reply_leave(struct apply *apply, struct reply_set *set, struct hash128 request,
                cell_holder asker);
int reply_remove(struct apply *apply, struct reply_set *set, struct hash128 request,
                 const struct reply_request *found);

#endif
