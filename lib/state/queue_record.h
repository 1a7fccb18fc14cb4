/*
 * queue_record.h: the records of queues, and the moves of a message between its places. Internal to
 * lib/state: shared by the files queue_*.c, which each do some of the verbs of queue.h.
 *
 *     SPACE_META     "queue/", queue (4) -> struct queue_numbers, each a u64
 *     SPACE_MESSAGE  queue (4), lane (1), seq (8) -> flags (1), pushed at (8), [expires at (8)],
 *                    [group (16)], [2, reply set (4), request (16)], the event (packed)
 *                    queue (4), 255, seq (8) -> what the last nack of that message said
 *     SPACE_READY    queue (4), rank (1), seq (8) -> message state
 *     SPACE_DELAYED  queue (4), due (8), seq (8) -> message state
 *     SPACE_GROUP    queue (4), group (16), seq (8) -> message state, due (8)
 *     SPACE_LEASE    queue (4), token (8) -> holder (8), boot (8), deadline (8), and for each
 *                    message slot (2), seq (8), message state
 *     SPACE_DEDUP    queue (4), 0, key (16) -> seq (8), until (8)
 *                    queue (4), 1, until (8), key (16) -> empty
 *
 * A message state is lane (1), flags (1), receives (2). A rank is 9 - priority.
 *
 * The lane of a plain message is its rank: these need no record in SPACE_READY. They are leased in
 * the order of their numbers, and the queue remembers where each lane has come to. So a plain
 * message costs one record that is written once and removed once. One that comes back, was delayed,
 * or is of a group has a record in SPACE_READY while it may be leased. Of these the delayed and
 * grouped ones have lanes of their own (16 + rank), which the walk along a lane does not see.
 *
 * Queues and leases that a transaction has to do with are kept decoded while it lasts, and written
 * at its end (queue_flush).
 */
#ifndef FIT_STATE_QUEUE_RECORD_H
#define FIT_STATE_QUEUE_RECORD_H

#include "base/hash.h"
#include "state/apply.h"
#include "state/queue.h"
#include "state/reply_record.h"

enum {
    LANE_INDEXED = 16,  /* plus the rank: found by SPACE_READY only */
    LANE_FAILURE = 255, /* not messages, but what failed about them */
    QUEUE_KEY = 13,     /* bytes of a key of SPACE_MESSAGE and SPACE_READY */
    QUEUE_STATE = 4,    /* bytes of a message state */
};

enum message_flag {
    MESSAGE_EXPIRES = 1,
    MESSAGE_GROUPED = 2,
    MESSAGE_ASKS = 4
};                                                                       /* of the message */
enum state_flag { STATE_GROUPED = 1, STATE_FAILED = 2, STATE_ASKS = 4 }; /* of its state */

/*
 * What stands in a message before the request that it asks. No packed value begins so: builds that
 * know nothing of requests take such a message for a damaged one, and leave it where it is.
 */
enum { ASK_MARK = 2, ASK_BYTES = 1 + 4 + 16 };

struct queue_numbers {               /* as it is stored: only u64 */
    uint64_t seq;                    /* the last that was given */
    uint64_t token;                  /* the same */
    uint64_t next[QUEUE_PRIORITIES]; /* by rank: messages of the lane below it have been leased */
    uint64_t end[QUEUE_PRIORITIES];  /* and those from here on have not been pushed */
    uint64_t stored, ready, in_flight, delayed; /* messages; the rest is blocked */
    uint64_t indexed;                           /* of the ready ones those in SPACE_READY */
    uint64_t pushed, done, dropped;             /* totals */
    uint64_t letters;
    uint64_t rated_at, in_rate, out_rate; /* clock_wall; thousandths a second */
    uint64_t soonest,
        boot;             /* no lease ends by time before this (clock_now of that boot); 0: none */
    uint64_t room_wanted; /* a push was refused as full */
};

struct message_state {
    unsigned char lane, flags;
    uint16_t receives;
};

struct leased {
    uint64_t seq;
    uint16_t slot;
    bool ended;
    struct message_state state;
};

struct lease {
    struct lease *next;
    uint64_t token, boot;
    cell_holder holder;
    int64_t deadline;
    struct leased *messages; /* by slot */
    unsigned count, left;
    bool dirty;
};

struct queue {
    struct queue *next;
    struct buf name;
    uint32_t number;
    struct queue_numbers numbers;
    struct lease *leases; /* those that the transaction has to do with */
    uint64_t in, out;     /* in this transaction */
    bool dirty, ring;
};

struct message { /* as it stands in the table; valid until the next put or remove */
    unsigned char flags;
    int64_t pushed_at, expires_at;
    struct hash128 group;
    struct reply_ask ask;
    struct str packed;
};

/* ---- queue_record.c ---- */

/* The queue of that name. NULL: there is none (not with make), or the transaction has failed. */
struct queue *queue_of(struct apply *apply, struct str name, bool make);
void queue_facts(struct apply *apply, const struct queue *queue, struct queue_facts *facts);
int queue_remove_numbers(struct apply *apply, uint32_t number);
void queue_drop_cached(struct apply *apply, struct queue *queue); /* it has no number any more */
void queue_ring(struct apply *apply, struct queue *queue);
struct buf *queue_scratch(struct apply *apply); /* empty; for one record at a time */

struct str queue_key(unsigned char key[QUEUE_KEY], uint32_t queue, unsigned lane, uint64_t seq);
struct str queue_state(unsigned char bytes[QUEUE_STATE], struct message_state state);
int queue_read_state(struct apply *apply, struct str record, struct message_state *state);
int queue_read_message(struct apply *apply, struct str record, struct message *message);
/* False also for a record that is damaged: for who removes it in any case. */
bool queue_message_asks(struct str record, struct reply_ask *ask);

/* ---- queue_place.c: where a message waits ---- */

int queue_make_ready(struct apply *apply, struct queue *queue, uint64_t seq,
                     struct message_state state);
int queue_make_delayed(struct apply *apply, struct queue *queue, uint64_t seq,
                       struct message_state state, int64_t due);
int queue_join_group(struct apply *apply, struct queue *queue, struct hash128 group, uint64_t seq,
                     struct message_state state, int64_t due);

/* The first of those that may be leased. 1, 0: there is none, -1. */
struct queue_first {
    struct message_state state;
    uint64_t seq;
    unsigned rank;
    bool indexed;      /* it stands in SPACE_READY */
    struct str record; /* of the message; valid until the next put or remove */
};
int queue_find_first(struct apply *apply, struct queue *queue, struct queue_first *first);
/* The next one of a walk over all of them, which begins zeroed and changes nothing. 1, 0, -1. */
struct queue_walk {
    bool begun;
    unsigned rank; /* from there on in SPACE_READY */
    uint64_t seq;
    uint64_t next[QUEUE_PRIORITIES];
};
int queue_walk_on(struct apply *apply, struct queue *queue, struct queue_walk *walk,
                  struct queue_first *first);
/* It is no longer ready. */
int queue_take_first(struct apply *apply, struct queue *queue, const struct queue_first *first);

/* The message is gone: its record, and its place in its group, where the next one moves up. The
 * counter of its place (ready, in flight) is the caller's. */
int queue_erase(struct apply *apply, struct queue *queue, uint64_t seq, struct message_state state);

/* The oldest one that waits is gone: of the ready ones, else of the delayed ones. 1, 0: there is
 * none, -1. */
int queue_drop_oldest(struct apply *apply, struct queue *queue);

/* Delayed ones whose time has come become ready, at most QUEUE_SWEEP. How many, or -1. */
int queue_wake_due(struct apply *apply, struct queue *queue, int64_t *next_due);

/* ---- queue_leases.c ---- */

struct lease *queue_new_lease(struct queue *queue, unsigned room);
/* NULL: there is no such lease, or the transaction has failed. */
struct lease *queue_find_lease(struct apply *apply, struct queue *queue, uint64_t token);
struct leased *queue_find_leased(struct lease *lease, uint32_t slot);
int queue_flush_leases(struct apply *apply, struct queue *queue);
void queue_forget_leases(struct queue *queue);
/* End the leases that nobody holds any more; who holds the others, if holders is asked for. */
int queue_reap(struct apply *apply, struct queue *queue, struct queue_lease *lease);

/* ---- queue_letter.c ---- */

/* A message that no function has failed, expired or received too often: a dead letter about it, or
 * that failure as its answer. */
int queue_bury_stale(struct apply *apply, struct queue *queue, const struct queue_first *first,
                     const struct message *message, const char *reason);

/* ---- queue_ask.c ---- */

/* Is it asked already? 1: push is filled in, and nothing is to be added. 0: it is to be asked. */
int queue_ask(struct apply *apply, struct queue *queue, struct queue_push *push,
              struct reply_ask *ask);
/* The message is there now. */
int queue_asked(struct apply *apply, const struct queue *queue, const struct queue_push *push,
                unsigned lane);
/* Does anybody wait for the answer? 1, also when it asks for none; 0; -1. */
int queue_is_wanted(struct apply *apply, const struct queue *queue, uint64_t seq,
                    const struct message *message);
/* The answer to a message that asks: what its worker says of it; */
int queue_answer(struct apply *apply, const struct queue *queue, const struct leased *leased,
                 const struct queue_end *end);
/* or why nobody worked on it (reply_answer.lines); */
int queue_refuse(struct apply *apply, uint32_t queue, uint64_t seq, const struct reply_ask *ask,
                 struct str failure);
/* or that the record with that key is removed before. No-op when it asks for none. */
int queue_refuse_removed(struct apply *apply, struct str key, struct str record, bool for_room);

/* ---- the verbs ---- */

int queue_apply_push(struct apply *apply, struct queue_push *push);
int queue_apply_lease(struct apply *apply, struct queue_lease *lease);
int queue_apply_end(struct apply *apply, struct queue_end *end);
int queue_apply_extend(struct apply *apply, struct queue_extend *extend);
int queue_apply_show(struct apply *apply, struct queue_show *show);
int queue_apply_peek(struct apply *apply, struct queue_peek *peek);
int queue_apply_remove(struct apply *apply, struct queue_remove *remove);

#endif
